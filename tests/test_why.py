"""One article's way through the lake, told from real batches: what an id means, what is gathered, what a reader sees."""

import io
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pipeline.errors import InputError, NotFound
from pipeline.lake import connect
from pipeline.read import EXTRACTOR
from pipeline.run import settle, work_shard
from pipeline.why import find, present, trail
from pipeline.why.said import said
from tests.run.publisher import MORE, Desk, page_of, publishing
from tests.test_command_line import newsmill

RISES = "SAP said that profit rose by 4 percent, the company reported in Walldorf [/red]."
FALLS = "SAP said that profit fell by 4 percent, the company reported in Walldorf."
LONG = f"After {'a year of talks and ' * 14}doubts, SAP warned that revenue will fall."
MINUTES = timedelta(minutes=6)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Five batches: a page that is 503 first, then read; a copy of it and another link to it; its correction; one that fails."""
    with publishing() as publisher:
        desk = Desk(tmp_path_factory.mktemp("why"), publisher)

        def feed(*items: tuple[str, str, str]) -> None:
            publisher.items = [dict(zip(("guid", "title", "path"), item, strict=True)) for item in items]
            desk.batch(MINUTES)

        publisher.pages = {
            "/a": page_of("SAP profit rises", RISES),
            "/b": page_of("SAP earnings rise [bold]", RISES),
            "/old": "/a",
        }
        publisher.page_status = 503
        feed(("1", "SAP profit rises", "/a"))
        publisher.page_status = 200
        feed(("1", "SAP profit rises", "/a"))
        feed(("1", "SAP profit rises", "/a"), ("2", "SAP earnings rise", "/b"), ("3", "SAP profit rises", "/old"))
        publisher.pages["/a"] = page_of("Correction: SAP profit falls", FALLS, LONG)
        feed(
            ("1", "Correction: SAP profit falls", "/a"), ("4", "Dead [/end]", "/dead"), ("5", "Dead too", "/dead?utm_source=rss")
        )
        publisher.page_status = 500
        feed(("6", "Late", "/b?page=2"))
    return desk


@pytest.fixture(scope="module")
def con(desk: Desk) -> Any:
    return connect(desk.settings.lake)


def one(con: Any, query: str) -> Any:
    ((value,),) = con.sql(query).fetchall()
    return value


def printed(con: Any, asked: str, **console: Any) -> str:
    out = io.StringIO()
    present(trail(con, find(con, asked)), Console(file=out, width=100, highlight=False, **console))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


@pytest.fixture(scope="module")
def corrected(con: Any) -> str:
    return one(con, "SELECT article_id FROM articles WHERE title LIKE 'Correction%'")


@pytest.fixture(scope="module")
def copy(con: Any) -> str:
    return one(con, "SELECT article_id FROM articles WHERE title LIKE 'SAP earnings%'")


def test_every_attempt_at_every_entry_is_told_in_order(con: Any, corrected: str) -> None:
    way = trail(con, find(con, corrected))
    told = {
        e["key"]: [
            (
                r["title"],
                r["visit"]["outcome"],
                [(a["code"], a["due_at"] and a["due_at"] - a["ended_at"], pages(a)) for a in r["attempts"]],
            )
            for r in e["revisions"]
        ]
        for e in way["entries"]
    }
    assert told == {
        "1": [
            (
                "SAP profit rises",
                "parsed",
                [("http_error", timedelta(minutes=5), [(503, False)]), ("article", None, [(200, True)])],
            ),
            ("Correction: SAP profit falls", "parsed", [("article", None, [(200, True)])]),
        ],
        "3": [("SAP profit rises", "parsed", [("known_article", None, [(200, True)])])],
    }


def pages(attempt: dict[str, Any]) -> list[tuple[int, bool]]:
    """Status of each fetch, and whether its bytes lie with the batch that made it."""
    return [(p["status"], p["raw_batch"] == f"{p['batch_id']}-read") for p in attempt["pages"]]


def test_a_correction_is_a_version_that_replaces_the_one_before(con: Any, corrected: str) -> None:
    first, second = trail(con, find(con, corrected))["versions"]
    assert (first["change_type"], first["superseded"]["replaced_by"]) == ("new", second["version_id"])
    assert (second["change_type"], second["superseded"]) == ("revised", None)
    assert [v["title"] for v in (first, second)] == ["SAP profit rises", "Correction: SAP profit falls"]
    assert [[c["sentiment"] for c in v["taggings"][0]["said_of"]] for v in (first, second)] == [[1], [-1]]


def test_a_copy_is_seen_from_both_ends(con: Any, corrected: str, copy: str) -> None:
    mine, theirs = trail(con, find(con, copy))["versions"][0], trail(con, find(con, corrected))["versions"][0]
    ((relation,), (same,)) = mine["relations"]["earlier"], theirs["relations"]["later"]
    assert (relation["kind"], relation["containment"], relation["lag_s"]) == ("duplicate_of", 1.0, 720.0)
    assert relation["other"]["version_id"] == theirs["version_id"] and relation["other"]["superseded"]
    assert same["other"]["version_id"] == mine["version_id"] and not same["other"]["superseded"]
    assert (mine["relations"]["later"], theirs["relations"]["earlier"]) == ([], [])


def test_evidence_is_what_the_view_has_with_its_sentence(con: Any, corrected: str) -> None:
    (tagging,) = trail(con, find(con, corrected))["versions"][-1]["taggings"]
    (sap,) = tagging["said_of"]
    assert {(e["field"], e["words"]) for e in sap["evidence"]} == set(
        con.sql(f"SELECT field, words FROM evidence WHERE article_id = '{corrected}' AND company_id = 'sap'").fetchall()
    )
    assert [e["sentence"]["text"] for e in sap["evidence"] if e["words"] == "profit fell"] == [FALLS]
    assert all(e["words"] in e["sentence"]["text"] for e in sap["evidence"])
    assert len(sap["mentions"]) == tagging["mentions"] and tagging["article"]["company_id"] is None


def test_every_kind_of_id_leads_to_the_article(con: Any, corrected: str, desk: Desk) -> None:
    ids = [corrected, corrected[:6], corrected[:12].upper()]
    for table, id in (("articles", "version_id"), ("taggings", "tagging_id"), ("outcomes", "entry_id")):
        ids += [i for (i,) in con.sql(f"SELECT DISTINCT {id} FROM lake.{table} WHERE article_id = '{corrected}'").fetchall()]
    ids += [i for (i,) in con.sql("SELECT page_id FROM lake.pages WHERE url LIKE '%/a' OR url LIKE '%/old'").fetchall()]
    ids += [desk.publisher.base + path for path in ("/a", "/a/?utm_source=x#top", "/old")]
    ids += [f"HTTPS://127.0.0.1:{desk.publisher.port}/a"]
    assert len(ids) == 17
    entries = find(con, corrected).entries
    assert {(find(con, id).articles, find(con, id).entries) for id in ids} == {((corrected,), entries)} and len(entries) == 2


def test_what_was_dropped_is_found_by_its_address_and_by_its_ids(con: Any, desk: Desk) -> None:
    late = one(con, "SELECT entry_id FROM outcomes WHERE title = 'Late'")
    way = trail(con, find(con, f"{desk.publisher.base}/b?page=2"))
    assert (way["article_id"], way["keys"], way["versions"]) == (None, [], [])
    assert [e["entry_id"] for e in way["entries"]] == [late]
    assert "no article, http_error: status 500; due again at 2026-11-23 09:35:00" in printed(con, late)
    both = trail(con, find(con, f"{desk.publisher.base}/dead"))
    assert [(c["title"], c["code"]) for c in both["choose"]] == [("Dead [/end]", "gone"), ("Dead too", "gone")]
    assert all(f"{c['entry_id']}  gone  {c['title']}" in printed(con, f"{desk.publisher.base}/dead") for c in both["choose"])


def test_an_entry_nobody_has_read_yet_is_waiting(tmp_path: Path) -> None:
    with publishing() as publisher:
        publisher.slugs = ["sap"]
        desk = Desk(tmp_path, publisher)
        work_shard(desk.settings, "pull", "20261123T090000Z", 0, print, lambda: desk.now)
        settle(desk.settings, "pull", "20261123T090000Z", print)
    with connect(desk.settings.lake) as con:
        told = printed(con, one(con, "SELECT entry_id FROM outcomes"))
    assert told.startswith("SAP-Aktie fällt nach Zahlen\nhttp://127.0.0.1:")
    assert ": no article yet, waiting to be read\n" in told and told.endswith("waiting to be read")


def test_a_visit_lists_what_it_brought(con: Any, corrected: str, copy: str) -> None:
    visits = [v for (v,) in con.sql("SELECT visit_id FROM lake.visits ORDER BY visited_at").fetchall()]
    chosen = [[(c["article_id"], c["code"]) for c in trail(con, find(con, v))["choose"]] for v in visits]
    assert chosen == [
        [(corrected, "article")],
        [],
        [(copy, "copy"), (corrected, "known_article")],
        [(corrected, "article"), (None, "gone"), (None, "gone")],
        [(None, "http_error")],
    ]
    assert f"{visits[1]} leads to no entry that was new or changed" in printed(con, visits[1])
    assert f"{copy}  copy           SAP earnings rise" in printed(con, visits[2])


KINDS = "there are a_… (article), v_… (article version), e_… (feed entry), p_… (page fetch), t_… (tagging), f_… (feed visit)"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("siemens", "'siemens' is no id: " + KINDS),
        ("[/red]", "'[/red]' is no id: " + KINDS),
        ("r_0123456789", "'r_0123456789' is no id: " + KINDS),
        ("v_zz", "no article version 'v_zz' in this lake (--lake DIR asks another): " + KINDS),
        ("http://", "'http://' is no address with a readable host: " + KINDS),
        ("https://a.example/x", "no article and no feed entry at https://a.example/x in this lake (--lake DIR asks another): "),
    ],
)  # fmt: skip
def test_what_is_unknown_is_told_what_there_is(asked: str, message: str, con: Any) -> None:
    with pytest.raises((InputError, NotFound), match=re.escape(message)):
        find(con, asked)


def test_the_beginning_of_an_id_is_enough_or_says_what_could_be_meant(con: Any) -> None:
    pages = sorted(p for (p,) in con.sql("SELECT page_id FROM lake.pages").fetchall())
    assert len(pages) == 7
    with pytest.raises(InputError, match=f"7 ids begin with 'p_', write more of the one you mean: {', '.join(pages)}$"):
        find(con, "p_")
    short = next(p[:n] for p in pages for n in (3, 4, 5) if sum(q.startswith(p[:n]) for q in pages) == 1)
    (meant,) = [p for p in pages if p.startswith(short)]
    with pytest.raises(NotFound, match=rf"no page fetch '{short}' in this lake .* did you mean {meant}\? there are a_"):
        find(con, short)
    with pytest.raises(NotFound, match=rf"no page fetch '{meant[:-1]}z' in this lake .* did you mean {meant}\?"):
        find(con, f"{meant[:-1]}z")
    assert find(con, meant[:6]).asked == meant


CUT = {
    r"127\.0\.0\.1:\d+": "HOST",
    r"\b([aefptv])_[0-9a-f]{20}": r"\1_",
    r"lake from [\d-]{10} [\d:]{8}": "lake from then",
    r"\d+ bytes, (.*), sha256 [0-9a-f]{12}…": r"N bytes, \1",
}


def test_a_reader_sees_each_step_under_its_batch(con: Any, copy: str) -> None:
    """The whole of it up to the taggers; ids, sizes and the moments of real commits are cut out."""
    whole = printed(con, copy)
    for found, said_instead in CUT.items():
        whole = re.sub(found, said_instead, whole)
    told, _, tagged = whole.partition("\n\nbatch 20261123T091800000Z-tag")
    assert (
        told
        == f"""\
SAP earnings rise [bold]
http://HOST/b
a_ of T: 1 version, 1 entry of t
times are UTC

batch 20261123T091800000Z-pull  in the lake from then, by Newsmill 0.1.0
11-23 09:18:00 visit     f_ feed t: parsed, status 200
                         http://HOST/feed
                         3 entries, 2 new or changed
                         N bytes, kept in lake.bodies (this batch)
11-23 09:18:00 entry     e_ number 2 in the feed, known by its guid
                         SAP earnings rise
                         http://HOST/b
                         without a date, guid 2

batch 20261123T091800000Z-read  in the lake from then, by Newsmill 0.1.0
11-23 09:18:00 page      p_ ok, status 200, text/html; charset=utf-8
                         http://HOST/b
                         the host has no robots.txt, no opt-out signals
                         N bytes, kept in lake.bodies (this batch)
11-23 09:18:00 attempt 1 copy: kept, another article had the same text before
               version   v_ new, the last word
                         SAP earnings rise [bold]
                         en, {len(RISES) + 1 + len(MORE.strip())} characters
                         no date of publication was found
                         read from its page by {EXTRACTOR}
               copy of   a_ of T
                         SAP profit rises
                         http://HOST/a
                         found by text-hash-1, containment 1.00, lag 12 minutes
                         that version has been replaced since
               known as  https://HOST/b (link)"""
    )
    assert "title: SAP **earnings rise** [bold]" in tagged and "**profit rose**" in tagged


def test_the_words_that_count_are_marked_in_colour_where_there_is_colour(con: Any, corrected: str) -> None:
    bright = printed(con, corrected, color_system="truecolor", force_terminal=True)
    assert "SAP said that \x1b[1;31mprofit fell\x1b[0m by 4 percent" in bright and "**" not in bright
    plain = printed(con, corrected)
    assert "SAP said that **profit fell** by 4 percent" in plain and "\x1b" not in plain


def test_a_long_sentence_is_cut_around_its_words(con: Any, corrected: str) -> None:
    flat = " ".join(printed(con, corrected).split())
    assert re.search(r" … [^…]{60,220}SAP \*\*warned\*\* that \*\*revenue will fall\*\*\. ", flat) and LONG not in flat


def test_what_has_been_replaced_is_told_in_short_unless_it_was_asked_for(con: Any, corrected: str) -> None:
    first = trail(con, find(con, corrected))["versions"][0]
    now = printed(con, corrected)
    assert f"{first['version_id']} new, replaced by v_" in now and "▲ +0." in now and "profit rose" not in now
    assert f"{first['taggings'][0]['tagging_id']} the last word, of a version that has been replaced" in now
    then = printed(con, first["version_id"])
    assert "**profit rose**" in then and re.search(r"\(revised\)\s+◀\s+asked for", then)


def test_bytes_that_are_no_longer_kept_are_said_to_be_gone(desk: Desk, copy: str, tmp_path: Path) -> None:
    shutil.copytree(desk.settings.lake, tmp_path / "lake")
    (read,) = (tmp_path / "lake/raw").glob("*/20261123T091800000Z-read")
    shutil.rmtree(read)
    with connect(tmp_path / "lake") as con:
        ((entry,),) = [e["revisions"] for e in trail(con, find(con, copy))["entries"]]
        assert entry["visit"]["raw_batch"] == "20261123T091800000Z-pull"
        assert [p["raw_batch"] for p in entry["attempts"][0]["pages"]] == [None]
        assert len(re.findall("bytes, no longer in lake.bodies, sha256", printed(con, copy))) == 1


def test_a_company_named_in_promotion_alone_is_named_as_such() -> None:
    tagging = {"said_of": [], "article": None, "only_in_promotion": [{"company_id": "bayer", "name": "Bayer", "mentions": []}]}
    assert [line.plain for _, lines in said(tagging, plain=True) for line in lines] == [
        "named in promotion only, which counts for nothing: Bayer"
    ]


def test_the_command_tells_people_and_programs_and_says_what_it_cannot_find(desk: Desk, con: Any, corrected: str) -> None:
    lake = str(desk.settings.lake)
    people = newsmill("why", corrected[:10], "--lake", lake, COLUMNS="100")
    assert people.returncode == 0 and people.stdout.startswith("Correction: SAP profit falls\nhttp://127.0.0.1:")
    assert max(len(line) for line in people.stdout.splitlines()) <= 100
    program = newsmill("why", f"{desk.publisher.base}/old", "--lake", lake, "--json")
    told, way = json.loads(program.stdout), trail(con, find(con, corrected))
    assert (told["kind"], told["article_id"], told.keys()) == ("address", corrected, way.keys())
    assert [v["version_id"] for v in told["versions"]] == [v["version_id"] for v in way["versions"]]
    assert (
        told["versions"][1]["taggings"][0]["said_of"][0]["evidence"]
        == way["versions"][1]["taggings"][0]["said_of"][0]["evidence"]
    )
    assert told["entries"][0]["revisions"][0]["visit"]["visited_at"] == "2026-11-23T09:06:00Z"
    mistaken = newsmill("why", "[/red]", "--lake", lake)
    assert (mistaken.returncode, mistaken.stdout) == (2, "")
    assert mistaken.stderr.startswith("newsmill: '[/red]' is no id: there are a_… (article)")
    for unknown in ("a_00000000000000000000", "https://a.example/x"):
        done = newsmill("why", unknown, "--lake", lake)
        assert (done.returncode, done.stdout) == (1, "") and "in this lake (--lake DIR asks another)" in done.stderr
