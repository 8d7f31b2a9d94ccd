"""The filters as a program meets them: a line in, an answer out, before the next line is read."""

import gzip
import json
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from pipeline import filters
from pipeline.filters import dedupe_lines, parse_lines, read_lines, tag_lines
from pipeline.filters.files import BYTE_CAP

FEED = """<rss version="2.0"><channel><title>Kurszettel</title><language>de</language>
<item><title>Eins</title><link>/1</link><description>&lt;p&gt;Text&lt;/p&gt;</description><pubDate>07.03.2024</pubDate></item>
<item><title>Zwei</title><guid>g2</guid><pubDate>Do, 07 Mär 2024 10:00:00 MEZ</pubDate></item></channel></rss>"""

PARAGRAPH = (
    "Der Vorstand der Muster AG rechnet im laufenden Jahr mit einem Umsatz von drei Milliarden Euro und mehr Gewinn als zuvor."
)
PAGE = f"""<html lang="de"><head><title>Muster AG wächst</title>
<meta property="article:published_time" content="2024-03-07T10:15:00+01:00"></head>
<body><article><h1>Muster AG wächst</h1><p>{PARAGRAPH}</p>
<p>{PARAGRAPH.replace("Vorstand", "Aufsichtsrat")}</p></article></body></html>"""


def answers(filter_: Callable[..., Iterator[bytes]], *lines: Any, **more: Any) -> list[dict[str, Any]]:
    given = [line if isinstance(line, str | bytes) else json.dumps(line) for line in lines]
    printed = list(filter_(given, **more))
    assert all(b"\n" not in line for line in printed)
    return [json.loads(line) for line in printed]


def received() -> datetime:
    return datetime(2024, 3, 8, tzinfo=UTC)


def item(id_: Any, text: str, seen_at: str = "2024-03-07T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"id": id_, "seen_at": seen_at, "source": "s", "language": "de", "title": "Titel", "text": text, **more}


def test_parse_answers_for_a_news_sitemap_as_for_a_feed(tmp_path: Path) -> None:
    news, index = Path(__file__).parent / "parse/golden/hafen_de.xml", tmp_path / "index.xml"
    index.write_text('<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"/>')
    rows = [{"path": str(path), "url": "https://hafen.example/sitemap.xml"} for path in (news, index)]
    feed, refused = answers(parse_lines, *rows, now=received)
    assert (feed["feed"]["version"], feed["feed"]["language"]) == ("news-sitemap-0.9", "de")
    assert [(e["published_at"], e["keywords"]) for e in feed["entries"]] == [
        ("2024-03-07T08:15:00Z", ["Schifffahrt", "Muster-Reederei", "Häfen"]),
        ("2024-03-06", []),
    ]
    assert refused["error"] == "not_a_feed: an index of sitemaps (0); name the news sitemap among them instead"


def test_parse_answers_with_the_feed_and_its_entries(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(FEED)
    (answer,) = answers(parse_lines, {"path": str(path), "url": "https://x.example/rss"}, now=received)
    assert answer == {
        "path": str(path),
        "feed": {"title": "Kurszettel", "language": "de", "url": None, "version": "rss20", "ttl_minutes": None,
                 "dropped": 0, "problem": None},
        "entries": [
            {"id": "https://x.example/1", "key_basis": "link", "url": "https://x.example/1", "title": "Eins", "summary": "Text",
             "authors": [], "keywords": [], "published_at": "2024-03-07", "published_raw": "07.03.2024", "date_quality": "day",
             "updated_at": None},
            {"id": "g2", "key_basis": "guid", "url": None, "title": "Zwei", "summary": None, "authors": [], "keywords": [],
             "published_at": "2024-03-07T09:00:00Z", "published_raw": "Do, 07 Mär 2024 10:00:00 MEZ", "date_quality": "exact",
             "updated_at": None},
        ],
    }  # fmt: skip


def test_packed_files_are_unpacked_up_to_a_cap(tmp_path: Path) -> None:
    (tmp_path / "feed.xml.gz").write_bytes(gzip.compress(FEED.encode()))
    (tmp_path / "bomb.xml.gz").write_bytes(gzip.compress(b"<rss>" + bytes(BYTE_CAP)))
    (tmp_path / "torn.xml.gz").write_bytes(gzip.compress(FEED.encode())[:-20])
    (tmp_path / "plain.xml.gz").write_bytes(FEED.encode())
    lines = [
        {"path": str(tmp_path / f"{name}.xml.gz"), "url": "https://x.example/"} for name in ("feed", "bomb", "torn", "plain")
    ]
    good, *bad = answers(parse_lines, *lines, now=received)
    assert len(good["entries"]) == 2
    assert [answer["path"] for answer in bad] == [line["path"] for line in lines[1:]]
    assert "more than 30000000 bytes once unpacked" in bad[0]["error"]
    assert all(answer["error"].startswith("cannot read ") for answer in bad)


RUBBISH = [b"\xff\xfe", "", "null", "[1]", '"x"', "{", "NaN", "[" * 5000, b'{"path": "\x00"}']


@pytest.mark.parametrize("filter_", [parse_lines, read_lines, dedupe_lines])
def test_rubbish_is_answered_line_by_line(filter_: Callable[..., Iterator[bytes]]) -> None:
    got = answers(filter_, *RUBBISH)
    assert len(got) == len(RUBBISH)
    assert all(list(answer) == ["error"] and answer["error"] for answer in got)


@pytest.mark.parametrize("filter_", [parse_lines, read_lines])
def test_an_error_stands_beside_what_it_is_about(filter_: Callable[..., Iterator[bytes]], tmp_path: Path) -> None:
    page = tmp_path / "nothing.html"
    page.write_bytes(b"")
    got = answers(
        filter_,
        {"path": str(tmp_path / "absent"), "url": ""},
        {"path": str(tmp_path), "url": ""},
        {"path": "x\0y", "url": ""},
        {"path": "", "url": ""},
        {"path": "x", "id": 7},
        {"path": 3, "url": ""},
        {"url": ""},
        {"path": str(page), "url": ""},
    )
    assert [{**answer, "error": bool(answer["error"])} for answer in got[:7]] == [
        {"path": str(tmp_path / "absent"), "error": True},
        {"path": str(tmp_path), "error": True},
        {"path": "x\0y", "error": True},
        {"path": "", "error": True},
        {"path": "x", "id": 7, "error": True},
        {"path": 3, "error": True},
        {"error": True},
    ]
    assert got[4]["error"] == "'url' is missing"
    assert got[7]["error"].startswith(got[7]["code"])


def test_read_answers_with_the_article(tmp_path: Path) -> None:
    for name, body in (("a.html", PAGE.encode()), ("b.html.gz", gzip.compress(PAGE.encode()))):
        path = tmp_path / name
        path.write_bytes(body)
        (answer,) = answers(read_lines, {"path": str(path), "url": "https://x.example/a"})
        assert {"path", "url", "title", "text", "blocks", "promo", "published_at", "published_precision", "published_basis",
                "authors", "language", "canonical_url", "access", "genre"} <= set(answer)  # fmt: skip
        assert (answer["path"], answer["url"], answer["title"]) == (str(path), "https://x.example/a", "Muster AG wächst")
        assert answer["published_at"] == "2024-03-07T09:15:00Z"
        lines = [(block["kind"], answer["text"][block["start"] : block["end"]]) for block in answer["blocks"]]
        assert ("paragraph", PARAGRAPH) in lines


def test_read_takes_from_the_feed_what_the_page_does_not_say(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"\ufeff{PARAGRAPH}\n\n{PARAGRAPH}")
    feeds: list[Any] = [{"title": "Aus dem Feed", "published_at": "2024-03-07"}, {"published_at": "irgendwann"}, "x", None]
    got = answers(read_lines, *({"path": str(path), "url": "https://x.example/a", "feed": feed} for feed in feeds))
    assert [(row["title"], row["published_at"], row["published_basis"]) for row in got] == [
        ("Aus dem Feed", "2024-03-07", "feed"),
        ("", None, None),
        ("", None, None),
        ("", None, None),
    ]


def test_dedupe_decides_on_what_came_before() -> None:
    text = "Die Muster AG hat im vergangenen Quartal mehr verdient als erwartet. " * 3
    first = item("b", text, "2024-03-07T10:00:00Z")
    lines = [first, {"id": "broken"}, item("a", text, "2024-03-07T12:00:00+03:00"), item("c", "Etwas ganz anderes. " * 9)]
    keys = ["id", "duplicate_of", "update_of", "story_id", "containment"]
    got = answers(dedupe_lines, *lines)
    assert [answer["id"] for answer in got] == ["b", "broken", "a", "c"]
    assert [list(answer) for answer in got] == [keys, ["id", "error"], keys, keys]
    assert [answer.get("duplicate_of") for answer in got] == [None, None, "b", None]
    final = answers(dedupe_lines, *lines, final=True)
    assert [answer["id"] for answer in final] == ["b", "broken", "a", "c"]
    assert [answer.get("duplicate_of") for answer in final] == ["a", None, None, None]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"seen_at": "2024-03-07T10:00:00"}, "not a time of RFC 3339: '2024-03-07T10:00:00'"),
        ({"seen_at": "0001-01-01T00:00:00+14:00"}, "not a time of RFC 3339: '0001-01-01T00:00:00+14:00'"),
        ({"text": None}, "'text' is not a string"),
        ({"language": 3}, "'language' is not a string"),
        ({"id": True}, "'id' is not a string"),
    ],
)
def test_dedupe_names_what_it_cannot_use(change: dict[str, Any], error: str) -> None:
    (answer,) = answers(dedupe_lines, item("a", "x") | change)
    assert answer == {"id": change.get("id", "a"), "error": error}


def test_dedupe_takes_bare_dates_and_no_language() -> None:
    got = answers(dedupe_lines, item(7, "x", "2024-03-07", language=None))
    assert got[0]["id"] == 7
    assert "error" not in got[0]


def test_tag_answers_with_companies_and_the_targets_asked_for() -> None:
    text = "Die Aktie von Siemens stieg deutlich. Bei SAP brach der Gewinn ein."
    span = {"field": "text", "start": 14, "end": 21}
    outside = [{"field": "text", "start": a, "end": b} for a, b in ((1000, 2000), (7, 7), (-1, 0))]
    got = answers(
        tag_lines,
        {"id": "1", "title": "Siemens mit Gewinnsprung", "text": text, "language": "de", "targets": [span, span]},
        {"id": "2", "title": "x", "text": text, "targets": outside},
        {"id": "3", "title": "x", "text": text, "targets": [3]},
        {"id": "4", "title": "x"},
        {"id": "5", "title": "", "text": ""},
    )
    assert [answer["id"] for answer in got] == ["1", "2", "3", "4", "5"]
    assert [answer.get("error") for answer in got] == [
        None,
        None,
        "'targets' is not a list of {field, start, end}",
        "'text' is missing",
        None,
    ]
    assert len(got[0]["targets"]) == 2
    assert [target["sentiment"] for target in got[1]["targets"]] == [0, 0, 0]
    assert set(got[0]["targets"][0]) >= {"sentiment", "p_negative", "p_neutral", "p_positive"}
    fields = {"title": "Siemens mit Gewinnsprung", "text": text}
    assert {mention["surface"] for mention in got[0]["mentions"]} >= {"Siemens", "SAP"}
    assert all(fields[m["field"]][m["start"] : m["end"]] == m["surface"] for m in got[0]["mentions"])
    assert set(got[0]["companies"][0]) >= {"company_id", "name", "relevance", "in_headline", "sentiment", "evidence", "p_neutral"}


def test_lines_that_only_just_are_json_are_answered_under_their_id() -> None:
    deep = b'{"id":' + b"[" * 300 + b"]" * 300 + b"}"
    whole = b'"title": "", "text": "SAP \\ud83d steigt", "seen_at": "2024-03-07", "source": "s", "language": "de"}'
    lines = [deep, b'{"id": "a", "title": "\xff"}', b'{"id": "b", ' + whole, b'\xef\xbb\xbf{"id": "c", "x": NaN, ' + whole]
    for filter_ in (dedupe_lines, tag_lines):
        got = answers(filter_, *lines)
        assert [answer.get("id") for answer in got] == [None, "a", "b", "c"]
        assert ["error" in answer for answer in got] == [True, True, False, False]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.html")
    (answer,) = answers(read_lines, {"path": str(tmp_path / "pipe.html"), "url": "https://x.example/"})
    assert answer["error"] == f"cannot read {str(tmp_path / 'pipe.html')!r}: not a file"


@pytest.mark.parametrize("filter_", [parse_lines, dedupe_lines])
def test_each_answer_comes_before_the_next_line_is_read(filter_: Callable[..., Iterator[bytes]], tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(FEED)
    given: Queue[str | None] = Queue()
    printed: Queue[bytes] = Queue()

    def run() -> None:
        for answer in filter_(iter(given.get, None)):
            printed.put(answer)

    thread = threading.Thread(target=run)
    thread.start()
    for number in range(3):
        given.put(json.dumps({"path": str(path), "url": "https://x.example/"} | item(number, "Text")))
        assert b"error" not in printed.get(timeout=20)
    given.put(None)
    thread.join(20)
    assert not thread.is_alive()


def explode(*_: Any) -> dict[str, Any]:
    raise LookupError("unexpected")


def spin(*_: Any) -> dict[str, Any]:
    return {"turns": sum(0 for _ in count())}


@pytest.mark.parametrize(
    ("fn", "error"), [(explode, "internal: LookupError: unexpected"), (spin, "worker passed its limit of 0.3 s")]
)
def test_a_bug_or_a_limit_costs_one_line(fn: Callable[..., dict[str, Any]], error: str) -> None:
    with filters.Workers(count=1, seconds=0.3) as workers:
        rows = [
            *filters._rows(['{"id": 1}', '{"id": 2}'], lambda row: filters._isolated(workers, fn if row["id"] == 1 else dict))
        ]
    assert rows == [{"id": 1, "error": error}, {}]
