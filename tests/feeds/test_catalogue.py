"""The catalogue: read as written, and each mistake named with its place and its remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.feeds import load_catalogue
from schemas.feed import Feed

OURS = Path(__file__).parents[2] / "config" / "feeds.toml"
URL = 'url = "https://a.example/rss"\n'

MISTAKES = [
    (
        '[[feed]]\nurl = "https://a.example/rss\n',
        "FILE: not TOML: Illegal character '\\n' (at line 2, column 29); correct that line",
    ),
    ('[feed]\nurl = "https://a.example/rss"\n', "FILE: feed is not a list; begin each feed with [[feed]], in double brackets"),
    ("feed = [1]\n", "FILE: feed 1: not a table; begin each feed with [[feed]]"),
    ("[[feeds]]\n" + URL, "FILE: unknown key feeds; did you mean feed?"),
    ("[[feed]]\n" + URL + "[[feed]]\nsource = 'A'\n", "FILE: feed 2: url is missing; add url = "),
    ("[[feed]]\nurl = 'a.example/rss'\n", "FILE: feed 1: url is 'a.example/rss'; give an address that begins with https://"),
    ("[[feed]]\nurl = 'ftp://a.example/rss'\n", "FILE: feed 1: url is 'ftp://a.example/rss'; give an address"),
    ("[[feed]]\nurl = 'https://'\n", "FILE: feed 1: url is 'https://'; give an address"),
    ("[[feed]]\nurl = 7\n", "FILE: feed 1: url is 7; give an address"),
    ("[[feed]]\n" + URL + "every_minute = 5\n", "FILE: feed 1: unknown key every_minute; did you mean every_minutes?"),
    (
        "[[feed]]\n" + URL + "xyz = 5\n",
        "FILE: feed 1: unknown key xyz; known are credentials, documented, enabled, every_minutes, feed_id, group, language, ",
    ),
    ("[[feed]]\n" + URL + "every_minutes = 0\n", "FILE: feed 1: every_minutes is 0; give a whole number of minutes"),
    ("[[feed]]\n" + URL + "every_minutes = true\n", "FILE: feed 1: every_minutes is True; give a whole number of minutes"),
    ("[[feed]]\n" + URL + "language = 'en-US'\n", "FILE: feed 1: language is 'en-US'; use two letters"),
    ("[[feed]]\n" + URL + "enabled = 1\n", "FILE: feed 1: enabled is 1; use true or false"),
    ("[[feed]]\n" + URL + "source = ' '\n", "FILE: feed 1: source is ' '; give the publisher's name"),
    ("[[feed]]\n" + URL + "feed_id = 'A/B'\n", "FILE: feed 1: feed_id is 'A/B'; use lower-case letters"),
    (
        "[[feed]]\n" + URL + "[[feed]]\nurl = 'http://A.example/rss/'\nfeed_id = 'b'\n",
        "FILE: feed 2: same url as feed 1 (http://A.example/rss/)",
    ),
    (
        "[[feed]]\nurl = 'https://a.example/x-y'\n[[feed]]\nurl = 'https://a.example/x/y'\n",
        "FILE: feed 2: same feed_id as feed 1 (a-example-x-y)",
    ),
]


def _written(folder: Path, text: str) -> Path:
    path = folder / "feeds.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_feeds_are_read_in_order_and_an_address_is_enough(tmp_path: Path) -> None:
    path = _written(
        tmp_path,
        """
        [[feed]]
        url = "https://www.blatt.example/Wirtschaft/rss.xml?ressort=4"

        [[feed]]
        feed_id = "wire"
        url = " http://wire.localhost:8799/feed "
        source = "The Wire"
        language = "en"
        every_minutes = 1
        enabled = false
        """,
    )
    assert load_catalogue(path) == (
        Feed(
            feed_id="blatt-example-wirtschaft-rss-xml-ressort-4",
            url="https://www.blatt.example/Wirtschaft/rss.xml?ressort=4",
            source="blatt.example",
        ),
        Feed(
            feed_id="wire",
            url="http://wire.localhost:8799/feed",
            source="The Wire",
            language="en",
            every_minutes=1,
            enabled=False,
        ),
    )


def test_an_empty_catalogue_has_no_feeds(tmp_path: Path) -> None:
    assert load_catalogue(_written(tmp_path, "")) == ()


def test_derived_ids_stay_short_and_apart(tmp_path: Path) -> None:
    long = "https://a.example/" + "x" * 90
    urls = [long + "1", long + "2", "https://новости.example", "https://b.example/rss"]
    feeds = load_catalogue(_written(tmp_path, "".join(f"[[feed]]\nurl = '{url}'\n" for url in urls)))
    ids = [feed.feed_id for feed in feeds]
    assert len(set(ids)) == 4
    assert max(map(len, ids)) == 64
    assert ids[2:] == ["example", "b-example-rss"]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_is_named_with_place_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load_catalogue(path)
    assert str(raised.value).startswith(message.replace("FILE", str(path)))


def test_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"feed 1: url has a user name or password before @b\.example; leave it out") as raised:
        load_catalogue(_written(tmp_path, '[[feed]]\nurl = "https://me:secret@b.example/rss"'))
    assert "secret" not in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes("# für\n".encode("latin-1"))
    for name, problem in [("none.toml", "cannot be read (No such file or directory)"), ("latin.toml", "not UTF-8 text (byte 3)")]:
        with pytest.raises(ConfigError) as raised:
            load_catalogue(tmp_path / name)
        assert str(raised.value).startswith(f"{tmp_path / name}: {problem}; ")


def test_the_catalogue_that_comes_with_newsmill_is_usable() -> None:
    feeds = load_catalogue(OURS)
    assert len(feeds) >= 80
    assert not any(feed.enabled or feed.local for feed in feeds)
    assert all(address and address.startswith("https://") for feed in feeds for address in (feed.url, feed.documented))
    assert all(feed.group and feed.title and feed.source != feed.url for feed in feeds)
    german = sum(feed.language == "de" for feed in feeds)
    assert {feed.language for feed in feeds} == {"de", "en"} and 0.4 <= german / len(feeds) <= 0.6


def test_the_shipped_catalogue_comes_with_an_installed_newsmill(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=OURS.parents[1], check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    shutil.unpack_archive(wheel, tmp_path, "zip")
    told = "import pipeline.feeds as f; print(f.__file__, len(f.offered()))"
    installed = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", told], cwd=tmp_path, env=installed, check=True, capture_output=True, text=True)
    assert done.stdout == f"{tmp_path}/pipeline/feeds/__init__.py {len(load_catalogue(OURS))}\n"
