"""From weighed cues to verdicts: of one span, of a company over an article, of the article. Pure."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.tag.sentiment.cues import read_sentence
from pipeline.tag.sentiment.lexicon import languages_of
from pipeline.tag.sentiment.sentence import Token, sentence_at, sentences
from pipeline.tag.sentiment.weigh import Weighed, weigh
from pipeline.tag.sentiment.weights import WEIGHTS
from schemas.tag import Span, Verdict

MODEL = "rules-3"  # changes with the lexicons, the rules and the weights
MOST_SPANS, MOST_SENTENCES, MOST_EVIDENCE = 30, 60, 6
_TITLE, _UNNAMED, _MIXED, _DOUBTFUL = 2.0, 0.6, 0.4, 0.4
_FAINT = 0.25  # evidence below this share of the strongest hardly bears on the name
_BARELY = 0.2  # nor does evidence of a neutral verdict below this weight
_PRONOUN = re.compile(r"\W*(?:er|sie|ihre?|seine?|it|its|he|his|she|her|they|their)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of evidence: where it stands, its signed weight, whether it is only alleged or possible."""

    span: Span
    weight: float
    hedged: bool


def judge_span(title: str, text: str, span: Span, others: Sequence[Span], language: str | None) -> Verdict:
    """What the sentence around one span says of it; `others` are the other names, in any order."""
    return _verdict(_of_span(title, text, span, others, language))


def judge_company(
    title: str, text: str, spans: Sequence[Span], others: Sequence[Span], language: str | None, *, topic: bool
) -> Verdict:
    """What an article says of a company named in `spans`; with `topic`, sentences that name nobody are about it too."""
    said: dict[Span, Said] = {}
    for span in spans[:MOST_SPANS]:
        near = [other for other in others if other.field == span.field and abs(other.start - span.start) < 1000]
        for piece in _of_span(title, text, span, near, language):
            weight = piece.weight * (_TITLE if span.field == "title" else 1.0)
            if piece.span not in said or abs(weight) > abs(said[piece.span].weight):
                said[piece.span] = Said(piece.span, weight, piece.hedged)
    if topic:
        for piece in _unnamed(text, spans, others, language):
            said.setdefault(piece.span, piece)
    return _verdict(said.values(), spread=True)


def judge_article(title: str, text: str, language: str | None) -> Verdict:
    """What an article says on the whole: its title twice, then its first sentences."""
    head = [Said(piece.span, piece.weight * _TITLE, piece.hedged) for piece in _sentence("title", title, 0, len(title), language)]
    body = [piece for start, end in sentences(text, MOST_SENTENCES) for piece in _sentence("text", text, start, end, language)]
    return _verdict([*head, *body], spread=True)


def _of_span(title: str, text: str, span: Span, others: Sequence[Span], language: str | None) -> list[Said]:
    whole = title if span.field == "title" else text
    start, end = max(0, min(span.start, len(whole))), max(0, min(span.end, len(whole)))
    if start >= end or end - start > 200:
        return []
    low, high = sentence_at(whole, start, end)
    names = [(start, end)]
    for other in sorted(others, key=lambda o: (o.start, -o.end)):
        inside = other.field == span.field and low <= other.start < other.end <= high
        if inside and all(other.end <= a or other.start >= b for a, b in names):
            names.append((other.start, other.end))
    names.sort()
    sentence = read_sentence(
        whole[low:high], tuple((a - low, b - low) for a, b in names), languages_of(language, whole[low:high])
    )
    return [_said(weighed, sentence.tokens, span.field, low) for weighed in weigh(sentence, names.index((start, end)))]


@lru_cache(maxsize=2 * MOST_SENTENCES)  # it is asked for again for every company that is the article's topic
def _sentence(field: str, whole: str, start: int, end: int, language: str | None) -> tuple[Said, ...]:
    sentence = read_sentence(whole[start:end], (), languages_of(language, whole[start:end]))
    return tuple(_said(weighed, sentence.tokens, field, start) for weighed in weigh(sentence, None))


def _unnamed(text: str, own: Sequence[Span], others: Sequence[Span], language: str | None) -> Iterable[Said]:
    """Evidence from sentences that name nobody, unless a pronoun takes up somebody else."""
    mine, theirs = ([span.start for span in spans if span.field == "text"] for spans in (own, others))
    of_others = False
    for start, end in sentences(text, MOST_SENTENCES):
        names_own, names_others = (any(start <= at < end for at in starts) for starts in (mine, theirs))
        of_others = not names_own and (names_others or (of_others and bool(_PRONOUN.match(text, start))))
        if not (names_own or of_others):
            for piece in _sentence("text", text, start, end, language):
                yield Said(piece.span, piece.weight * _UNNAMED, piece.hedged)


def _said(weighed: Weighed, tokens: Sequence[Token], field: str, offset: int) -> Said:
    first, last = tokens[weighed.cue.first], tokens[weighed.cue.last]
    return Said(Span(field=field, start=offset + first.start, end=offset + last.end), weighed.weight, weighed.cue.hedged)


def _verdict(said: Iterable[Said], *, spread: bool = False) -> Verdict:
    """Three probabilities from evidence; over many sentences (`spread`) the same evidence counts less each time."""
    pieces = [piece for piece in said if piece.weight]
    good = sum(piece.weight for piece in pieces if piece.weight > 0)
    bad = -sum(piece.weight for piece in pieces if piece.weight < 0)
    if spread and pieces:
        thin = math.sqrt(1 + len(pieces) / 4)
        good, bad = good / thin, bad / thin
    p_negative, p_neutral, p_positive = _probabilities(good, bad)
    mixed = min(good, bad) >= _MIXED and min(good, bad) >= _MIXED * max(good, bad)
    doubted = max(_doubted(pieces, 1), _doubted(pieces, -1)) if spread else _doubted(pieces, 0)
    verdict = Verdict(
        p_negative=p_negative,
        p_neutral=p_neutral,
        p_positive=p_positive,
        evidence=(),
        mixed=mixed,
        hedged=doubted >= (_DOUBTFUL / 4 if spread else _DOUBTFUL),
    )
    return replace(verdict, evidence=_evidence(pieces, verdict.sentiment, mixed))


def _doubted(pieces: Sequence[Said], side: int) -> float:
    """The share of the evidence, of one side or (0) of both, that is only alleged or possible."""
    weights = [(abs(piece.weight), piece.hedged) for piece in pieces if side * piece.weight >= 0]
    return sum(weight for weight, hedged in weights if hedged) / (sum(weight for weight, _ in weights) or 1.0)


def _probabilities(good: float, bad: float) -> tuple[float, float, float]:
    g, b = 1 - math.exp(-good), 1 - math.exp(-bad)
    logits = (WEIGHTS.lean * b - WEIGHTS.push * g, WEIGHTS.still, WEIGHTS.lean * g - WEIGHTS.push * b)
    top = max(logits)
    parts = [math.exp(logit - top) for logit in logits]
    total = sum(parts)
    return parts[0] / total, parts[1] / total, parts[2] / total


def _evidence(pieces: Sequence[Said], sentiment: int, mixed: bool) -> tuple[Span, ...]:
    """The evidence that bears out the verdict, in reading order: of both sides where it is mixed."""
    if mixed:
        shown = [piece for side in (1, -1) for piece in _clearest([p for p in pieces if p.weight * side > 0])]
    elif sentiment:
        shown = _clearest([piece for piece in pieces if piece.weight * sentiment > 0])
    else:
        shown = _clearest([piece for piece in pieces if abs(piece.weight) >= _BARELY])
    return tuple(sorted((piece.span for piece in shown), key=lambda span: (span.field == "text", span.start, span.end)))


def _clearest(pieces: Sequence[Said]) -> list[Said]:
    """The strongest pieces, without those that hardly bear on the name beside them."""
    strength = {piece.span: abs(piece.weight) / (_TITLE if piece.span.field == "title" else 1.0) for piece in pieces}
    least = _FAINT * max(strength.values(), default=0.0)
    best = sorted(pieces, key=lambda piece: (-abs(piece.weight), piece.span.start))
    return [piece for piece in best if strength[piece.span] >= least][:MOST_EVIDENCE]
