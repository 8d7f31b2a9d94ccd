"""Joins an article's lines to a text, its blocks and what was taken out. Pure."""

from collections.abc import Sequence

from schemas.article import Block, Promo


def divide(lines: Sequence[tuple[str, str]], promotion: dict[int, str]) -> tuple[str, tuple[Block, ...], tuple[Promo, ...]]:
    """The text without its promotional lines, its blocks, and what was taken out with the offset where it stood."""
    kept = [text for i, (_, text) in enumerate(lines) if i not in promotion]
    end, at = sum(map(len, kept)) + max(0, len(kept) - 1), 0
    blocks: list[Block] = []
    promo: list[Promo] = []
    for i, (kind, text) in enumerate(lines):
        if i in promotion:
            promo.append(Promo(kind=promotion[i], text=text, at=min(at, end)))
        else:
            blocks.append(Block(kind=kind, start=at, end=at + len(text)))
            at += len(text) + 1
    return "\n".join(kept), tuple(blocks), tuple(promo)
