"""How a company's name may be written: tails taken off, inflected, in capitals, without umlauts; and slugs. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae"}
)
_BRACKETED = re.compile(r"\s*\([^)]*\)")
# Tails that a single word keeps: without them "Protagonist Therapeutics" and "Patrick Industries" would be everyday words.
_KEPT_BY_ONE_WORD = frozenset(
    {"Industries", "International", "Systems", "Technology", "Worldwide", "Enterprises", "Laboratories"}
    | {"Pharmaceuticals", "Pharmaceutical", "Therapeutics"}
)


def tails_pattern(tails: Sequence[str]) -> re.Pattern[str]:
    """Matches one tail ("AG", ", Inc.") at the end of a name."""
    return re.compile(r",?\s+(" + "|".join(re.escape(tail) for tail in sorted(tails, key=len, reverse=True)) + r")$")


def full_names(name: str, tails: re.Pattern[str]) -> tuple[str, ...]:
    """The name and what is left as legal forms and tails come off, longest first; never less than two letters."""
    current = _BRACKETED.sub("", name.replace("’", "'")).strip().removesuffix(" &").removesuffix(" and")
    found = [current]
    while match := tails.search(current):
        current = current[: match.start()].removeprefix("The ").strip(" ,&")
        if len(current) < 2 or (match[1] in _KEPT_BY_ONE_WORD and " " not in current):
            break
        found.append(current)
    return tuple(found)


def spellings(name: str) -> Iterator[str]:
    """The name as it may stand in a text, itself first."""
    forms = [name]
    if name.startswith("Deutsche "):
        forms += [name.replace("Deutsche ", start, 1) for start in ("Deutschen ", "Deutscher ", "Dt. ")]
    if " " in name and "." not in name:
        forms += [form.replace(" & ", "-").replace(" ", "-") for form in forms[:1]]  # "Novo-Nordisk-Aktie"
    if name.isalpha() and len(name) >= 6 and not name[1:].islower():
        forms.append(name.capitalize())
    for form in forms:
        plain = without_accents(form)
        yield from (form, form.translate(_UMLAUTS), plain)
        if len(name) >= 4 and form.upper() != form:
            yield from (form.upper(), plain.upper())


def without_accents(text: str) -> str:
    """The text with plain letters: "Nestlé" as "Nestle"."""
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def slug(name: str) -> str:
    """Lower-case letters, digits and hyphens."""
    plain = without_accents(name.translate(_UMLAUTS)).lower().replace("&", " and ").replace("'", "")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
