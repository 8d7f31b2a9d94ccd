"""OPML: read as readers write it, written so that it comes back."""

import pytest

from pipeline.errors import InputError
from pipeline.feeds.opml import Outline, left_out, read_opml, write_opml
from schemas.feed import Feed

FEEDS = (
    Feed(feed_id="a", url="https://a.example/rss?x=1&y=2", source="a.example", title="Ä <b>", group="Nachrichten", language="de"),
    Feed(feed_id="b", url="https://b.example/rss", source="B", every_minutes=5, enabled=False),
    Feed(feed_id="c", url="https://c.example/rss", source="C", title="c", group="Nachrichten", local=True),
)


def test_what_is_written_comes_back_and_the_rest_is_named() -> None:
    back, passed = read_opml(write_opml(FEEDS), "x")
    assert (sorted(back, key=lambda o: o.url), passed) == (
        [
            Outline("https://a.example/rss?x=1&y=2", "Ä <b>", "Nachrichten", "de"),
            Outline("https://b.example/rss", "B", None, None),
            Outline("https://c.example/rss", "c", "Nachrichten", None),
        ],
        [],
    )
    assert left_out(FEEDS) == ["source: c", "every_minutes: b", "enabled = false: b", "local = true: c"]


def test_folders_attributes_and_mistakes_as_readers_write_them() -> None:
    text = """<?xml version="1.0" encoding="utf-8"?><!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>
    <OPML version="1.0"><body><outline text="Outer"><outline title="Inner"><outline TITLE="T" XMLURL=" https://a.example/f "/>
    </outline><outline type="link" text="L" url="https://l.example"/><outline text="Site" htmlUrl="https://h.example"/></outline>
    <outline text="&x;" xmlUrl="https://b.example/f" language="en-US"/><outline text="broken" xmlUrl="https://c.example/f">"""
    found, passed = read_opml(text.encode(), "x")
    assert found == [
        Outline("https://a.example/f", "T", "Outer / Inner", None),
        Outline("https://b.example/f", None, None, "en"),
        Outline("https://c.example/f", "broken", None, None),
    ]
    assert passed == [f"{name}: a link to a page or another list, not to a feed" for name in ("L", "Site")]


def test_depth_without_end_is_read_without_recursion() -> None:
    deep = b"<opml><body>" + b'<outline text="o">' * 200 + b'<outline xmlUrl="https://a.example/f"/>' + b"</outline>" * 200
    found, _ = read_opml(deep + b"</body></opml>", "x")
    assert found == [Outline("https://a.example/f", None, " / ".join("o" * 8), None)]


LAUGHS = "".join(f'<!ENTITY {one} "{f"&{of};" * 10}">' for of, one in zip("abcdefgh", "bcdefghi", strict=True))
BOMB = f"""<!DOCTYPE opml [<!ENTITY a "ha">{LAUGHS}]>
<opml><body><outline xmlUrl="https://a.example/f"/><outline text="&i;" xmlUrl="https://b.example/f"/></body></opml>"""
ROOT = f'<!DOCTYPE opml [<!ENTITY a "ha">{LAUGHS}]><opml x="&i;"><body/></opml>'
LOOP = """<!DOCTYPE opml [<!ENTITY a "&b;"><!ENTITY b "&a;">]>
<opml><body><outline text="&a;" xmlUrl="https://a.example/f"/></body></opml>"""


@pytest.mark.parametrize(
    ("text", "what"), [(BOMB, "Maximum entity"), (ROOT, "Maximum entity"), (LOOP, "Detected an entity reference loop")]
)
def test_a_bomb_of_entities_is_refused_whole(text: str, what: str) -> None:
    with pytest.raises(InputError, match=rf"x passes a limit of XML \({what}.*\), so none of it was taken; export"):
        read_opml(text.encode(), "x")


def test_opml_without_feeds_says_so() -> None:
    for empty in (b"<opml/>", b'<opml><body><outline text="News"/></body></opml>'):
        with pytest.raises(InputError, match=r"x is OPML without a feed \(an outline with xmlUrl\); export your"):
            read_opml(empty, "x")


@pytest.mark.parametrize(("data", "what"), [(b"", "no XML"), (b"[1]", "no XML"), (b"<rss/>", "XML whose root is <rss>")])
def test_what_is_no_opml_is_named(data: bytes, what: str) -> None:
    with pytest.raises(InputError, match=f"x is no OPML: it is {what}; export your subscriptions"):
        read_opml(data, "x")
