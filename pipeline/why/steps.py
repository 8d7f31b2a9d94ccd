"""Puts the rows of an article's way into words: one step per row, with what a reader wants to know of it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from pipeline.why.said import brief, said

Row = dict[str, Any]

_MOST_PIECES = 5
_KEPT = {
    "article": "kept, its text is new",
    "copy": "kept, another article had the same text before",
    "known_article": "its address leads to this article",
    "unchanged": "the page says the same as before",
}
_ROBOTS = {
    "allowed": "allowed by robots.txt",
    "disallowed": "forbidden by robots.txt",
    "none": "the host has no robots.txt",
    "unavailable": "robots.txt could not be had",
    None: "robots.txt was not asked",
}
_CHARACTERS_KNOWN = {"day": 10, "minute": 16}
_RELATED = {"duplicate_of": ("copy of", "copied by"), "update_of": ("update of", "updated by")}


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the row it tells of, a word for it, its id, lines to say, and the moment where it has one of its own."""

    row: Row
    word: str | Text
    id: str | None
    lines: tuple[RenderableType, ...]
    at: datetime | None = None


def _step(row: Row, word: str | Text, id: str | None, *lines: RenderableType | None, at: datetime | None = None) -> Step:
    """Strings are said quietly, but for the first; what is None or empty is not said."""
    first, *rest = (line for line in lines if line)
    quiet = (Text(line, "dim") if isinstance(line, str) else line for line in rest)
    return Step(row, word, id, (Text(first) if isinstance(first, str) else first, *quiet), at)


def entry_steps(entries: list[Row]) -> Iterator[Step]:
    """Visits, revisions of entries, page fetches and attempts."""
    told: set[str] = set()
    for entry in entries:
        for number, revision in enumerate(entry["revisions"]):
            visit = revision["visit"]
            if visit and visit["visit_id"] not in told:
                told.add(visit["visit_id"])
                yield visit_step(visit)
            yield _revision(revision, "revision" if number else "entry")
            for attempt in revision["attempts"]:
                yield from map(_page, attempt["pages"])
                yield _attempt(attempt, entry["revisions"][0]["seen_at"], several=len(entries) > 1)


def visit_step(visit: Row) -> Step:
    """One visit to a feed."""
    return _step(
        visit,
        "visit",
        visit["visit_id"],
        f"feed {visit['feed_id']}: {visit['outcome']}, {_status(visit)}",
        _address(visit),
        f"{count(visit['entries_seen'], 'entry', 'entries')}, {visit['entries_new']} new or changed"
        if visit["entries_seen"]
        else None,
        _bytes(visit),
        _problem(visit),
        at=visit["visited_at"],
    )


def _revision(entry: Row, word: str) -> Step:
    dated = f"dated {time(entry['published_at'])} ({entry['date_quality']})" if entry["published_at"] else "without a date"
    return _step(
        entry,
        word,
        entry["entry_id"],
        f"number {entry['position'] + 1} in the feed, known by its {entry['key_basis']}",
        Text(entry["title"]),
        entry["url"] or "no link",
        dated if entry["key"] == entry["url"] else f"{dated}, {entry['key_basis']} {entry['key']}",
        None if entry["attempts"] else Text("waiting to be read", "yellow"),
        at=entry["seen_at"],
    )


def _page(page: Row) -> Step:
    opt_out = f"opt-out signals: {', '.join(page['opt_out'])}" if page["opt_out"] else "no opt-out signals"
    return _step(
        page,
        "page",
        page["page_id"],
        ", ".join(filter(None, ("" if page["outcome"] == "status" else page["outcome"], _status(page), page["content_type"]))),
        _address(page),
        f"{_ROBOTS.get(page['robots'], page['robots'])}, {opt_out}",
        _bytes(page),
        _problem(page),
        at=page["fetched_at"],
    )


def _attempt(attempt: Row, first_seen: datetime, *, several: bool) -> Step:
    word, after = f"attempt {attempt['attempt']}", ""
    if attempt["reread"]:
        word, after = "read again", f" after {_lag((attempt['ended_at'] - first_seen).total_seconds())}"
    line = Text.assemble((attempt["code"], f"bold {outcome_style(attempt)}"), f"{after}: {standing(attempt)}")
    of = f"of {attempt['entry_id']}" if several else None
    return _step(attempt, word, None, line, of, at=attempt["ended_at"])


def standing(attempt: Row) -> str:
    """How an attempt ended, in words, and whether there will be another."""
    if attempt.get("reread") and attempt["code"] != "unchanged":
        return attempt["detail"] or "the page has changed, which makes a new version"
    if attempt["kept"]:
        return _KEPT[attempt["code"]]
    then = "nothing more will be tried" if attempt["final"] else f"due again at {time(attempt['due_at'])}"
    return f"{attempt['detail']}; {then}" if attempt["detail"] else then


def outcome_style(attempt: Row) -> str:
    """The colour of an outcome: the lake has the news, it was dropped, or it is open."""
    if attempt.get("reread") and attempt["code"] not in _KEPT:
        return "yellow"
    return "green" if attempt["kept"] else "red" if attempt["final"] else "yellow"


def article_steps(keys: list[Row], versions: list[Row], asked: str, *, plain: bool) -> Iterator[Step]:
    """Versions, what was taken out, keys, relations and taggings; what has been replaced in short, unless it was asked for."""
    for v in versions:
        yield _version(v)
        if v["promo"]:
            yield _promotion(v)
        yield from (_relation(r, 0) for r in v["relations"]["earlier"])
        yield from (_relation(r, 1) for r in v["relations"]["later"])
    yield from (_step(k, "known as", None, f"{k['key']} ({k['basis']})") for k in keys if k["basis"] != "entry")
    for v in versions:
        for t in v["taggings"]:
            yield _tagging(t, of_last=not v["superseded"])
            whole = asked in (v["version_id"], t["tagging_id"]) or not (v["superseded"] or t["superseded"])
            if whole:
                yield from (_step(t, score, None, *lines) for score, lines in said(t, plain=plain))
            elif t["said_of"]:
                yield _step(t, "", None, brief(t["said_of"]))


def _version(v: Row) -> Step:
    at = v["published_at"]
    precision, basis = v["published_precision"], v["published_basis"]
    known = time(at)[: _CHARACTERS_KNOWN.get(precision)] if at else ""
    facts = [v["language"] or "language unknown", count(len(v["text"]), "character"), v["genre"], *v["authors"]]
    return _step(
        v,
        "version",
        v["version_id"],
        f"{v['change_type']}, {_last_word(v)}",
        Text(v["title"], "bold"),
        ", ".join(filter(None, facts)) + (f", access {v['access']}" if v["access"] != "unknown" else ""),
        f"published_at {known} (precision {precision}, basis {basis})" if at else "no date of publication was found",
        f"read from {'its page' if v['url'] else 'what the feed itself carries'} by {v['extractor']}",
    )


def _last_word(row: Row) -> str:
    by = row["superseded"]
    return f"replaced by {by['replaced_by']} ({by['why']})" if by else "the last word"


def _promotion(v: Row) -> Step:
    """What was taken out of the text: kind and length, and how it begins."""
    pieces = v["promo"]
    total = sum(len(p["text"]) for p in pieces)
    return _step(
        v,
        "promotion",
        None,
        f"{count(len(pieces), 'piece')} taken out of the text, {count(total, 'character')}, {v['promo_share']:.0%} of all",
        *(f"{p['kind']}, {len(p['text'])} characters: {_beginning(p['text'])}" for p in pieces[:_MOST_PIECES]),
        f"and {len(pieces) - _MOST_PIECES} more" if len(pieces) > _MOST_PIECES else None,
    )


def _relation(r: Row, end: int) -> Step:
    """A copy or an update, seen from one end: 0 is the later version, 1 the earlier."""
    other = r["other"]
    return _step(
        r,
        _RELATED[r["kind"]][end],
        other["article_id"],
        f"of {other['source']}",
        Text(other["title"]),
        other["url"],
        f"found by {r['method']}, containment {r['containment']:.2f}, lag {_lag(r['lag_s'])}",
        "that version has been replaced since" if other["superseded"] else None,
    )


def _tagging(t: Row, *, of_last: bool) -> Step:
    return _step(
        t,
        "tagging",
        t["tagging_id"],
        _last_word(t) + ("" if of_last else ", of a version that has been replaced"),
        f"{count(t['mentions'], 'mention')} of {count(t['companies'], 'company', 'companies')}",
        f"tagger {t['tagger']}, registry {t['registry']}",
        f"news_at {time(t['news_at'])}, when the version it read came into the lake",
        Text(f"failed: {t['problem']}", "red") if t["problem"] else None,
    )


def _status(row: Row) -> str:
    return f"status {row['status']}" if row["status"] else "no answer"


def _problem(row: Row) -> str | None:
    return f"problem: {row['detail']}" if row["detail"] else None


def _address(row: Row) -> str:
    """The address asked and, where it led elsewhere, all on the way to the one that answered."""
    way = [row["url"], *row["redirects"], row["final_url"]]
    return " → ".join(dict.fromkeys(url for url in way if url))


def _bytes(row: Row) -> str:
    """How many bytes came, which, and whether they are still there."""
    if not row["body_bytes"]:
        return ""
    own = f"{row['batch_id']}-{row['stage']}"
    batch = "this batch" if row["raw_batch"] == own else row["raw_batch"]
    kept = f"kept in lake.bodies ({batch})" if batch else "no longer in lake.bodies"
    return f"{count(row['body_bytes'], 'byte')}, {kept}, sha256 {row['body_sha256'][:12]}…"


def _beginning(text: str, most: int = 42) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[:most].rstrip()}…"


def _lag(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def time(moment: datetime) -> str:
    """A moment to the second; all in the lake are UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
