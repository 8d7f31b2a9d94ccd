"""One batch over the whole hostile wire: every case ends in the row that its table names, none raises, none outstays its time."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.lake import connect
from pipeline.run import context, run_once
from pipeline.settings import Settings
from schemas.web import Kind
from tests.wire_hostile.case import ANY_STATUS, Case
from tests.wire_hostile.server import HostileSite, all_cases, catalogue_of, hostile_wire, inside
from tests.wire_hostile.validators import DATES, ETAGS

MIB = 1024 * 1024
LIMITS = {"connect_s": 3, "read_s": 3, "total_s": 6, "max_hosts": 200, "max_feed_bytes": 2 * MIB, "max_page_bytes": MIB}
CASES = {case.name: case for case in all_cases()}
FEEDS = [case for case in CASES.values() if case.kind is Kind.FEED]
PAGES = [case for case in CASES.values() if case.kind is Kind.PAGE]


@dataclass(frozen=True, slots=True)
class Lake:
    """What a lake holds after batches over the wire, and what the wire was asked."""

    run_dir: Path
    settings: Settings
    site: HostileSite

    def batch(self, cases: list[Case], later: timedelta = timedelta(0)) -> None:
        (self.run_dir / "feeds.toml").write_text(catalogue_of(cases, self.site.port))
        run_once(self.settings, lambda _line: None, lambda: datetime.now(UTC) + later)

    def rows(self, query: str) -> list[dict[str, Any]]:
        with connect(self.settings.lake) as con:
            return con.sql(query).to_arrow_table().to_pylist()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    run_dir = tmp_path_factory.mktemp("hostile")
    with hostile_wire(list(CASES.values())) as site, pytest.MonkeyPatch.context() as patch:
        in_a_hurry(patch)
        environ = {"NEWSMILL_RUN": str(run_dir), "NEWSMILL_WIRE": f"127.0.0.1:{site.port}", "NEWSMILL_SPACING_S": "0"}
        lake = Lake(run_dir, replace(Settings.from_env(environ), catalogue=run_dir / "feeds.toml", shards=1), site)
        lake.batch(list(CASES.values()))
        yield lake


def in_a_hurry(patch: pytest.MonkeyPatch) -> None:
    """Servers get seconds here where they get a minute else, and many are asked at a time."""
    usual = context.policy
    patch.setattr(context, "policy", lambda *told: replace(usual(*told), **LIMITS))


def test_every_feed_ends_in_its_row(lake: Lake) -> None:
    visits = {v["feed_id"]: v for v in lake.rows("FROM lake.visits")}
    assert {c.name: got(visits[c.name], c, "outcome") for c in FEEDS} == {c.name: wanted(c) for c in FEEDS}


def test_every_page_ends_in_its_row(lake: Lake) -> None:
    rows = lake.rows("SELECT o.*, p.status FROM outcomes o JOIN lake.pages p USING (entry_id) WHERE o.feed_id = 'pages'")
    outcomes = {row["title"]: row for row in rows}
    assert {c.name: got(outcomes[c.name], c, "code") for c in PAGES} == {c.name: wanted(c) for c in PAGES}


def got(row: Mapping[str, Any], case: Case, code: str) -> tuple[Any, ...]:
    """The row as far as the case says something of it; a detail that fits the pattern is shown as the pattern.

    Which cases get one of the batch's second tries is as it comes.
    """
    detail = row["detail"] and row["detail"].partition("; second try")[0]
    fits = case.detail is not None and re.fullmatch(case.detail, detail or "")
    status = ANY_STATUS if case.status == ANY_STATUS else row["status"]
    return row[code], status, case.detail if fits else detail, {column: row[column] for column in case.more}


def wanted(case: Case) -> tuple[Any, ...]:
    return str(case.outcome), case.status, case.detail, dict(case.more)


def test_every_feed_gives_its_entries(lake: Lake) -> None:
    found: dict[str, list[Any]] = {case.name: [] for case in FEEDS if case.entries is not None}
    for e in lake.rows("SELECT feed_id, title, url, published_at FROM lake.entries ORDER BY feed_id, position"):
        if e["feed_id"] in found:
            at = e["published_at"]
            found[e["feed_id"]].append((e["title"], e["url"], at and at.astimezone(UTC).replace(tzinfo=None).isoformat()))
    assert found == {
        case.name: [_at_home(entry, case, lake.site.port) for entry in case.entries or ()]
        for case in FEEDS
        if case.entries is not None
    }


def _at_home(entry: tuple[str, str | None, str | None], case: Case, port: int) -> tuple[str, str | None, str | None]:
    title, url, at = entry
    return title, url and url.replace("HOST", f"{case.name}.localhost:{port}"), at


def test_none_outstays_its_time(lake: Lake) -> None:
    took = lake.rows("SELECT url, date_diff('ms', asked_at, answered_at) / 1000 AS s FROM lake.bodies")
    allowed = {case.name: case.seconds for case in CASES.values()}
    late = {row["url"]: row["s"] for row in took if row["s"] > allowed.get(row["url"].split("/")[2].partition(".")[0], 6.5) + 3}
    assert late == {}


def test_no_link_leads_into_the_private_network(lake: Lake) -> None:
    codes = {row["title"]: row["code"] for row in lake.rows("SELECT title, code FROM outcomes WHERE feed_id = 'inside'")}
    links = inside(lake.site.canary.port)
    assert {f"I{n}": link for n, link in enumerate(links) if codes[f"I{n}"] not in ("forbidden_address", "no_link")} == {}
    assert lake.site.canary.connections_ever == 0
    assert {asked.headers["host"] for asked in lake.site.asked if ".localhost:" not in asked.headers["host"]} == set()
    print(f"{len(links)} links into the private network")


def test_a_second_visit_sends_validators_that_are_well_formed_and_no_others(lake: Lake) -> None:
    rooms = {"etag": ("if-none-match", ETAGS), "modified": ("if-modified-since", DATES)}
    cases = [case for case in FEEDS if case.name.partition("-")[0] in rooms]
    before = len(lake.site.asked)
    lake.batch(cases, timedelta(hours=1))
    sent = {
        asked.headers["host"].partition(".")[0]: asked.headers
        for asked in lake.site.asked[before:]
        if asked.path != "/robots.txt"
    }
    for room, (header, values) in rooms.items():
        assert {n: sent[f"{room}-{n}"].get(header) for n in range(len(values))} == {
            n: value if kept else None for n, (value, kept) in enumerate(values.items())
        }
    outcomes = lake.rows("SELECT DISTINCT outcome FROM lake.visits WHERE batch_id = (SELECT max(batch_id) FROM lake.visits)")
    assert (outcomes, len(cases)) == ([{"outcome": "unchanged"}], 50)
