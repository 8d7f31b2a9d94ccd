"""The sample wire through all three stages: every entry ends as it should, by name, and the words it carries come out right."""

import tomllib
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.lake import connect
from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.wire import catalogue, newsroom
from tests.wire.visit import Clock, running

EXPECTED = tomllib.loads((Path(__file__).parents[1] / "wire" / "expected.toml").read_text())


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, int]]]:
    """The lake, then the reports of three batches: at the wire's start, a minute later, and when everything written is out."""
    run_dir = tmp_path_factory.mktemp("wire")
    start = datetime.now(UTC) - timedelta(minutes=10)
    clock = Clock(start)
    reports = []
    with running(run_dir, clock) as wire:
        (run_dir / "feeds.toml").write_text(catalogue(wire.port))
        (run_dir / "wire-address").write_text(f"127.0.0.1:{wire.port}")
        settings = Settings.from_env({"NEWSMILL_RUN": str(run_dir), "NEWSMILL_SPACING_S": "0"})
        for minutes in (0, 1, 7):
            # the wire's clock and ours move together, so that feeds are due and reports come
            clock.now = start + timedelta(minutes=minutes)
            reports.append({r.stage: r.counts for r in run_once(settings, lambda _line: None, clock)})
    return [{"lake": settings.lake}, *reports]  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def con(batches: Any) -> duckdb.DuckDBPyConnection:
    return connect(batches[0]["lake"])


def test_every_entry_ends_as_it_should(con: duckdb.DuckDBPyConnection) -> None:
    ended = {(feed, title): code for feed, title, code in con.sql("SELECT feed_id, title, code FROM outcomes").fetchall()}
    groups = defaultdict(list)
    for entry in EXPECTED["entry"]:
        code = ended[entry["feed_id"], entry["title"]]
        if "group" in entry:
            groups[entry["group"]].append(code)
        else:
            assert code == entry["outcome"], entry["title"]
    assert {name: sorted(codes) for name, codes in groups.items()} == {n: sorted(c) for n, c in EXPECTED["groups"].items()}


def test_what_the_sitemap_lists_besides_is_known_from_its_publishers_feed(con: duckdb.DuckDBPyConnection) -> None:
    alone = [e["title"] for e in EXPECTED["entry"] if e["feed_id"] == "tidewater-sitemap" or e.get("outcome") == "consent"]
    rows = con.sql("SELECT title, code, count(*) FROM outcomes WHERE feed_id = 'tidewater-sitemap' GROUP BY ALL").fetchall()
    assert {code for title, code, _ in rows if title not in alone} == {"known_article"}
    assert len(rows) > len(alone) + 5


def test_a_consent_wall_is_no_article_and_its_end_says_so(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql("SELECT title, detail FROM outcomes WHERE code = 'consent'").fetchall()
    walls = {entry["title"] for entry in EXPECTED["entry"] if entry.get("outcome") == "consent"}
    assert {title for title, _ in rows} == walls
    assert all(detail.endswith("the page asks for consent and shows no article") for _, detail in rows)


def test_a_paywall_leaves_a_teaser_without_its_offer(con: duckdb.DuckDBPyConnection) -> None:
    teasers = con.sql("SELECT text, promo FROM articles WHERE access = 'teaser'").fetchall()
    walled = [p for a in newsroom.articles() for p in a.placements if p.page == "paywall"]
    assert len(teasers) == len(walled) > 0
    for text, promo in teasers:
        assert len(text) > 100 and "Abonnenten vorbehalten" not in text and "subscribers of" not in text
        assert any("vorbehalten" in p["text"] or "for subscribers" in p["text"] for p in promo)


def test_an_amp_version_and_its_page_are_one_article(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql("SELECT canonical_url, host, url FROM articles WHERE url LIKE '%/amp/%'").fetchall()
    assert rows and all(canonical == url.replace("/amp/", "/") for canonical, _, url in rows)
    keys = con.sql("SELECT count(*) FROM lake.article_keys GROUP BY article_id HAVING count(*) FILTER (key LIKE '%/amp/%') > 0")
    assert min(count for (count,) in keys.fetchall()) >= 3, "known by link, entry and canonical address"


def test_an_advertorial_counts_for_nothing(con: duckdb.DuckDBPyConnection) -> None:
    sold = {a.title for a in newsroom.articles() for p in a.placements if p.sponsored}
    rows = con.sql("SELECT version_id, title FROM articles WHERE genre = 'promotion'").fetchall()
    assert {title for _, title in rows} == sold
    query = "SELECT DISTINCT m.in_ad FROM mentions m JOIN articles USING (version_id) WHERE genre = 'promotion'"
    assert con.sql(query).fetchall() == [(True,)]
    assert con.sql("SELECT 1 FROM sentiments JOIN articles USING (version_id) WHERE genre = 'promotion'").fetchall() == []


def test_a_future_date_is_marked_and_never_believed(con: duckdb.DuckDBPyConnection) -> None:
    ahead = {a.title for a in newsroom.articles() for p in a.placements if p.date_offset_hours + p.minutes / 60 > 48}
    query = """
        SELECT a.title, e.date_quality, e.published_raw IS NOT NULL, a.published_at, a.published_basis
        FROM articles a JOIN lake.entries e USING (entry_id, revision) WHERE e.date_quality = 'implausible'
    """
    assert sorted(con.sql(query).fetchall()) == [(title, "implausible", True, None, None) for title in sorted(ahead)]
    assert con.sql("SELECT title FROM articles WHERE published_at > available_at + INTERVAL 2 DAY").fetchall() == []


def test_what_stands_in_the_feed_alone_is_an_article_from_there(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql("SELECT title, url, body_sha256, length(text) > 200 FROM articles WHERE feed_id = 'quayside'").fetchall()
    last = {reduce(newsroom.Article.revised, a.revisions, a).title for a in newsroom.articles() if _at(a, "quayside")}
    assert {row[0] for row in rows} == last
    assert {row[1:] for row in rows} == {(None, None, True)}


def test_a_revision_is_a_version_of_the_same_article(con: duckdb.DuckDBPyConnection) -> None:
    versions = con.sql("SELECT * FROM lake.articles WHERE title LIKE 'Ford delays%' ORDER BY seen_at")
    assert versions.project("change_type, title, text LIKE '%$160 million%'").fetchall() == [
        ("new", "Ford delays Kentucky battery line by nine months", False),
        ("revised", "Ford delays Kentucky battery line by a year", True),
    ]
    assert len(versions.project("article_id").distinct().fetchall()) == 1


def test_a_correction_and_a_new_headline_reach_the_last_version(con: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT title, text LIKE '%LVMH fell 3 percent%', text LIKE '%Correction: %', text LIKE '%340,000 hybrid cars%'
        FROM articles WHERE title LIKE 'LVMH sales%' OR title LIKE 'Toyota %' ORDER BY title
    """
    assert con.sql(query).fetchall() == [
        ("LVMH sales fall as shoppers in China stay away from leather goods", True, True, False),
        ("Toyota widens recall of hybrids with weak brakes to 340,000 cars", False, False, True),
    ]


def _at(article: newsroom.Article, publisher: str) -> bool:
    return any(placement.publisher == publisher for placement in article.placements)


def test_every_attempt_has_exactly_one_outcome(con: duckdb.DuckDBPyConnection) -> None:
    assert con.sql("SELECT code FROM outcomes WHERE code = 'waiting'").fetchall() == []
    query = "SELECT entry_id, revision, attempt FROM lake.outcomes GROUP BY ALL HAVING count(*) > 1"
    assert con.sql(query).fetchall() == []
    ended = "SELECT count(*), (SELECT count(DISTINCT (entry_id, revision)) FROM lake.outcomes) FROM lake.entries"
    ((entries, ends),) = con.sql(ended).fetchall()
    assert entries == ends > len(EXPECTED["entry"])
    assert con.sql("SELECT code, count(*) FROM lake.outcomes WHERE NOT final GROUP BY ALL ORDER BY 1").fetchall() == [
        ("consent", 2), ("http_error", 1),
    ]  # fmt: skip


def test_a_page_that_is_busy_at_first_is_due_again_and_comes(batches: Any, con: duckdb.DuckDBPyConnection) -> None:
    first, second, third = (batch["read"] for batch in batches[1:])
    assert (first["http_error"], first["consent"], first["due again"]) == (1, 1, 2)
    assert "http_error" not in second and "http_error" not in third
    query = "SELECT attempt, code, due_at - ended_at FROM lake.outcomes WHERE title LIKE 'Ratingagentur%' ORDER BY attempt"
    assert con.sql(query).fetchall() == [(1, "http_error", timedelta(minutes=5)), (2, "article", None)]


def test_the_account_of_every_batch_of_the_wire_adds_up(batches: list[dict[str, dict[str, int]]]) -> None:
    for batch in batches[1:]:
        for counts in batch.values():
            known = {
                "parsed",
                "unchanged",
                "article",
                "copy",
                "gone",
                "known_article",
                "disallowed",
                "http_error",
                "consent",
                "tagged",
            }
            assert sum(n for code, n in counts.items() if code in known) == counts["came_in"] > 0 == counts["missing"]


def test_a_later_visit_finds_news_and_nothing_again(
    batches: list[dict[str, dict[str, int]]], con: duckdb.DuckDBPyConnection
) -> None:
    first, second, third = batches[1:]
    assert first["pull"]["entries new"] > 8 and third["pull"]["entries new"] > 0
    assert second["pull"]["entries new"] + third["pull"]["entries new"] < len(EXPECTED["entry"])
    assert con.sql("SELECT entry_id, revision FROM lake.entries GROUP BY ALL HAVING count(*) > 1").fetchall() == []
    assert con.sql("SELECT article_id FROM articles GROUP BY ALL HAVING count(*) > 1").fetchall() == []


def test_the_companies_of_every_article_are_named(con: duckdb.DuckDBPyConnection) -> None:
    named = defaultdict(set)
    query = """
        SELECT o.feed_id, o.title, c.name FROM outcomes o JOIN mentions m USING (article_id)
        JOIN companies c USING (company_id) WHERE NOT m.in_ad
    """
    for feed, title, name in con.sql(query).fetchall():
        named[feed, title].add(name.casefold())
    missing = {
        (entry["title"], company)
        for entry in EXPECTED["entry"]
        for company in entry.get("companies", [])
        if not any(company.casefold() in name for name in named[entry["feed_id"], entry["title"]])
    }
    assert missing == set()


def test_the_copy_keeps_its_own_promotion_and_shares_the_story(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql(
        "SELECT source, text_hash, promo, duplicate_of, story_id, article_id FROM articles WHERE title LIKE 'Rheinmetall erh%'"
    )
    one, two = rows.fetchall()
    assert one[1] == two[1] and one[0] != two[0]
    assert [p["text"] for p in one[2]] != [p["text"] for p in two[2]] and one[2] and two[2]
    assert {one[3], two[3]} == {None, one[4]} and one[4] == two[4]


def test_the_stock_promotion_piece_is_left_with_its_news(con: duckdb.DuckDBPyConnection) -> None:
    ((text, promo, mixed),) = con.sql(
        """
        SELECT a.text, a.promo, s.mixed FROM articles a JOIN sentiments s USING (version_id) JOIN companies c USING (company_id)
        WHERE a.title LIKE 'Novo-Nordisk-Aktie: %' AND c.name = 'Novo Nordisk'
        """
    ).fetchall()
    assert len(promo) == 4 and all(piece["text"] not in text for piece in promo)
    for sold in ("Gratis", "kaufen oder", "Kaufen oder", "Hier weiterlesen", "sollten Anleger"):
        assert sold not in text
    assert mixed, "good results of a study, and a cut forecast"


def test_offsets_lead_to_the_words(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql(
        "SELECT a.title, a.text, m.field, m.start, m.end, m.surface FROM mentions m JOIN articles a USING (version_id)"
    ).fetchall()
    assert len(rows) > 100
    assert [r for r in rows if {"title": r[0], "text": r[1]}[r[2]][r[3] : r[4]] != r[5]] == []


def test_the_time_the_feed_knows_is_not_lost_to_a_page_that_shows_the_day(con: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT a.published_precision = 'day', a.published_at = e.published_at
        FROM articles a JOIN lake.entries e USING (entry_id, revision)
        WHERE e.date_quality = 'exact' AND a.published_basis = 'feed'
    """
    assert set(con.sql(query).fetchall()) == {(False, True)}


def test_the_words_of_the_evidence_stand_in_the_article(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql("SELECT e.words, a.title, a.text FROM evidence e JOIN articles a USING (version_id)").fetchall()
    assert len(rows) > 50 and all(words and words in f"{title}\n{text}" for words, title, text in rows)


def test_times_are_kept_in_order(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing counts before it could be read; what is derived counts from its article's first moment."""
    assert con.sql("SELECT 1 FROM lake.articles WHERE available_at < seen_at").fetchall() == []
    query = """
        SELECT DISTINCT m.news_at = a.available_at, m.available_at >= m.news_at
        FROM mentions m JOIN lake.articles a USING (version_id)
    """
    assert con.sql(query).fetchall() == [(True, True)]


def test_raw_bytes_of_everything_are_kept(con: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT count(*) FROM articles a WHERE body_sha256 NOT IN (SELECT sha256 FROM lake.bodies WHERE content IS NOT NULL)"
    assert con.sql(query).fetchall() == [(0,)]
    assert con.sql("SELECT 1 FROM lake.bodies WHERE content IS NOT NULL AND sha256(content) <> sha256").fetchall() == []


def test_everything_sold_around_an_article_is_out_of_its_text_and_kept_beside_it(con: duckdb.DuckDBPyConnection) -> None:
    sold = [
        piece["text"].partition("{date}")[0].strip()
        for path in (Path(newsroom.__file__).parent / "articles").glob("*.toml")
        for placement in tomllib.loads(path.read_text()).get("at", [])
        for piece in placement.get("promotion", [])
    ]
    assert len(sold) > 10
    rows = con.sql("SELECT title, text, promo FROM articles").fetchall()
    assert [line for line in sold if any(line in text for _, text, _ in rows)] == []
    kept = "\n".join(p["text"] for _, _, promo in rows for p in promo)
    missing = [line for line in sold if line not in kept]
    assert missing == []


#: By language, how many verdicts agree with a reader's (`mood` in expected.toml), of how many; raised as the rules get better.
AGREED = {"de": (38, 49), "en": (45, 64)}


def test_verdicts_agree_with_a_reader_as_often_as_they_did(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.sql("""
        SELECT a.feed_id, a.title, a.language, c.name, s.sentiment, s.mixed
        FROM articles a JOIN sentiments s USING (version_id) JOIN companies c USING (company_id)""").fetchall()
    said = defaultdict(list)
    for feed, title, language, name, sentiment, mixed in rows:
        said[feed, title].append((name.lower(), language, "±" if mixed else "-0+"[sentiment + 1]))
    agreed: defaultdict[str, int] = defaultdict(int)
    missed: defaultdict[str, list[object]] = defaultdict(list)
    for entry in EXPECTED["entry"]:
        # of a group, it is chance which becomes the article
        found = [] if "group" in entry else said.get((entry["feed_id"], entry["title"]), [])
        for company, mood in entry.get("mood", {}).items() if found else ():
            language = found[0][1]
            # "Siemens" is in the name of Siemens Energy, too
            verdict = min(((len(name), v) for name, _, v in found if company.lower() in name), default=(0, "not named"))[1]
            if mood == verdict:
                agreed[language] += 1
            else:
                missed[language].append((entry["title"], company, mood, verdict))
    assert {k: (agreed[k], agreed[k] + len(missed[k])) for k in agreed} == AGREED, dict(missed)
