"""A catalogue's text is edited so that everything else in it stays as it was."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.feeds import load_catalogue, new_feed, offered, read_catalogue, switched_on, with_feeds, without
from pipeline.feeds.own import HEAD
from schemas.feed import Feed

PATH = Path("feeds.toml")
TEXT = """\
# mine

# the first, and why
[[feed]]
url = "https://a.example/rss"   # a note
enabled = false

# --- a heading of its own

# the second
[[ feed ]]
enabled = true
url = "https://b.example/rss"
title = 't'
[[feed]]
url = "https://c.example/rss"
# trailing
"""


def test_feeds_are_added_at_the_end_with_what_differs_from_the_defaults() -> None:
    full = Feed(
        feed_id="d", url="https://d.example/rss", source='D "quoted" \\ ü', language="de", every_minutes=5, enabled=False,
        title="line\tend\x7f", group="Zentralbanken & Aufsicht", documented="https://d.example", local=True,
    )  # fmt: skip
    added = [new_feed("https://e.example/rss", {"e-example-rss"}), full]
    text = with_feeds(TEXT, added, PATH)
    assert text.startswith(TEXT)
    assert text.endswith(
        '\n[[feed]]\nfeed_id = "e-example-rss-2"\nurl = "https://e.example/rss"\n\n[[feed]]\nfeed_id = "d"\n'
        'url = "https://d.example/rss"\ntitle = "line\\tend\\u007f"\nsource = "D \\"quoted\\" \\\\ ü"\nlanguage = "de"\n'
        'group = "Zentralbanken & Aufsicht"\nevery_minutes = 5\ndocumented = "https://d.example"\nlocal = true\nenabled = false\n'
    )
    assert read_catalogue(text, PATH)[3:] == tuple(added)


def test_an_empty_catalogue_begins_with_what_it_is() -> None:
    text = with_feeds("", [new_feed("https://e.example/rss", ())], PATH)
    assert text == HEAD + '\n[[feed]]\nfeed_id = "e-example-rss"\nurl = "https://e.example/rss"\n'


def test_every_offered_feed_survives_being_written() -> None:
    assert read_catalogue(with_feeds("", offered(), PATH), PATH) == offered()


def test_a_feed_goes_with_its_own_comments_and_no_others() -> None:
    assert without(TEXT, {"a-example-rss"}, PATH) == TEXT.replace(
        '# the first, and why\n[[feed]]\nurl = "https://a.example/rss"   # a note\nenabled = false\n\n', ""
    )
    assert without(TEXT, {"b-example-rss", "c-example-rss"}, PATH) == TEXT.partition("# the second")[0] + "# trailing\n"


def test_one_is_switched_on_alone() -> None:
    assert switched_on(TEXT, "a-example-rss", PATH) == TEXT.replace("enabled = false", "enabled = true")


def test_what_cannot_be_edited_safely_is_left_alone() -> None:
    text = 'feed = [{url = "https://a.example/rss", enabled = false}, {url = "https://b.example/rss"}]\n'
    with pytest.raises(ConfigError, match="its notation cannot be edited safely, nothing was changed; remove the feed by hand"):
        without(text, {"b-example-rss"}, PATH)
    with pytest.raises(ConfigError, match="nothing was changed; set enabled = true by hand"):
        switched_on(text, "a-example-rss", PATH)
    with pytest.raises(ConfigError, match="nothing was changed; add the feed by hand"):
        with_feeds(text, [new_feed("https://c.example/rss", ())], PATH)


def test_the_shipped_catalogue_can_be_edited_too(tmp_path: Path) -> None:
    path = tmp_path / "feeds.toml"
    path.write_text((Path(__file__).parents[2] / "config/feeds.toml").read_text())
    feeds = load_catalogue(path)
    for feed in feeds[::9]:
        path.write_text(without(path.read_text(), {feed.feed_id}, path))
        assert feed.feed_id not in {f.feed_id for f in load_catalogue(path)}
    assert len(load_catalogue(path)) == len(feeds) - len(feeds[::9])
