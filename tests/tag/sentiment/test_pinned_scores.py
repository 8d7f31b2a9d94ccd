"""Macro-F1 on labelled sentences beside this checkout stays above what it was chosen for; skipped where they are absent."""

import json
from pathlib import Path

import pytest

from pipeline.tag.sentiment import judge_span
from schemas.tag import Span

DATA = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "companies_and_sentiment"


def macro_f1(pairs: list[tuple[int, int]]) -> float:
    scores = []
    for side in (-1, 0, 1):
        right = sum(wanted == got == side for wanted, got in pairs)
        wrong = sum((wanted == side) != (got == side) for wanted, got in pairs)
        scores.append(2 * right / (2 * right + wrong) if right else 0.0)
    return sum(scores) / 3


@pytest.mark.parametrize(("name", "least"), [("german_dev", 0.88), ("sentfin.dev", 0.75), ("finentity.dev", 0.65)])
def test_score(name: str, least: float) -> None:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the labelled sentences are not beside this checkout")
    pairs = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        labelled = [entity for entity in row["entities"] if entity["start"] >= 0 and "sentiment" in entity]
        spans = [Span(field="text", start=entity["start"], end=entity["end"]) for entity in labelled]
        for entity, span in zip(labelled, spans, strict=True):
            verdict = judge_span("", row["text"], span, [other for other in spans if other != span], row["language"])
            pairs.append((entity["sentiment"], verdict.sentiment))
    assert macro_f1(pairs) >= least
