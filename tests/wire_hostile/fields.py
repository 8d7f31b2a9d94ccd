"""Entries whose dates, links and titles are out of shape. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.wire_hostile.case import Case, feed_answer, maker, rss

_READ = VisitCode.PARSED


def fields() -> Iterator[Case]:
    yield from _dates()
    yield from _links()
    yield from _titles()


DATES = {
    "Mo, 23 Nov 2026 09:00:00 +0100": "2026-11-23T08:00:00",
    "Mon, 23 Nov 2026 09:00:00 CET": "2026-11-23T08:00:00",
    "Mon, 23 Nov 2026 09:00:00 MEZ": "2026-11-23T08:00:00",
    "Mon, 6 Jul 2026 09:00:00 MESZ": "2026-07-06T07:00:00",
    "Mon, 6 Jul 2026 09:00:00 CEST": "2026-07-06T07:00:00",
    "14 Mär 2024 10:00 +0000": "2024-03-14T10:00:00",
    "Do, 14. März 2024 10:00 MEZ": "2024-03-14T09:00:00",
    "Mi, 02 Okt 2024 10:00:00 GMT": "2024-10-02T10:00:00",
    "Di, 03 Dez 2024 10:00:00 GMT": "2024-12-03T10:00:00",
    "Mi, 01 Mai 2024 10:00:00 GMT": "2024-05-01T10:00:00",
    "1710407700": "2024-03-14T09:15:00",
    "Thu, 14 Mar 2024 24:00:00 GMT": "2024-03-15T00:00:00",
    "0000-00-00": None,
    "0000-00-00 00:00:00": None,
    "Mon, 01 Jan 0001 00:00:00 GMT": None,
    "9999-12-31T23:59:59Z": None,
    "Thu, 14 Mar 2124 10:00:00 GMT": None,
    "yesterday": None,
    "-1": None,
    "99999999999999999999": None,
    "Thu, 14 Mar 2024 25:61:61 GMT": None,
    "2024-02-30T10:00:00Z": None,
    "Thu, 14 Mar 2024 10:00:00 +9999": "2024-03-14T10:00:00",
    "2024-03-14T10:00:00Z": "2024-03-14T10:00:00",
}


def _dates() -> Iterator[Case]:
    items = [f"<guid>{n}</guid><title>{said}</title><pubDate>{said}</pubDate>" for n, said in enumerate(DATES)]
    yield maker(Kind.FEED, "date")(
        "all",
        "dates of every kind",
        feed_answer(rss(*items)),
        _READ,
        entries=tuple((said, None, at) for said, at in DATES.items()),
    )


LINKS = {
    "javascript:alert(1)": None,
    "data:text/html,x": None,
    "file:///etc/passwd": None,
    "mailto:a@b.example": None,
    "ftp://x.example/": None,
    "http://[::1": None,
    "http://x.example:99999/": None,
    "http://": "http://HOST/link/all",
    "//": "http://HOST/link/all",
    "vbscript:x": None,
    " java\tscript:alert(1)": "http://HOST/link/java%20script:alert(1)",
    "http:///etc/passwd": "http://etc/passwd",
    "/relative": "http://HOST/relative",
    "?q=1": "http://HOST/link/all?q=1",
    "http://user:secret@x.example/login": "http://x.example/login",
    "": None,
    "feed:http://x.example/x": None,
    "http://x.example/a b": "http://x.example/a%20b",
    "http://x.example\\@127.0.0.1/": "http://127.0.0.1/",
    "#top": "http://HOST/link/all#top",
}


def _links() -> Iterator[Case]:
    items = [f"<guid isPermaLink='false'>{n}</guid><title>L{n}</title><link>{link}</link>" for n, link in enumerate(LINKS)]
    yield maker(Kind.FEED, "link")(
        "all",
        "links of every kind",
        feed_answer(rss(*items)),
        _READ,
        entries=tuple((f"L{n}", url, None) for n, url in enumerate(LINKS.values())),
    )


TITLES = {
    "&lt;script&gt;alert(1)&lt;/script&gt;Dax": "Dax",
    "&lt;b&gt;Dax&lt;/b&gt; &amp;amp; Co": "Dax & Co",
    "<![CDATA[<img src=x onerror=alert(1)>Dax]]>": "Dax",
    "Dax\u202e\u200b\u00ad\u2066": "Dax",
    "EPS &lt; 2 und KGV &gt; 3": "EPS < 2 und KGV > 3",
    "&amp;lt;b&amp;gt;Dax": "Dax",
    "a\n\n\t b": "a b",
    "": "",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 Dax": "\U0001f468\u200d\U0001f469\u200d\U0001f467 Dax",
    "A\u0308rger": "Ärger",
    "&lt;style&gt;x{}&lt;/style&gt;&lt;!-- y --&gt;Dax": "Dax",
    "=cmd|'/C calc'!A0": "=cmd|'/C calc'!A0",
}


def _titles() -> Iterator[Case]:
    items = [f"<guid>{n}</guid><title>{title}</title>" for n, title in enumerate(TITLES)]
    yield maker(Kind.FEED, "title")(
        "all",
        "markup and marks in titles",
        feed_answer(rss(*items)),
        _READ,
        entries=tuple((title, None, None) for title in TITLES.values()),
    )
