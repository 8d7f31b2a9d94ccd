"""`newsmill feeds` as its users meet it: what is taken, what is refused and why, exit codes, never a traceback."""

import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.feeds import load_catalogue
from tests.run.publisher import Desk, Publisher, page_of, publishing
from tests.test_command_line import newsmill


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with publishing() as site:
        site.pages = {"/story": page_of("Story", "Siemens raised its forecast.", "It will say more.")}
        site.items = [{"guid": "1", "title": "Story", "path": "/story"}]
        yield site


def feeds(where: Path, *words: str, stdin: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
    """`newsmill feeds …` on the catalogue of a directory."""
    catalogue = str(where / "feeds.toml")
    done = newsmill("feeds", *words, stdin=stdin, NEWSMILL_CATALOGUE=catalogue, NEWSMILL_SPACING_S="0", **environ)
    assert "Traceback" not in done.stderr
    return done


def ids(where: Path) -> list[str]:
    return [feed.feed_id for feed in load_catalogue(where / "feeds.toml") if feed.enabled]


def test_a_feed_a_site_and_a_twin(tmp_path: Path, publisher: Publisher) -> None:
    feed, feed_id = f"{publisher.base}/feed", f"127-0-0-1-{publisher.port}-feed"
    without = feeds(tmp_path, "add", feed)
    assert (without.returncode, (tmp_path / "feeds.toml").exists()) == (1, False)
    assert f"refused: {feed} ({feed}: forbidden_address: 127.0.0.1: loopback; a feed of your own machine" in without.stdout
    assert "add --local" in without.stdout
    taken = feeds(tmp_path, "add", "--local", feed)
    assert taken.stdout.startswith(f"added: {feed} {feed_id}\n") and taken.returncode == 0
    assert f"next: make run FEEDS={tmp_path}/feeds.toml" in taken.stdout
    publisher.pages["/"] = (
        '<html><head><link rel="alternate" type="application/rss+xml" href="/feed"></head><body>x</body></html>'
    )
    twin = feeds(tmp_path, "add", "--local", publisher.base, feed + "/")
    assert twin.stdout == f"there already: {feed}/ (as {feed_id})\nthere already: {publisher.base} (as {feed_id})\n"
    assert twin.returncode == 0 and ids(tmp_path) == [feed_id]
    assert load_catalogue(tmp_path / "feeds.toml")[0].local and load_catalogue(tmp_path / "feeds.toml")[0].title == "T"


def test_one_that_is_switched_off_is_switched_on(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text('# mine\n[[feed]]\nurl = "https://a.example/rss" # n\nenabled = false # for now\n')
    assert feeds(tmp_path, "add", "https://a.example/rss").stdout.startswith(
        "switched on: https://a.example/rss (as a-example-rss)"
    )
    assert (tmp_path / "feeds.toml").read_text() == (
        '# mine\n[[feed]]\nurl = "https://a.example/rss" # n\nenabled = true # for now\n'
    )


def test_a_page_does_not_say_what_is_opened(tmp_path: Path, publisher: Publisher) -> None:
    """--local is said of one address: neither a feed that its page names elsewhere nor a shipped one is opened with it."""
    with publishing() as other:
        link = f'<link rel="alternate" type="application/rss+xml" href="{other.base}/feed">'
        publisher.pages["/"] = f"<html><head>{link}</head><body>x</body></html>"
        refused = feeds(tmp_path, "add", "--local", publisher.base)
        assert (refused.returncode, other.asked) == (1, [])
        assert f"{other.base}/feed: forbidden_address: 127.0.0.1: loopback" in refused.stdout
        publisher.pages["/"] = f'<html><body><a href="{other.base}/rss">RSS</a></body></html>'
        feeds(tmp_path, "discover", "--local", publisher.base)
        assert other.asked == []
    assert feeds(tmp_path, "add", "--local", "--no-check", "ecb-press", f"{publisher.base}/feed").returncode == 0
    assert [feed.local for feed in load_catalogue(tmp_path / "feeds.toml")] == [False, True]


def test_of_several_feeds_of_a_site_one_is_to_be_named(tmp_path: Path, publisher: Publisher) -> None:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" title="{t}" href="/feed?{t}">' for t in ("one", "two"))
    publisher.pages["/"] = f"<html><head>{links}</head><body>x</body></html>"
    asked = feeds(tmp_path, "add", "--local", publisher.base)
    assert asked.returncode == 2 and not (tmp_path / "feeds.toml").exists()
    assert "has 2 feeds; add the one you mean by its address" in asked.stderr
    assert f"1  {publisher.base}/feed?one  one" in asked.stderr and f"2  {publisher.base}/feed?two  two" in asked.stderr
    found = feeds(tmp_path, "discover", "--local", "--json", publisher.base)
    assert [json.loads(line)["url"] for line in found.stdout.splitlines()] == [
        f"{publisher.base}/feed?{t}" for t in ("one", "two")
    ]


def test_a_feed_in_a_usual_place_is_found_and_none_is_said(tmp_path: Path, publisher: Publisher) -> None:
    publisher.pages["/"] = "<html><body>a site that names no feed</body></html>"
    assert feeds(tmp_path, "discover", "--local", publisher.base).stdout == f"{publisher.base}/feed/  T\n"
    publisher.feed_status = 404
    none = feeds(tmp_path, "add", "--local", publisher.base)
    assert none.returncode == 1 and "it names no feed, and the usual places have none" in none.stdout
    assert "not_a_feed: an HTML page" in none.stdout
    assert feeds(tmp_path, "discover", "--local", publisher.base).returncode == 1


def test_news_sitemaps_are_feeds_of_a_site(tmp_path: Path, publisher: Publisher) -> None:
    """By robots.txt and the index it names; taken as a feed where there is no other; plain sitemaps are none."""
    news = "<news:news><news:title>Story</news:title><news:publication_date>2026-11-23</news:publication_date></news:news>"
    head = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">'
    )
    one = f"<url><loc>{publisher.base}/story</loc>{{}}</url></urlset>"
    publisher.pages |= {
        "/robots.txt": "User-agent: *\nSitemap: /all.xml\n",
        "/all.xml": f"<sitemapindex><sitemap><loc>{publisher.base}/map/news.xml</loc></sitemap>"
        f"<sitemap><loc>{publisher.base}/map/pages.xml</loc></sitemap></sitemapindex>",
        "/map/news.xml": head + one.format(news),
        "/map/pages.xml": head + one.format(""),
        "/news-sitemap.xml": head + one.format(""),
        "/": '<html><head><link rel="alternate" type="application/rss+xml" title="T" href="/feed"></head><body>x</body></html>',
    }
    found = feeds(tmp_path, "discover", "--local", publisher.base)
    assert found.stdout == f"{publisher.base}/feed  T\n{publisher.base}/map/news.xml  news sitemap\n"
    assert "map/pages.xml" not in publisher.asked and "sitemap_news.xml" in publisher.asked
    publisher.pages["/"], publisher.feed_status = "<html><body>a site that names no feed</body></html>", 404
    assert feeds(tmp_path, "add", "--local", publisher.base).stdout.startswith(f"added: {publisher.base} ")
    assert [feed.url for feed in load_catalogue(tmp_path / "feeds.toml")] == [f"{publisher.base}/map/news.xml"]


def test_check_says_what_a_feed_is_worth_and_asks_politely(tmp_path: Path, publisher: Publisher) -> None:
    told = feeds(tmp_path, "check", "--local", "--json", f"{publisher.base}/feed")
    worth = json.loads(told.stdout)
    assert told.returncode == 0
    told_of = ("outcome", "format", "entries", "with_link", "conditional", "page", "verdict", "dates")
    assert {key: worth[key] for key in told_of} == {
        "outcome": "parsed", "format": "RSS 2.0", "entries": 1, "with_link": 1, "conditional": "304", "page": "ok",
        "verdict": "usable", "dates": {"missing": 1},
    }  # fmt: skip
    assert [path for path in publisher.asked if path != "robots.txt"] == ["feed", "feed", "story"]
    assert worth["known"] is None, "there is no lake"
    desk = Desk(tmp_path / "run", publisher)  # its one feed is this one, and another address of it brought the same
    publisher.items = [{"guid": n, "title": f"Siemens raises its forecast again, {n}", "path": f"/story?{n}"} for n in "12"]
    desk.batch(timedelta(0))
    publisher.items[1]["path"] = "/known-by-its-title"
    publisher.items.append({"guid": "3", "title": "Siemens", "path": "/new"})
    for address, told_of in {"/feed": (0, {}), "/feed?all": (2, {"t": 2})}.items():
        again = feeds(tmp_path, "check", "--local", "--json", f"{publisher.base}{address}", "--lake", str(desk.settings.lake))
        assert (json.loads(again.stdout)["known"], json.loads(again.stdout)["known_from"]) == told_of
    none = feeds(tmp_path, "check", "--local", f"{publisher.base}/story")
    assert none.returncode == 1
    assert f"no feed at {publisher.base}/story: not_a_feed" in none.stdout and "newsmill feeds discover" in none.stdout
    refused = feeds(tmp_path, "check", "--json", f"{publisher.base}/feed")
    assert refused.returncode == 1 and json.loads(refused.stdout)["verdict"] == "no feed"


def test_offered_feeds_by_id_and_group(tmp_path: Path) -> None:
    taken = feeds(tmp_path, "add", "--no-check", "ecb-press", "--group", "statistics", "--json")
    shown = [
        json.loads(line) for line in feeds(tmp_path, "list", "--offered", "--group", "statistics", "--json").stdout.splitlines()
    ]
    assert {row["outcome"] for row in shown} == {"unverified"}
    assert ids(tmp_path) == ["ecb-press", *(row["feed_id"] for row in shown)]
    assert {json.loads(line)["how"] for line in taken.stdout.splitlines()} == {"added"}
    assert feeds(tmp_path, "remove", "ecb-press").stdout.startswith("removed: ecb-press (https://www.ecb.europa.eu")
    assert "ecb-press" not in ids(tmp_path)


def test_own_feeds_are_listed_with_their_last_visits(tmp_path: Path, publisher: Publisher) -> None:
    desk = Desk(tmp_path / "run", publisher)
    desk.batch(timedelta(0))
    shown = newsmill(
        "feeds", "list", "--json", NEWSMILL_RUN=str(tmp_path / "run"), NEWSMILL_CATALOGUE=str(tmp_path / "run/feeds.toml")
    )
    row = json.loads(shown.stdout)
    assert (row["feed_id"], row["outcome"], row["entries"]) == ("t", "parsed", 1)
    assert row["visited_at"] < row["next_due_at"]
    table = newsmill("feeds", "list", NEWSMILL_RUN=str(tmp_path / "run"), NEWSMILL_CATALOGUE=str(tmp_path / "run/feeds.toml"))
    assert [table.stdout.splitlines()[1].split()[i] for i in (0, 1, 2)] == ["t", "parsed", "1"]


def test_the_sample_wires_own_catalogue_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "wire-address").write_text("127.0.0.1:1")
    refused = feeds(tmp_path, "add", "--no-check", "ecb-press")
    assert refused.returncode == 2 and "is the sample wire's own and made anew at each start" in refused.stderr


def test_opml_there_and_back(tmp_path: Path) -> None:
    outlines = "".join(
        f'<outline type="rss" text="{t}" xmlUrl="{u}"/>'
        for t, u in [
            ("A", "https://a.example/rss"), ("A again", "https://A.example/rss/"), ("Mine", "http://192.168.0.2/rss"),
            ("Host", "http://localhost:8000/rss"), ("F", "feed://f.example/x"), ("B", "https://b.example/rss"),
            ("C:x:", "javascript:x"),
        ]
    )  # fmt: skip
    opml = f'<opml version="2.0"><body><outline text="News &amp; more">{outlines}</outline></body></opml>'
    done = feeds(tmp_path, "import", "-", stdin=opml)
    assert done.returncode == 0 and "2 feeds added, 5 skipped" in done.stdout
    refused = (
        "A again, https://A.example/rss/: same address as a-example-rss",
        "192.168.0.2: private network; a feed of your own",
        "Host, http://localhost:8000/rss: loopback",
        "F, feed://f.example/x: scheme 'feed' is not http or https\n",
        "C:x:, javascript:x: scheme",
    )
    for said in refused:
        assert said in done.stdout
    assert not any(feed.local for feed in load_catalogue(tmp_path / "feeds.toml"))
    assert feeds(tmp_path, "export", str(tmp_path / "x.opml")).returncode == 0
    back = tmp_path / "back"
    back.mkdir()
    feeds(back, "import", str(tmp_path / "x.opml"))
    assert load_catalogue(back / "feeds.toml") == load_catalogue(tmp_path / "feeds.toml")
    nowhere = tmp_path / "nowhere"
    for path, why in [
        ("feeds.toml", "is there already"),
        ("nowhere/x.opml", f"no directory {nowhere}"),
        ("back", "is a directory"),
    ]:
        refused_to = feeds(tmp_path, "export", str(tmp_path / path))
        assert refused_to.returncode == 2 and why in refused_to.stderr
    assert not nowhere.exists()


MISTAKES = [
    (["add"], 2, "say what: an address, an id or --group"),
    (["add", "ecb-pres"], 2, "did you mean ecb-press"),
    (["add", "central-banks"], 2, "central-banks is a group; to take all of it: newsmill feeds add --group central-banks"),
    (["add", "--group", "central-bank"], 2, "no group 'central-bank'; did you mean central-banks?"),
    (["add", "ftp://a.example/x"], 2, "ftp://a.example/x: no address that can be visited"),
    (["add", "http://[::1"], 2, "no address that can be visited"),
    (["add", "http://a.example:99999/"], 2, "no address that can be visited"),
    (["add", "http://u:p@a.example/"], 1, "user name or password in the address"),
    (["list"], 2, "feeds.toml yet; to make it: newsmill feeds add"),
    (["list", "--offered", "--group", "x"], 2, "no group 'x'; newsmill feeds list --offered shows what there is"),
    (["remove", "x"], 2, "has no feed 'x'; newsmill feeds list shows what it has"),
    (["check", "nothing"], 2, "'nothing' is no address and no feed"),
    (["discover", "nothing"], 2, "'nothing' is no address"),
    (["import", "nowhere.opml"], 2, "nowhere.opml: cannot be read (No such file or directory)"),
    (["import", "/dev/null"], 2, "/dev/null is no OPML: it is no XML"),
    (["export"], 2, "feeds.toml yet"),
]


@pytest.mark.parametrize(("words", "code", "message"), MISTAKES, ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_a_mistake_is_told_with_its_remedy(words: list[str], code: int, message: str, tmp_path: Path) -> None:
    done = feeds(tmp_path, *words)
    assert (done.returncode, message in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert not (tmp_path / "feeds.toml").exists()


def test_a_catalogue_that_is_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "feeds.toml").write_text("[[feed]]\nurll = 1\n")
    for words in (["add", "--no-check", "ecb-press"], ["list"], ["remove", "x"], ["export"], ["check", "ecb-press"]):
        done = feeds(tmp_path, *words)
        assert done.returncode == 1 and "feed 1: unknown key urll; did you mean url?" in done.stderr
