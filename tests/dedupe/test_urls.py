"""The keys of addresses: what is one page, and what must stay two."""

import random
import re
import time

import pytest

from pipeline.dedupe import url_key

SAME = {
    "https://example.com/markt/zinsen": [
        "http://example.com/markt/zinsen",
        "HTTPS://WWW.Example.COM:443/markt/zinsen/",
        "http://example.com:80/markt/zinsen#kommentare",
        "https://user:secret@example.com./markt/zinsen?",
        " https://example.com/markt/%7a%69nsen\n",
        "https://example.com/markt/zinsen;jsessionid=59D41C.1_cid290?utm_source=rss&UTM_Medium=feed",
        "https://example.com/markt/zinsen?gclid=1&fbclid=2&dclid=3&msclkid=4&mc_cid=5&mc_eid=6&cmpid=7&spm=a.b",
        "https://example.com/markt/zinsen?wt_mc=x&wt_zmc=y&guccounter=1&guce_referrer=z&guce_referrer_sig=q&ref=rss",
    ],
    "https://example.com/a?b=2&id=5": ["https://example.com/a?id=5&b=2", "https://example.com/a/?b=2&amp;id=5&utm_id=9&"],
    "https://example.com/a?id=1&id=2": ["https://example.com/a?id=1&amp;id=2"],
    "https://example.com/m%C3%A4rkte?q=%C3%9Cber%2Fund": ["https://example.com/märkte?q=%c3%9cber%2fund"],
    "https://example.com/100%25-dividende": ["https://example.com/100%-dividende"],
    "https://example.com/2026/dax-faellt-weiter": [
        "https://amp.example.com/2026/dax-faellt-weiter",
        "https://example.com/2026/dax-faellt-weiter/amp/",
        "https://www.example.com/2026/dax-faellt-weiter?amp=1",
        "https://example.com/2026/dax-faellt-weiter?amp",
    ],
    "https://example.com/dax-1.html": ["https://example.com/dax-1.amp.html", "https://example.com/dax-1.html/amp"],
    "https://xn--brse-5qa.example/": ["http://www.börse.example", "https://BÖRSE.example/#top"],
    "https://xn--strae-oqa.example/": ["https://straße.example"],
    "https://tagblatt.localhost:8799/n/1": ["http://www.tagblatt.localhost:8799/n/1/"],
    "https://[::1]:8080/x": ["http://[::1]:8080/x"],
}
DIFFERENT = [
    ("https://example.com/a?id=5", "https://example.com/a?id=6"),
    ("https://example.com/a?page=2", "https://example.com/a"),
    ("https://example.com/a?id=1&id=2", "https://example.com/a?id=2&id=1"),
    ("https://example.com/a?ref=17", "https://example.com/a"),
    ("https://example.com/a?source=xetra", "https://example.com/a"),
    ("https://example.com/a?amp=2", "https://example.com/a"),
    ("https://example.com/a?utmost=1", "https://example.com/a"),
    ("https://example.com/a%2Fb", "https://example.com/a/b"),
    ("https://example.com/A", "https://example.com/a"),
    ("https://example.com/a?q=B", "https://example.com/a?q=b"),
    ("https://example.com/a", "https://example.org/a"),
    ("https://one.example.com/a", "https://two.example.com/a"),
    ("https://example.com:8080/a", "https://example.com/a"),
    ("https://m.example.com/a", "https://example.com/a"),
    ("https://example.com/stocks/amp", "https://example.com/stocks"),
    ("https://example.com/2026/amp", "https://example.com/2026"),
    ("https://amp.com.au/news", "https://com.au/news"),
    ("https://www.de/news", "https://de/news"),
    ("https://straße.example", "https://strasse.example"),
]
GARBAGE = [
    "",
    "   ",
    "x",
    "example.com/a",
    "//example.com/a",
    "mailto:a@example.com",
    "ftp://example.com/a",
    "javascript:void(0)",
]
GARBAGE += [
    "https://",
    "https:///a",
    "http://exa mple.com/",
    "http://[::1/a",
    "http://example.com:99999/",
    "http://a%00b/",
    "http://\ud800/",
]


@pytest.mark.parametrize(("key", "urls"), SAME.items())
def test_addresses_of_one_page_share_a_key(key: str, urls: list[str]) -> None:
    assert [url_key(url) for url in [key, *urls]] == [key] * (len(urls) + 1)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_addresses_of_two_pages_never_merge(one: str, other: str) -> None:
    assert url_key(one) != url_key(other)


def test_what_is_no_web_address_has_no_key() -> None:
    assert {url: url_key(url) for url in GARBAGE} == dict.fromkeys(GARBAGE, "")


def test_a_key_is_its_own_key_whatever_came_in() -> None:
    pieces = re.split(" ", "amp amp; & ? / // ;jsessionid= % %41 %2e = utm_a www. .html .amp a-b-c 12345 # ü + b=2 :443 @ %25 .")
    pieces += [" ", "\t", "\ud800"]
    pick = random.Random(7)
    urls = [
        "https://www.amp.example.com" + pick.choice(["", "/"]) + "".join(pick.choices(pieces, k=pick.randint(1, 9)))
        for _ in range(4000)
    ]
    keys = [url_key(url) for url in urls]
    assert [url_key(key) for key in keys] == keys
    assert sum(map(bool, keys)) > 2000


@pytest.mark.parametrize(
    "tail", ["-" * 90_000 + "/amp", "1-" * 45_000 + "/x/amp", ".amp" * 22_000, "?" + "&amp;" * 18_000, ";jsessionid=" * 7_000]
)
def test_a_hostile_address_takes_no_longer_than_its_length(tail: str) -> None:
    started = time.perf_counter()
    url_key("https://example.com/" + tail)
    assert time.perf_counter() - started < 1
