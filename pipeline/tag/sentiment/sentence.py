"""Where sentences, clauses and words begin and end. Pure; looks only near the place asked for: huge texts cost no more."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

WINDOW = 500  # a sentence reaches at most this far to each side of the place asked for
_BREAK = re.compile(r"\n+|(?<=[.!?…])[\"”“»«']?\s+(?=[\"„“«»(]?[A-ZÄÖÜ0-9])")
_NO_BREAK = re.compile(
    r"(?i)(?:\b(?:[a-zäöü]|u\.s|ca|bzw|inc|corp|co|ltd|plc|mio|mrd|mr|mrs|ms|dr|prof|st|nr|no|vs|etc|usw|zzgl|inkl|jan|feb|aug|sept?|okt|oct|nov|dez|dec)|\b\d{1,2})\.$"
)
_TOKEN = re.compile(
    r"(?P<ticker><[^<>\s]{1,14}>|\[[^\[\]\s]{1,14}\])|(?P<number>(?:(?<![\w%])[+\-−–±])?\d[\d.,]*(?:\s?(?i:%|percent\b|per\s?cent\b|prozent\b|pct?\b))?)"
    r"|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)?)|(?P<mark>\s[-–—]+\s|[;:,()–—|/&!?…])"
)


class Token(NamedTuple):  # made by the hundred for every article, and made faster than a frozen dataclass
    """One word, number or mark; `name` is the index of the name it belongs to, else -1."""

    text: str
    start: int
    end: int
    kind: str
    name: int = -1


def breaks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The gaps between sentences in text[start:end]."""
    for match in _BREAK.finditer(text, start, end):
        if "\n" in match[0] or not _NO_BREAK.search(text[max(start, match.start() - 8) : match.start()]):
            yield match.span()


def sentence_at(text: str, start: int, end: int) -> tuple[int, int]:
    """The sentence around text[start:end]."""
    low, high = max(0, start - WINDOW), min(len(text), end + WINDOW)
    for _, after in breaks(text, low, min(len(text), start + 1)):
        low = after
    return low, next((before for before, _ in breaks(text, end, high)), high)


@lru_cache(maxsize=4)  # it is asked for again for every company of an article
def sentences(text: str, most: int) -> tuple[tuple[int, int], ...]:
    """The first sentences of a text, cut where one is longer than a window."""
    found: list[tuple[int, int]] = []
    begin = 0
    while begin < len(text) and len(found) < most:
        limit = min(len(text), begin + WINDOW)
        low, high = next(breaks(text, begin, limit), (limit, limit))
        if text[begin:low].strip():
            found.append((begin, low))
        begin = high
    return tuple(found)


def tokens(sentence: str, names: tuple[tuple[int, int], ...]) -> list[Token]:
    """The tokens of a sentence; each name (start, end) is one token, whatever words it is made of."""
    found: list[Token] = []
    begin = 0
    for index, (start, end) in enumerate(names):
        found += _plain(sentence, begin, start)
        found.append(Token(sentence[start:end].lower(), start, end, "name", index))
        begin = end
    return found + _plain(sentence, begin, len(sentence))


def _plain(sentence: str, start: int, end: int) -> list[Token]:
    return [
        Token(match[0].lower().replace("’", "'").strip(), match.start(), match.end(), kind)
        for match in _TOKEN.finditer(sentence, start, end)
        if (kind := match.lastgroup or "word") != "ticker"
    ]
