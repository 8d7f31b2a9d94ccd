"""What is looked for: words, "phrases" and filters of a question. Pure."""

import re
from dataclasses import dataclass
from datetime import date

from pipeline.errors import InputError

FILTERS = ("source", "language", "company")
_PART = re.compile(rf'(?:({"|".join(FILTERS)}):|(?=\S))(?:"([^"]*)"|(\S*))', re.IGNORECASE)
_DIGRAPHS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"}
_UMLAUTS = {"ae": "ä", "oe": "ö", "ue": "ü", "Ae": "Ä", "Oe": "Ö", "Ue": "Ü"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Terms, each a word or a phrase, which all must occur; and what an article must be. Days are those of the lake, both in."""

    terms: tuple[str, ...]
    since: date
    until: date
    source: str | None = None
    language: str | None = None
    company: str | None = None


def parse_question(text: str, since: date, until: date) -> Question:
    """A question as it is typed: `gewinnwarnung "operating margin" source:ankerblatt language:de company:siemens`.

    Raises:
        InputError: it has no word, a filter without a value or twice, or no day.
    """
    terms: list[str] = []
    asked: dict[str, str] = {}
    for name, quoted, bare in _PART.findall(text):
        value = " ".join((quoted or bare).split())
        if not name and any(c.isalnum() for c in value):
            terms.append(value)
        elif name and (not value or asked.setdefault(name.lower(), value) != value):
            raise InputError(f"{name}: is there twice or without a value; give it once, for example {name}:de")
    if not terms:
        raise InputError(f'{text!r} has no word to look for; for example: newsmill search "gewinnwarnung source:ankerblatt"')
    if since > until:
        raise InputError(f"there is no day from {since} to {until}: --since comes before --until")
    return Question(terms=tuple(dict.fromkeys(terms)), since=since, until=until, **asked)


def spellings(term: str) -> tuple[str, ...]:
    """A term as it is, with its umlauts as two letters, and with two letters as umlauts."""
    wide = "".join(_DIGRAPHS.get(c, c) for c in term)
    narrow = re.sub("|".join(_UMLAUTS), lambda found: _UMLAUTS[found[0]], term)
    return tuple(dict.fromkeys((term, wide, narrow)))
