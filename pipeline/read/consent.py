"""Tells a consent wall, a page that asks for consent and shows nothing else, from an article. Pure.

The rule is narrow, because news about data protection is news: the page must speak to its reader in at least two of the set
phrases of such walls, and each of its sentences must be about consent.
"""

import re
from collections.abc import Sequence

_MOST_CHARS = 4_000
_SENTENCE_LEAST = 30  # characters; shorter lines are headings and buttons

#: What a wall says to its reader, and hardly any article does.
_ADDRESSED = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bwir und (?:[\w.-]+ ){1,6}(?:werbe)?partner\b|\bunsere[nr]? (?:\d+ )?(?:werbe)?partner\b",
        r"\bwe and (?:[\w,.-]+ ){1,6}partners\b|\bour (?:\d+ )?(?:advertising |third-party )?partners\b",
        r"\bwir (?:[\w, ]{0,60} )?(?:verwenden|nutzen|setzen) (?:\w+ ){0,2}cookies\b",
        r"\bwe (?:[\w, ]{0,60} )?use (?:\w+ ){0,2}cookies\b",
        r"\balle(?:n)? (?:cookies )?(?:akzeptieren|zustimmen)\b|\b(?:accept|allow|reject) all\b",
        r"\bihre (?:einwilligung|zustimmung|auswahl)\b.{0,80}\b(?:widerrufen|ändern|zurückziehen)\b",
        r"\b(?:withdraw|change|revoke) your (?:consent|choices?|preferences|settings)\b",
        r"\bstimmen sie (?:der|dem|zu)\b|\bmit (?:einem klick|ihrem klick) auf\b|\bby clicking\b|\byou (?:consent|agree) to\b",
    )
)
_ABOUT = re.compile(
    r"cookie|einwillig|zustimm|datenschutz|personenbezogen|\bihrer? daten\b|\bihrem gerät\b|zielgruppe|akzeptieren|consent"
    r"|\bunsere[nr]? \d+ partner\b|\bour \d+ partners\b"
    r"|privacy|personal data|\byour (?:data|device|choices?|preferences)\b|\baudiences?\b|personali[sz]|\baccept all\b"
)


def is_consent_wall(lines: Sequence[str]) -> bool:
    """Whether these lines, all that a page says, ask for consent and do nothing else."""
    low = [line.lower() for line in lines]
    if sum(map(len, low)) > _MOST_CHARS:
        return False
    text = "\n".join(low)
    asked = sum(pattern.search(text) is not None for pattern in _ADDRESSED)
    sentences = [line for line in low if len(line) >= _SENTENCE_LEAST]
    return asked > 1 and bool(sentences) and all(_ABOUT.search(sentence) for sentence in sentences)
