"""What is one article and what is another, what is a revision, and that nothing strange in a page stops the rest."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.run import settle, work_shard
from tests.run.publisher import START, Desk, page_of, publishing

SOON = timedelta(minutes=2)


@pytest.fixture
def desk(tmp_path: Path):
    with publishing() as publisher:
        publisher.items = []
        yield Desk(tmp_path, publisher)


def item(guid: str, title: str, path: str) -> dict[str, str]:
    return {"guid": guid, "title": title, "path": path}


def test_a_canonical_link_to_the_front_page_or_a_section_merges_nothing(desk: Desk) -> None:
    for n, canonical in enumerate(("/", "/", "/news", "/news")):
        head = f'<link rel="canonical" href="{canonical}">'
        desk.publisher.pages[f"/{n}"] = page_of(
            f"Story {n}", f"Company {n} said something about its quarter number {n}.", head=head
        )
        desk.publisher.items.append(item(str(n), f"Story {n}", f"/{n}"))
    assert desk.batch(timedelta(0))["read"] == {"came_in": 4, "article": 4}


def test_pages_that_lead_to_one_address_with_other_news_stay_articles(desk: Desk) -> None:
    """A link that redirects to a known article with the same headline is that article; another headline and text is another."""
    desk.publisher.pages = {"/a": page_of("Siemens raises outlook", "Siemens raised its outlook for the year."), "/old": "/a"}
    desk.publisher.items = [item("1", "Siemens raises outlook", "/a")]
    desk.batch(timedelta(0))
    desk.publisher.items.append(item("2", "Siemens outlook", "/old"))
    assert desk.batch(SOON)["read"] == {"came_in": 1, "known_article": 1}
    desk.publisher.pages |= {"/a": page_of("SAP cuts jobs", "SAP will cut jobs in its home market."), "/older": "/a"}
    desk.publisher.items.append(item("3", "SAP cuts jobs", "/older"))
    assert desk.batch(SOON)["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT title FROM articles ORDER BY 1") == [("SAP cuts jobs",), ("Siemens raises outlook",)]


def test_a_correction_under_a_new_guid_is_a_new_version(desk: Desk) -> None:
    desk.publisher.pages["/a"] = page_of("SAP profit rises", "SAP said that profit rose by 4 percent.")
    desk.publisher.items = [item("v1", "SAP profit rises", "/a")]
    desk.batch(timedelta(0))
    desk.publisher.pages["/a"] = page_of("Correction: SAP profit falls", "SAP said that profit fell by 4 percent.")
    desk.publisher.items = [item("v2", "Correction: SAP profit falls", "/a")]
    assert desk.batch(SOON)["read"] == {"came_in": 1, "article": 1}
    assert desk.rows("SELECT title, change_type FROM articles") == [("Correction: SAP profit falls", "revised")]
    assert len(desk.rows("FROM lake.superseded")) == 1


def test_an_entry_that_moves_to_another_address_keeps_its_article(desk: Desk) -> None:
    desk.publisher.pages["/draft"] = page_of("SAP profit rises", "SAP said that profit rose by 4 percent.")
    desk.publisher.items = [item("1", "SAP profit rises", "/draft")]
    desk.batch(timedelta(0))
    ((article,),) = desk.rows("SELECT article_id FROM articles")
    desk.publisher.pages |= {
        "/final": page_of("SAP profit soars", "SAP said that profit rose by 40 percent."),
        "/draft": "/final",
    }
    desk.publisher.items = [item("1", "SAP profit soars", "/final")]
    desk.batch(SOON)
    assert desk.rows("SELECT article_id, title FROM articles") == [(article, "SAP profit soars")]


def test_a_revision_that_is_taken_back_is_seen(desk: Desk) -> None:
    for title, code in (("SAP rises", "article"), ("SAP falls", "article"), ("SAP rises", "article")):
        desk.publisher.pages["/a"] = page_of(title, f"{title}, the exchange said in its report of the day.")
        desk.publisher.items = [item("1", title, "/a")]
        assert desk.batch(SOON)["read"] == {"came_in": 1, code: 1}
    assert desk.rows("SELECT title FROM articles") == [("SAP rises",)]
    assert desk.rows("SELECT count(DISTINCT revision), count(*) FROM lake.entries") == [(3, 3)]
    assert desk.rows("SELECT count(*) FROM lake.superseded") == [(2,)]


def test_an_entry_that_changes_without_end_is_taken_so_often_and_no_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.run.pull.MOST_REVISIONS", 3)
    desk.publisher.pages["/a"] = page_of("SAP rises", "SAP rose on the exchange.")
    for n in range(5):
        desk.publisher.items = [item("1", f"SAP rises, {n} readers", "/a")]
        desk.batch(SOON)
    assert desk.rows("SELECT count(*) FROM lake.entries") == [(3,)]


def test_two_revisions_waiting_with_different_links_are_both_read(desk: Desk) -> None:
    desk.publisher.page_status = 503
    desk.publisher.pages = {"/a": page_of("One", "One thing was said today."), "/b": page_of("Two", "Another was said later.")}
    for path in ("/a", "/b"):
        desk.publisher.items = [item("1", f"At {path}", path)]
        desk.batch(SOON)
    desk.publisher.page_status = 200
    desk.batch(timedelta(minutes=10))
    assert {code for (code,) in desk.rows("SELECT code FROM outcomes")} == {"article"}


def test_the_validators_of_one_address_are_not_sent_to_another(desk: Desk) -> None:
    desk.batch(timedelta(0))
    catalogue = desk.settings.catalogue
    catalogue.write_text(catalogue.read_text().replace("/feed", "/moved"))
    assert desk.batch(SOON)["pull"] == {"came_in": 1, "http_error": 1}
    assert desk.rows("SELECT etag, last_modified, body_sha256, failures FROM feeds") == [(None, None, None, 1)]


@pytest.mark.parametrize("author", [r"A \ud83d", r"\u0000", "x" * 5000])
def test_a_strange_page_ends_in_an_outcome_and_stops_nobody(author: str, desk: Desk) -> None:
    head = f'<script type="application/ld+json">{{"@type": "NewsArticle", "author": "{author}"}}</script>'
    desk.publisher.pages = {
        "/strange": page_of("Strange", "Something was said here.", head=head),
        "/plain": page_of("Plain", "Something was said there."),
    }
    desk.publisher.items = [item("1", "Strange", "/strange"), item("2", "Plain", "/plain")]
    desk.batch(timedelta(0))
    assert desk.rows("SELECT title, code FROM outcomes ORDER BY 1") == [("Plain", "article"), ("Strange", "article")]


def test_a_bug_in_a_reader_costs_its_page_and_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.run import read, tag

    reading = read._reading
    # what is called must be something that a worker process can import
    monkeypatch.setattr(read, "_reading", lambda e, b: divide if e.title == "Bad" else reading(e, b))
    desk.publisher.pages = {f"/{n}": page_of(n, f"Something about {n} was said.") for n in ("Bad", "Good")}
    desk.publisher.items = [item(n, n, f"/{n}") for n in ("Bad", "Good")]
    tagging = tag.Tagger.tag
    monkeypatch.setattr(
        tag.Tagger, "tag", lambda self, title, *rest: divide() if title == "Good" else tagging(self, title, *rest)
    )
    desk.batch(timedelta(0))
    assert desk.rows(
        "SELECT title, code, final, detail LIKE 'internal: ZeroDivisionError%test_identity.py:%' FROM outcomes ORDER BY 1"
    ) == [
        ("Bad", "unreadable", True, True),
        ("Good", "article", True, None),
    ]
    assert desk.rows("SELECT problem LIKE 'ZeroDivisionError%', mentions FROM lake.taggings") == [(True, 0)]


def test_content_in_the_feed_is_read_as_guardedly_as_a_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader runs in a process of its own and may fail: that costs the entry, not the batch."""
    from pipeline.run import read

    reading = read._in_feed
    monkeypatch.setattr(read, "_in_feed", lambda e: divide if e.title == "Bad" else reading(e))
    body = "".join(f"&lt;p&gt;Siemens said on day {n} that orders rose in every region it serves.&lt;/p&gt;" for n in range(6))
    items = "".join(
        f"<item><guid>{t}</guid><title>{t}</title><description>{body} {t}</description></item>" for t in ("Bad", "Good")
    )
    feed = f'<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'
    monkeypatch.setattr(desk.publisher, "feed", lambda: feed, raising=False)
    desk.batch(timedelta(0))
    assert desk.rows("SELECT title, code FROM outcomes ORDER BY 1") == [("Bad", "unreadable"), ("Good", "article")]


def divide() -> float:
    return 1 // 0


def test_bytes_kept_by_a_shard_that_died_are_gone_on_with(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its batch is settled without it, the feed moves on; the next run still reads what had been kept."""
    from pipeline.run import pull

    desk.publisher.pages["/a"] = page_of("Once only", "This was said once only.")
    desk.publisher.items = [item("1", "Once only", "/a")]
    batch, say = "20261123T090000Z", (lambda _line: None)
    with monkeypatch.context() as patch:
        patch.setattr(pull, "_entries", divide)
        with pytest.raises(TypeError):
            work_shard(desk.settings, "pull", batch, 0, say, lambda: START)
    assert settle(desk.settings, "pull", batch, say, lambda: START).counts == {"came_in": 0, "missing": 0, "shards missing": 1}
    desk.publisher.items = []
    desk.batch(SOON)
    assert desk.rows("SELECT title, code FROM outcomes") == [("Once only", "article")]
    assert not list((desk.settings.lake / "staging").glob("2*"))


def test_fetches_are_listed_once_when_a_shard_is_done_by_two(desk: Desk) -> None:
    """A shard of Airflow's is finished by `newsmill run` and then tried again: no page twice."""
    desk.publisher.pages["/a"] = page_of("SAP rises", "SAP rose on the exchange.")
    desk.publisher.items = [item("1", "SAP rises", "/a")]
    say = lambda _line: None  # noqa: E731
    batch = "20261123T090000Z"
    for stage in ("pull", "read"):
        work_shard(desk.settings, stage, batch, 0, say, lambda: START)
        settle(desk.settings, stage, batch, say, lambda: START)
    from dataclasses import replace

    four = replace(desk.settings, shards=4)
    for stage in ("pull", "read"):
        for shard in range(4):
            work_shard(four, stage, batch, shard, say, lambda: START)
        settle(four, stage, batch, say, lambda: START)
    for table in ("visits", "pages", "entries", "outcomes", "articles"):
        assert desk.rows(f"SELECT count(*) FROM lake.{table}") == [(1,)], table


def test_a_copy_of_what_was_corrected_since_is_no_copy_any_more(desk: Desk) -> None:
    same = ("Ten thousand jobs are to go, the company said on Monday.", "The works council was told in the morning.")
    desk.publisher.pages = {"/a": page_of("Jobs to go", *same), "/b": page_of("Jobs to go", *same)}
    desk.publisher.items = [item("1", "Jobs to go", "/a"), item("2", "Jobs to go", "/b")]
    desk.batch(timedelta(0))
    assert [d is None for (d,) in desk.rows("SELECT duplicate_of FROM articles ORDER BY url")] == [True, False]
    desk.publisher.pages["/a"] = page_of("Jobs to stay", "No jobs are to go, the company said on Tuesday.")
    desk.publisher.items[0]["title"] = "Jobs to stay"
    desk.batch(SOON)
    assert desk.rows("SELECT title, duplicate_of FROM articles ORDER BY url") == [("Jobs to stay", None), ("Jobs to go", None)]


def test_a_company_that_changes_and_changes_back_stays_known(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from pipeline.run import tag

    real = tag.Tagger.load()
    for n, country in enumerate(("DE", "AT", "DE")):
        sap = replace(real.companies["sap"], country=country, record_id=f"c_{country}")
        changed = type("Changed", (), {
            "load": classmethod(lambda cls: cls), "tag": real.tag, "version": "x", "registry_version": "y",
            "companies": {**real.companies, "sap": sap},
        })  # fmt: skip
        monkeypatch.setattr(tag, "Tagger", changed)
        desk.publisher.pages[f"/{n}"] = page_of(f"SAP {n}", f"SAP said something for the time number {n}.")
        desk.publisher.items = [item(str(n), f"SAP {n}", f"/{n}")]
        desk.batch(SOON)
        assert desk.rows("SELECT country FROM companies WHERE company_id = 'sap'") == [(country,)]
    assert desk.rows("SELECT count(*) FROM lake.companies WHERE company_id = 'sap'") == [(3,)]
