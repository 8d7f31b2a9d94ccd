"""The piece of a text that says most about why it was found. Pure."""

from dataclasses import dataclass

Spans = tuple[tuple[int, int], ...]
WIDTH = 220


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a term of the question stands: text[start:end], and which term."""

    start: int
    end: int
    term: int


def snippet(text: str, hits: list[Hit], width: int = WIDTH) -> tuple[str, Spans]:
    """About `width` characters with the most different terms together, on one line, and where in them the hits are."""
    first = max(range(len(hits)), key=lambda n: _weight(hits, n, width), default=None)
    begin = 0 if first is None else hits[first].start
    inside = [hit for hit in hits if begin <= hit.start and hit.end <= begin + width]
    lead = max(0, (width - (inside[-1].end - begin if inside else width)) // 2)
    start = _word_start(text, max(0, begin - lead))
    end = _word_end(text, max(start + width, inside[-1].end if inside else 0))
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shift = len(before) - start
    spans = tuple((hit.start + shift, hit.end + shift) for hit in hits if start <= hit.start and hit.end <= end)
    return before + "".join(" " if c.isspace() else c for c in text[start:end]) + after, spans


def _weight(hits: list[Hit], first: int, width: int) -> tuple[int, int]:
    """How many different terms, and hits, there are within a piece that begins with this hit."""
    near = [hit for hit in hits[first : first + 50] if hit.end <= hits[first].start + width]
    return len({hit.term for hit in near}), len(near)


def _word_start(text: str, at: int) -> int:
    if at == 0:
        return 0
    return next((n for n in range(at, min(at + 30, len(text))) if text[n - 1].isspace()), at)


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    return next((n for n in range(at, max(at - 30, 0), -1) if text[n].isspace()), at)
