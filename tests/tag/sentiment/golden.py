"""Reads the golden sentences: text without the marks, and what each name is expected to get."""

import re
from dataclasses import dataclass
from pathlib import Path

from schemas.tag import Span

_MARK = re.compile(r"\[([^|\]]+)\|([+\-0?])(~?)(±?)\]")
_SIDES = {"+": 1, "-": -1, "0": 0, "?": None}


@dataclass(frozen=True)
class Expected:
    text: str
    span: Span
    others: tuple[Span, ...]
    sentiment: int | None
    hedged: bool
    mixed: bool


def golden(language: str) -> list[Expected]:
    lines = Path(__file__).with_name(f"golden_{language}.txt").read_text("utf-8").splitlines()
    return [expected for line in lines if line and not line.startswith("#") for expected in _parse(line)]


def _parse(line: str) -> list[Expected]:
    text, marks, begin = "", [], 0
    for mark in _MARK.finditer(line):
        text += line[begin : mark.start()]
        span = Span(field="text", start=len(text), end=len(text) + len(mark[1]))
        marks.append((span, mark[2], mark[3], mark[4]))
        text, begin = text + mark[1], mark.end()
    text += line[begin:]
    spans = [span for span, *_ in marks]
    return [Expected(text, s, tuple(o for o in spans if o != s), _SIDES[side], bool(h), bool(m)) for s, side, h, m in marks]
