"""Search: what is found and what is not, with the index and without, and what becomes of an index that is not as it should be."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError, LakeBusy
from pipeline.lake import connect
from pipeline.lake.layout import Lake
from pipeline.lake.lock import guarded
from pipeline.lake.search import Found, Pass, catch_up, look, parse_question
from pipeline.lake.search.shards import Shard, shards_of
from pipeline.lake.search.snippet import Hit, snippet
from schemas.article import Article, Relation
from schemas.outcome import Forgotten, Superseded
from schemas.tag import Company, Mention
from tests.lake.sample import add, made, moment, shut

pytest.importorskip("tantivy")

DAY, LAST = date(2026, 10, 30), date(2026, 11, 25)
BOTH = pytest.mark.parametrize("inside", [False, True], ids=["by the index", "in the articles"])
NEWS = {
    "prognose": ("de", "Konzern senkt Prognosen", "Die Münchener Rück bleibt vorsichtig. Der Umsatz sank um 3,5 Prozent."),
    "rueck": ("de", "Ein Rückversicherer", "Die Muenchener Rueck hat eine Prognose. Straßenbahnen fahren."),
    "recall": ("en", "Carmaker recalls vans", "The operating margin of the maker fell. Münchener was insured."),
    "margin": ("en", "Margin up", "It was operating at a margin of two percent; the recall cost little."),
    "other": ("fr", "Résultats", "La société relève ses prévisions."),
}


def article(name: str, at: datetime, **more: Any) -> Article:
    language, title, text = NEWS.get(name, ("en", name, f"All about {name}."))
    ids = {"article_id": f"a_{name}", "version_id": f"v_{name}", "entry_id": f"e_{name}"}
    said = {"title": title, "text": text, "language": language, "source": "Blatt", "feed_id": "f", "revision": "r"}
    return Article(**{**ids, **said, "seen_at": at, "text_hash": name, "extractor": "x", **more})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """October has one article, November the others, one of them an older version and one a copy."""
    lake = made(tmp_path / "lake")
    first, second = moment("2026-10-30 10:00"), moment("2026-11-02 10:00")
    add(lake, first, "read", articles=[article("prognose", first)])
    copy = article("copy", second, title="Margin is up", text=NEWS["margin"][2], source="Kurier")
    older = article("older", second, article_id="a_recall", title="Carmaker recalls cars", text="recalls recalls recalls")
    rows = [article(name, second) for name in ("rueck", "recall", "margin", "other")]
    related = Relation(
        version_id="v_copy", article_id="a_copy", other_version_id="v_margin", other_article_id="a_margin", kind="duplicate_of",
        method="m", containment=1, lag_s=0, story_id="a_margin",
    )  # fmt: skip
    replaced = Superseded(what="version", id="v_older", replaced_by="v_recall", why="revised")
    add(lake, second, "read", articles=[*rows, copy, older], relations=[related], superseded=[replaced])
    told = {"tagging_id": "t", "news_at": second, "name": "Münchener Rück", "company_id": "munich-re", "link_score": 1.0}
    mention = Mention(
        version_id="v_rueck", article_id="a_rueck", field="text", start=4, end=20, surface="x", alias_kind="name",
        in_ad=False, **told,
    )  # fmt: skip
    add(
        lake, second, "tag", mentions=[mention], companies=[Company(company_id="munich-re", name="Münchener Rück", record_id="r")]
    )
    return lake


def ask(lake: Lake, text: str, inside: bool = False, said: list[str] | None = None, limit: int = 10, **how: Any) -> Found:
    with connect(lake.root) as con:
        question = parse_question(text, how.pop("since", DAY), how.pop("until", LAST))
        return look(
            Pass(lake=lake, con=con, say=(said if said is not None else []).append), question, limit, inside=inside, **how
        )


def found(lake: Lake, text: str, inside: bool = False, **how: Any) -> list[str]:
    return [row["version_id"].removeprefix("v_") for row in ask(lake, text, inside, **how).rows]


@BOTH
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("umsatz", {"prognose"}),
        ("UMSATZ vorsichtig", {"prognose"}),
        ("umsatz fahren", set()),
        ("Münchener", {"prognose", "rueck", "recall"}),
        ("muenchener rueck", {"prognose", "rueck"}),
        ('"operating margin"', {"recall"}),
        ("operating margin", {"recall", "margin"}),
        ("münchener language:de", {"prognose", "rueck"}),
        ("margin source:KURIER", {"copy"}),
        ("prognose company:munich-re", {"rueck"}),
        ('prognose company:"münchener rück"', {"rueck"}),
        ("100%", set()),
        ("société", {"other"}),
        ("cars", set()),  # of a version that is not the last
    ],
)
def test_what_is_found(lake: Lake, text: str, names: set[str], inside: bool) -> None:
    assert set(found(lake, text, inside)) == names


def test_the_index_knows_inflections_and_reading_knows_what_is_within_words(lake: Lake) -> None:
    assert set(found(lake, "prognosen")) == {"prognose", "rueck"} and found(lake, "prognosen", True) == ["prognose"]
    assert found(lake, "recalling") == ["recall", "margin"], "a headline counts more"
    assert (found(lake, "bahn"), found(lake, "bahn", True)) == ([], ["rueck"])
    assert found(lake, "societe") == ["other"]


@BOTH
def test_a_story_is_shown_once_unless_every_copy_is_asked_for(lake: Lake, inside: bool) -> None:
    rows = ask(lake, '"of two percent"', inside).rows
    assert [(row["version_id"], row["prints"], row["duplicate_of"]) for row in rows] == [("v_margin", 2, None)]
    rows = ask(lake, '"of two percent"', inside, every_copy=True).rows
    assert [(row["version_id"], row["duplicate_of"]) for row in rows] == [("v_margin", None), ("v_copy", "a_margin")]


@BOTH
def test_only_the_days_asked_for_are_looked_at(lake: Lake, inside: bool) -> None:
    answer = ask(lake, "münchener", inside, since=date(2026, 10, 31))
    assert {row["version_id"] for row in answer.rows} == {"v_rueck", "v_recall"}
    assert (answer.looked.since, answer.looked.first, answer.looked.by_index) == (date(2026, 10, 31), DAY, not inside)
    assert found(lake, "münchener", inside, until=DAY) == ["prognose"]
    if not inside:
        assert [shard.month for shard in shards_of(lake)] == ["2026-10", "2026-11"]


@BOTH
def test_where_the_hits_are(lake: Lake, inside: bool) -> None:
    (row,) = ask(lake, '"operating margin" recalls', inside).rows
    cut = [(hit["field"], row[hit["field"]][hit["start"] : hit["end"]]) for hit in row["hits"]]
    assert cut == [("title", "recalls"), ("snippet", "operating margin")]


@BOTH
def test_more_than_asked_for_is_said(lake: Lake, inside: bool) -> None:
    answer = ask(lake, "münchener", inside, limit=2)
    assert len(answer.rows) == 2 and answer.more
    assert not ask(lake, "münchener", inside, limit=3).more


def test_a_snippet_has_the_most_different_terms_and_whole_words() -> None:
    text = "alpha " + "x" * 40 + " " + "word " * 60 + "alpha and\nbeta " + "word " * 60
    hits = [Hit(0, 5, 0), Hit(at := text.index("alpha and"), at + 5, 0), Hit(text.index("beta"), text.index("beta") + 4, 1)]
    piece, spans = snippet(text, hits)
    assert [piece[start:end] for start, end in spans] == ["alpha", "beta"] and "alpha and beta" in piece
    assert len(piece) < 260 and piece.startswith("… word") and piece.endswith("word …")
    assert snippet("short", []) == ("short", ())


@pytest.mark.parametrize("text", ["", "source:x", '""', "- &", "word source:a source:b", "word language:"])
def test_what_cannot_be_looked_for_is_said(text: str) -> None:
    with pytest.raises(InputError):
        parse_question(text, DAY, LAST)


def test_an_unknown_company_is_said(lake: Lake) -> None:
    with pytest.raises(InputError, match=r"no company 'nobody' in the lake"):
        ask(lake, "word company:nobody")


# --- the index and the lake


def update(lake: Lake, **how: Any) -> tuple[int, tuple[str, ...]]:
    with connect(lake.root) as con, catch_up(Pass(lake=lake, con=con), **how) as (_, done):
        return done.articles, done.anew


def test_what_was_committed_since_is_added_and_nothing_twice(lake: Lake) -> None:
    assert (update(lake), update(lake)) == ((7, ()), (0, ()))
    before = {path: path.stat().st_mtime_ns for path in (lake.root / "search").rglob("*") if path.is_file()}
    assert found(lake, "umsatz") == ["prognose"]
    assert {path: path.stat().st_mtime_ns for path in (lake.root / "search").rglob("*") if path.is_file()} == before
    at = moment("2026-11-02 11:00")
    add(lake, at, "read", articles=[article("walrus", at)])
    assert found(lake, "walrus") == ["walrus"] and update(lake) == (0, ())


def test_closing_days_changes_nothing_and_what_an_index_missed_before_it_is_added(lake: Lake) -> None:
    update(lake)
    late = moment("2026-11-02 23:00")
    add(lake, late, "read", articles=[article("walrus", late)])
    shut(lake, "2026-11-03 07:00")
    assert update(lake) == (1, ()) and update(lake) == (0, ())
    assert found(lake, "walrus") == ["walrus"] and set(found(lake, "münchener")) == {"prognose", "rueck", "recall"}


def test_an_index_made_after_closing_has_all_of_it(lake: Lake) -> None:
    shut(lake, "2026-11-03 07:00")
    assert update(lake) == (7, ()) and found(lake, "umsatz") == ["prognose"]


def test_a_killed_writer_leaves_nothing_doubled(lake: Lake) -> None:
    """Killed between the index's commit and the note of it."""
    update(lake)
    place, at = Shard(lake, "2026-11").place, moment("2026-11-02 11:00")
    note = (place / "newsmill.json").read_bytes()
    add(lake, at, "read", articles=[article("walrus", at)])
    update(lake)
    (place / "newsmill.json").write_bytes(note)
    said: list[str] = []
    assert found(lake, "walrus", every_copy=True, said=said) == ["walrus"]
    assert said == ["the index of 2026-11 is damaged, half-written or of other code; it is made anew"]


def _spoil(place: Path, how: str) -> None:
    meta = place / "meta.json"
    (terms,) = place.glob("*.term")
    if how == "gone":
        meta.unlink()
    elif how == "cut":
        terms.write_bytes(terms.read_bytes()[:-20])
    elif how == "bytes":
        terms.write_bytes(terms.read_bytes().replace(terms.read_bytes()[8:16], b"\xff" * 8))
    elif how == "half":
        (place / "newsmill.json").unlink()
    else:
        note = json.loads((place / "newsmill.json").read_text())
        (place / "newsmill.json").write_text(json.dumps({**note, "made_by": "0 tantivy 0.1"}))


@pytest.mark.parametrize("how", ["gone", "cut", "bytes", "half", "older"])
def test_what_is_damaged_half_written_or_old_is_made_anew_with_a_word(lake: Lake, how: str) -> None:
    update(lake)
    _spoil(Shard(lake, "2026-11").place, how)
    said: list[str] = []
    assert set(found(lake, "münchener", said=said)) == {"prognose", "rueck", "recall"}
    assert said == ["the index of 2026-11 is damaged, half-written or of other code; it is made anew"]
    assert update(lake, whole=True) == (0, ())


def test_an_index_may_be_deleted_or_made_anew_at_any_time(lake: Lake) -> None:
    update(lake)
    assert update(lake, rebuild=True) == (7, ())
    for shard in shards_of(lake):
        shard.remove()
    assert found(lake, "umsatz") == ["prognose"]


def test_while_somebody_else_writes_the_older_state_is_read(lake: Lake) -> None:
    update(lake)
    at = moment("2026-11-02 11:00")
    add(lake, at, "read", articles=[article("walrus", at)])
    said: list[str] = []
    with guarded(lake, "search"):
        assert found(lake, "umsatz", said=said) == ["prognose"]
        assert found(lake, "walrus") == []
        with pytest.raises(LakeBusy):
            update(lake, patience=timedelta(0))
    assert said == ["somebody else is bringing the index up to date: 1 batches of these days are not in it yet"]
    assert found(lake, "walrus") == ["walrus"]


def test_while_somebody_else_makes_the_first_index_the_articles_are_read(lake: Lake) -> None:
    said: list[str] = []
    with guarded(lake, "search"):
        answer = ask(lake, "umsatz", said=said)
    assert [row["version_id"] for row in answer.rows] == ["v_prognose"] and not answer.looked.by_index
    assert said == ["somebody else is making the index: meanwhile the articles themselves are read"]


@BOTH
def test_what_was_forgotten_is_not_shown_also_while_the_index_has_it(lake: Lake, inside: bool) -> None:
    update(lake)
    add(lake, datetime.now(UTC), "forget", forgotten=[Forgotten(what="article", id="a_rueck", why="x")])
    assert set(found(lake, "münchener", inside)) == {"prognose", "recall"}
    assert update(lake, rebuild=True) == (6, ())


def test_without_tantivy_the_articles_are_read(lake: Lake) -> None:
    code = f"""
import sys; sys.modules["tantivy"] = None
sys.meta_path.insert(0, type("No", (), {{"find_spec": staticmethod(lambda n, *a: None)}}))
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "tantivy" else find(name, *a)
from pipeline.__main__ import main
sys.argv = ["newsmill", "search", "umsatz", "--lake", {str(lake.root)!r}, "--since", "2026-10-01", "--csv"]
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Konzern senkt Prognosen" in done.stdout and "in the articles" in done.stderr
    assert not (lake.root / "search").exists()
