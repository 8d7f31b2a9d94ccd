"""Which sitemaps of a site may be its news."""

import pytest

from pipeline.feeds.sitemaps import MOST, MOST_NAMELESS, named_in, news_of, usual_sitemaps

AT = "https://www.a.example/robots.txt"


def index(*names: str) -> bytes:
    listed = "".join(f"<sitemap><loc> {name} </loc></sitemap>" for name in names)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</sitemapindex>'.encode()


def test_what_robots_txt_names_news_first() -> None:
    robots = b"""\xef\xbb\xbfUser-agent: *\nDisallow: /x\nSitemap: /sitemap.xml # all
      SITEMAP : https://cdn.example/Google-News.xml\r\nSitemap: ftp://a.example/s.xml\nSitemap: http://[x\n#Sitemap: /no.xml
      Sitemap: /sitemap.xml\nSitemap:\n"""
    assert named_in(robots, AT) == ("https://cdn.example/Google-News.xml", "https://www.a.example/sitemap.xml")
    assert len(named_in(b"".join(b"Sitemap: /%d.xml\n" % n for n in range(99)), AT)) == MOST


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (index("/posts.xml", "/aktuelles.xml", "/sitemap-NEWS.xml"), ["/aktuelles.xml", "/sitemap-NEWS.xml"]),
        (index(*(f"/{n}.xml" for n in range(9))), [f"/{n}.xml" for n in range(MOST_NAMELESS)]),
        (index(*(f"/news{n}.xml" for n in range(99))), [f"/news{n}.xml" for n in range(MOST)]),
        (index("javascript:news", ""), []),
        (b"<urlset><url><loc>https://a.example/news</loc></url></urlset>", []), (b"", []), (b"<html>news", []), (b"\x00<", []),
    ],
)  # fmt: skip
def test_the_news_of_an_index(document: bytes, found: list[str]) -> None:
    assert [url.removeprefix("https://www.a.example") for url in news_of(document, AT)] == found


def test_usual_places_are_at_the_root() -> None:
    assert "https://a.example/sitemap_news.xml" in usual_sitemaps("https://a.example/de/markt/")
