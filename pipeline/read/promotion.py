"""Finds the lines of a text that sell, link, credit or disclaim instead of telling the news. Pure.

A line is judged by whole phrases (pipeline.read.phrases), by where it stands and by its neighbours. Judging is repeated on what
is left until nothing more is found, so that a text once cleaned stays as it is.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.read import phrases
from schemas.article import Block

_BULLET = re.compile(r"^(?:[-*•·▪●◦–—]|\d{1,2}[.)])\s+")
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "„": '"', "»": '"', "«": '"', "’": "'", "‘": "'", "\xa0": " "})
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[]?\w)")
_WORDED = frozenset({None, "de", "en"})
_HEADLINES_AFTER_HEADING = 8
_SMALL_PRINT_LINES = 6
_ROUNDS = 20  # far more than any article needs; bounds the work on a text of nothing but bylines
_JUDGED_CHARS = 3_000  # a longer line is an article in itself, and not worth its regular expressions


def promotion_spans(title: str, text: str, language: str | None) -> tuple[Block, ...]:
    """Say where promotion stands in a text, as spans of whole lines in order.

    Kinds are promotion, related, newsletter, disclaimer, credit, consent and comment; start and end are offsets into `text`
    as it is given. For languages other than German and English (None: unknown) only what needs no words is recognised.
    """
    lines = text.split("\n")
    starts, at = [], 0
    for line in lines:
        starts.append(at + len(line) - len(line.lstrip()))
        at += len(line) + 1
    found = promotion_lines(title, lines, language)
    return tuple(Block(kind=kind, start=starts[i], end=starts[i] + len(lines[i].strip())) for i, kind in sorted(found.items()))


def promotion_lines(title: str, lines: Sequence[str], language: str | None) -> dict[int, str]:
    """The kind of each line that is promotion, by its place in `lines`."""
    plain = [_plain(line) for line in lines]
    worded = language in _WORDED
    judged = [_Line(line, line.lower(), _judge_alone(line.lower(), worded=worded)) for line in plain]
    left = [i for i, line in enumerate(judged) if line.low and line.low != _plain(title).lower()]
    found: dict[int, str] = {}
    for _ in range(_ROUNDS):
        new = _judge_in_place([judged[i] for i in left], worded=worded)
        if not new:
            break
        found |= {left[place]: kind for place, kind in new.items()}
        left = [i for i in left if i not in found]
    return found


class _Line(NamedTuple):
    text: str
    low: str
    kind: str | None  # what it is by its words alone


def _plain(line: str) -> str:
    line = " ".join(unicodedata.normalize("NFC", line).translate(_STRAIGHT).split())
    return _BULLET.sub("", line)


def _matches(rules: tuple[phrases.Rule, ...], line: str) -> str | None:
    words = line.count(" ") + 1
    return next((rule.kind for rule in rules if words <= rule.words and rule.pattern.search(line)), None)


def _judge_alone(low: str, *, worded: bool) -> str | None:
    if len(low) > _JUDGED_CHARS:
        return None
    if not worded:
        return "credit" if low.startswith("©") and len(low) < 120 else None
    return "promotion" if _asks_to_trade(low) or _sells(low) else _matches(phrases.LINE_RULES, low)


def _questions(low: str) -> list[str]:
    """The sentences of a line that consists of nothing but questions, else none."""
    sentences = _SENTENCE_END.split(low) if "?" in low else []
    return sentences if all(s.rstrip("!\"') ").endswith("?") for s in sentences) else []


def _names_trade(low: str) -> bool:
    return "?" in low and bool(phrases.TRADE_QUESTION.search(low) or phrases.TRADE_SIDES.search(low))


def _asks_to_trade(low: str) -> bool:
    """Whether a line only asks, at least twice or between two sides, whether to trade."""
    questions = _questions(low)
    if len(questions) > 1:
        return _names_trade(low)
    return bool(questions and phrases.TRADE_QUESTION.search(low) and re.search(r"\b(?:oder|or)\b", low))


def _sells(low: str) -> bool:
    """Whether an offer or a call to act stands beside another sign of selling."""
    if low.count(" ") > 90:
        return False
    offer, action, hype = (pattern.search(low) for pattern in (phrases.OFFER, phrases.ACTION, phrases.HYPE))
    trade = _names_trade(low)
    points_on = low.endswith((":", "!", "…", "..."))
    return (action and (offer or hype or trade)) or (offer and (hype or trade) and points_on)


def _judge_in_place(lines: Sequence[_Line], *, worded: bool) -> dict[int, str]:
    found = {place: line.kind for place, line in enumerate(lines) if line.kind}
    if not worded:
        return found
    for place, line in enumerate(lines):
        if line.kind:
            continue
        if (place < 6 or place >= len(lines) - 4) and (edge := _matches(phrases.EDGE_RULES, line.text)):
            found[place] = edge
        elif phrases.RELATED_HEADING.match(line.low):
            found |= dict.fromkeys([place, *_headlines_after(lines, place)], "related")
        elif len(lines) - place <= _SMALL_PRINT_LINES and (small := _matches(phrases.SMALL_PRINT_HEADINGS, line.low)):
            found |= {later: lines[later].kind or small for later in range(place, len(lines))}
    return found | _dragged_along(lines, found)


def _dragged_along(lines: Sequence[_Line], found: dict[int, str]) -> dict[int, str]:
    """Weak lines beside promotion: a lone question whether to trade, or a sales line between two others."""
    dragged = {}
    for place, line in enumerate(lines):
        beside = [found.get(place - 1) == "promotion", found.get(place + 1) == "promotion"]
        if place in found or not any(beside) or len(line.low) > _JUDGED_CHARS:
            continue
        asks = bool(_questions(line.low)) and _names_trade(line.low)
        weak = any(pattern.search(line.low) for pattern in (phrases.OFFER, phrases.ACTION, phrases.HYPE))
        if asks or (weak and all(beside)):
            dragged[place] = "promotion"
    return dragged


def _headlines_after(lines: Sequence[_Line], heading: int) -> list[int]:
    """The lines after a heading over links that look like headlines; the last one may head the text that goes on below."""
    places: list[int] = []
    for place in range(heading + 1, min(len(lines), heading + 1 + _HEADLINES_AFTER_HEADING)):
        if lines[place].text.endswith((".", ":")) or len(lines[place].text) > 160:
            break
        places.append(place)
    goes_on = bool(places) and places[-1] + 1 < len(lines) and len(places) < _HEADLINES_AFTER_HEADING
    return places[:-1] if goes_on and len(places) > 1 else places
