"""Plain text to article: the same promises as for a page, from lines alone. Pure."""

import re

from pipeline.read.extract import tidy
from pipeline.read.language import language_of
from pipeline.read.lines import divide
from pipeline.read.promotion import promotion_lines
from schemas.article import Reading

_BULLET = re.compile(r"^\s*(?:[-*•·▪●◦]|\d{1,2}[.)])\s+")
_TITLE = range(10, 141)  # characters
_HEADING_MOST = 100
_PROSE_LEAST = 120


def read_text(text: str, url: str) -> Reading:  # noqa: ARG001 -- one signature for all that reads
    """Read an article from plain text, one block per line. The title is empty unless the first line clearly is one."""
    raw = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    title = _title(raw)
    lines = [line for i, row in enumerate(raw[bool(title) :]) if (line := _block(row, raw[bool(title) :][i + 1 : i + 2]))[1]]
    language = language_of(" ".join([title, *(words for _, words in lines)]))
    body, blocks, promo = divide(lines, promotion_lines(title, [words for _, words in lines], language))
    return Reading(title=title, text=body, blocks=blocks, promo=promo, language=language)


def _title(raw: list[str]) -> str:
    """The first line, if it is short and no sentence and prose follows it."""
    if len(raw) < 3 or _BULLET.match(raw[0]):
        return ""
    first = tidy(raw[0])
    short = len(first) in _TITLE and first.count(" ") >= 2 and first[-1] not in ".:;,…"
    prose = len(raw[1]) >= _PROSE_LEAST and len(raw[1]) > 1.5 * len(first)
    return first if short and prose and not promotion_lines("", [first], None) else ""


def _block(line: str, following: list[str]) -> tuple[str, str]:
    if _BULLET.match(line):
        return "list_item", tidy(_BULLET.sub("", line))
    cells = [cell for part in line.strip().strip("|").split("|" if line.count("|") > 1 else "\t") if (cell := tidy(part))]
    if len(cells) > 1:
        return "table_row", " | ".join(cells)
    words = tidy(line)
    if words.startswith("> "):
        return "quote", words[2:]
    heads = (
        bool(following) and len(words) <= _HEADING_MOST and words[-1:] not in '.:;,…"“”»' and len(following[0]) >= _PROSE_LEAST
    )
    return "heading" if heads else "paragraph", words
