"""Which feeds a page names, and where else one looks."""

import pytest

from pipeline.feeds.discover import Found, announced, usual_places

URL = "https://www.a.example/news/today.html"


def found(head: str, body: str = "", url: str = URL) -> list[str]:
    return [f.url for f in announced(f"<html><head>{head}</head><body>{body}</body></html>".encode(), url)]


def test_links_in_the_head_count_by_type_and_are_resolved() -> None:
    head = """<link rel="alternate" type="application/rss+xml" title=" All  news " href="/rss.xml#x">
      <LINK REL='Alternate Stylesheet' TYPE='application/atom+xml; charset=utf-8' HREF='atom'>
      <link rel="alternate" type="application/json" href="/wp-json/x"><link rel="alternate" hreflang="de" href="/de">
      <link rel="stylesheet" type="text/xml" href="/s"><link rel="alternate" type="application/rss+xml" href="/rss.xml">
      <link rel="alternate" type="application/rss+xml" href="javascript:x"><link rel="alternate" type="text/xml" href="">"""
    page = f"<html><head>{head}</head><body><a href='/feed'>RSS</a></body></html>".encode()
    assert announced(page, URL) == (
        Found("https://www.a.example/rss.xml", "All news", True),
        Found("https://www.a.example/news/atom", None, True),
    )


def test_feeds_of_comments_come_in_only_where_there_is_nothing_else() -> None:
    comments = '<link rel="alternate" type="application/rss+xml" href="/comments/feed/">'
    assert found(comments + '<link rel="alternate" type="application/rss+xml" href="/feed/">') == ["https://www.a.example/feed/"]
    assert found(comments) == ["https://www.a.example/comments/feed/"]


@pytest.mark.parametrize(
    ("href", "taken"),
    [("/feed/", True), ("feed.xml", True), ("/x/rss", True), ("/news.rss", True), ("/all.rdf", True), ("/de_rss.xml", True),
     ("/feedback", False), ("/carss", False), ("/harass/", False), ("https://b.example/feed", False), ("#rss", False)],
)  # fmt: skip
def test_links_in_the_text_that_look_like_feeds(href: str, taken: bool) -> None:
    assert bool(found("", f'<a href="{href}">x</a>')) == taken


def test_a_base_moves_what_is_relative() -> None:
    head = '<base href="https://b.example/sub/"><link rel="alternate" type="application/rss+xml" href="rss">'
    assert found(head) == ["https://b.example/sub/rss"]


def test_a_base_that_is_no_address_moves_nothing() -> None:
    head = '<base href="http://[x"><link rel="alternate" type="application/rss+xml" href="/rss">'
    assert found(head) == ["https://www.a.example/rss"]


@pytest.mark.parametrize(
    "page", [b"", b"\x00\xff\xfe", b"<", b"<?xml version='1.0' encoding='utf-8'?><html/>", b"charset=nonsense <p>"]
)
def test_pages_that_are_none_name_nothing(page: bytes) -> None:
    assert announced(page, URL) == ()


def test_usual_places_are_at_the_root_and_beside_the_page() -> None:
    places = usual_places(URL)
    assert {"https://www.a.example/feed/", "https://www.a.example/news/feed/"} < set(places)
    assert len(usual_places("https://a.example")) == len(places) // 2
