"""What is tried again, what is given up, what changes and what does not: one feed over several batches, on a clock of its own."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.run import run_once, settle, work_shard
from pipeline.run.ledger import MAX_ATTEMPTS
from tests.run.publisher import START, STORIES, Desk, publishing


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        yield Desk(tmp_path, publisher)


def test_a_page_that_answers_503_is_due_again_and_not_lost_behind_a_304(desk: Desk) -> None:
    desk.publisher.slugs, desk.publisher.page_status = ["sap"], 503
    assert desk.batch(timedelta(0))["read"] == {"came_in": 1, "http_error": 1, "due again": 1}
    assert desk.rows("SELECT code, final, due_at - ended_at, detail FROM outcomes") == [
        ("http_error", False, timedelta(minutes=5), "status 503; second try, the first: status 503")
    ]
    assert desk.batch(timedelta(minutes=2)) == {"pull": {"came_in": 1, "unchanged": 1}, "read": {}, "tag": {}}
    desk.publisher.page_status = 200
    assert desk.batch(timedelta(minutes=4))["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT code, attempts FROM outcomes") == [("article", 2)]


def test_a_page_that_is_refused_for_a_while_is_not_lost(desk: Desk) -> None:
    desk.publisher.slugs, desk.publisher.page_status = ["sap"], 403
    assert desk.batch(timedelta(0))["read"] == {"came_in": 1, "refused": 1, "due again": 1}
    desk.publisher.page_status = 200
    assert desk.batch(timedelta(minutes=6))["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT code, attempts FROM outcomes") == [("article", 2)]


def test_a_page_that_never_comes_is_given_up_by_name(desk: Desk) -> None:
    desk.publisher.slugs, desk.publisher.page_status = ["sap"], 500
    for _ in range(MAX_ATTEMPTS + 2):
        desk.batch(timedelta(hours=25))
    assert desk.rows("SELECT code, final, kept, attempts, detail FROM outcomes") == [
        ("given_up", True, False, MAX_ATTEMPTS, f"after {MAX_ATTEMPTS} attempts, the last: status 500")
    ]
    assert desk.publisher.asked.count("sap") == MAX_ATTEMPTS


def test_a_server_that_asks_for_time_gets_it(desk: Desk) -> None:
    desk.publisher.slugs, desk.publisher.page_status, desk.publisher.retry_after = ["sap"], 429, "7200"
    desk.batch(timedelta(0))
    assert desk.rows("SELECT due_at - ended_at FROM outcomes") == [(timedelta(hours=2),)]


def test_entries_queued_behind_a_host_that_asked_to_wait_cost_no_attempt(desk: Desk) -> None:
    desk.publisher.slugs, desk.publisher.page_status, desk.publisher.retry_after = ["sap", "basf"], 429, "7200"
    assert desk.batch(timedelta(0))["read"] == {"came_in": 2, "http_error": 1, "deferred": 1, "due again": 2}
    ends = "SELECT code, final, attempts, round(epoch(due_at - ended_at)) FROM outcomes ORDER BY ALL"
    assert desk.rows(ends) == [("deferred", False, 0, 7200), ("http_error", False, 1, 7200)]
    desk.publisher.page_status, desk.publisher.retry_after = 200, None
    assert desk.batch(timedelta(hours=3))["read"] == {"came_in": 2, "article": 2}
    assert desk.rows(ends) == [("article", True, 1, None), ("article", True, 2, None)]


def test_a_feed_that_becomes_a_web_page_does_not_look_unchanged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.publisher.slugs = ["sap"]
    desk.batch(timedelta(0))
    ((etag, sha),) = desk.rows("SELECT etag, body_sha256 FROM feeds")
    monkeypatch.setattr(desk.publisher, "feed", lambda: "<html><body>Please log in</body></html>", raising=False)
    for failures in (1, 2):
        assert desk.batch(timedelta(minutes=30))["pull"] == {"came_in": 1, "not_a_feed": 1}
        assert desk.rows("SELECT failures, etag, body_sha256 FROM feeds") == [(failures, etag, sha)]


def test_an_entry_that_changes_makes_a_version_only_if_its_page_did(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.publisher.slugs = ["sap"]
    desk.batch(timedelta(0))
    changed = desk.publisher.feed().replace("<title>SAP-Aktie fällt", "<title>Update: SAP-Aktie fällt")
    monkeypatch.setattr(desk.publisher, "feed", lambda: changed, raising=False)
    assert desk.batch(timedelta(minutes=2))["read"] == {"came_in": 1, "unchanged": 1}
    monkeypatch.setattr(desk.publisher, "feed", lambda: changed.replace("Update", "Update 2"), raising=False)
    desk.publisher.text = (
        "The company now expects revenue to fall, it said in a correction of its earlier statement on the outlook. "
    )
    report = desk.batch(timedelta(minutes=2))
    assert report["read"] == {"came_in": 1, "article": 1} and report["tag"]["tagged"] == 1
    versions = desk.rows("SELECT change_type, text LIKE '%correction%', version_id FROM lake.articles ORDER BY available_at")
    assert [v[:2] for v in versions] == [("new", False), ("revised", True)]
    assert desk.rows("SELECT version_id FROM articles") == [(versions[1][2],)], "the view shows the last version"
    assert desk.rows("SELECT id, replaced_by FROM lake.superseded") == [(versions[0][2], versions[1][2])]
    assert {v for (v,) in desk.rows("SELECT DISTINCT version_id FROM mentions")} == {versions[1][2]}


def test_an_entry_that_leads_nowhere_ends_at_the_pull(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = '<rss version="2.0"><channel><title>T</title><item><guid>1</guid><title>No link at all</title></item></channel></rss>'
    monkeypatch.setattr(desk.publisher, "feed", lambda: feed, raising=False)
    ended = {"entries seen": 1, "entries new": 1, "without link": 1}
    assert desk.batch(timedelta(0))["pull"] == {"came_in": 1, "parsed": 1, **ended}
    assert desk.rows("SELECT code, kept, final FROM outcomes") == [("no_link", False, True)]


def test_content_in_the_feed_alone_becomes_an_article(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "".join(
        f"&lt;p&gt;Siemens said on day {n} that orders rose again in every region it serves.&lt;/p&gt;" for n in range(6)
    )
    item = f"<item><guid>1</guid><title>Siemens orders</title><description>{body}</description></item>"
    feed = f'<rss version="2.0"><channel><title>T</title>{item}</channel></rss>'
    monkeypatch.setattr(desk.publisher, "feed", lambda: feed, raising=False)
    assert desk.batch(timedelta(0))["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT title, url, text LIKE 'Siemens said on day 0%' FROM articles") == [("Siemens orders", None, True)]
    assert set(desk.publisher.asked) == {"robots.txt", "feed"}


def test_a_shard_that_was_late_adds_what_it_has_under_a_derived_id(desk: Desk) -> None:
    """One of two shards fails: the rest is committed; cleared and done again, it adds its part and nothing twice."""
    two = replace(desk.settings, shards=2)
    batch, clock, say = "20261123T090000Z", (lambda: START), (lambda _line: None)
    from pipeline.feeds import shard_of

    mine = shard_of("127.0.0.1", 2)
    work_shard(two, "pull", batch, 1 - mine, say, clock)
    settle(two, "pull", batch, say, clock)
    assert desk.rows("FROM lake.visits") == []
    work_shard(two, "pull", batch, mine, say, clock)
    assert settle(two, "pull", batch, say, clock).counts["entries new"] == len(STORIES)
    for shard in (0, 1):
        work_shard(two, "read", batch, shard, say, clock)
    settle(two, "read", batch, say, clock)
    assert desk.rows("SELECT DISTINCT code, count(*) FROM outcomes GROUP BY ALL") == [("article", len(STORIES))]
    before = desk.rows("SELECT * EXCLUDE (date) FROM lake.outcomes ORDER BY ALL")
    work_shard(two, "read", batch, mine, say, clock)
    assert settle(two, "read", batch, say, clock).counts["article"] == len(STORIES), "an announcement made again says the same"
    assert desk.rows("SELECT * EXCLUDE (date) FROM lake.outcomes ORDER BY ALL") == before


def test_the_lake_says_when_nothing_is_due(desk: Desk) -> None:
    lines: list[str] = []
    desk.batch(timedelta(0))
    run_once(desk.settings, lines.append, lambda: desk.now + timedelta(seconds=1))
    assert any(line.endswith("0 of 1 feeds are due") for line in lines)
    assert any("-read: nothing new" in line or "0 entries are due" in line for line in lines)
