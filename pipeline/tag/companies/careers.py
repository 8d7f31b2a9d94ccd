"""Recognises a company that is named because somebody used to work there. Pure."""

import re

_BEFORE_DE = re.compile(
    r"(?i)\b(?:zuvor|früher|vorher|davor|ehemals|einst|zuletzt|jahrelang|jahre lang|jahrzehnt(?:e lang)?|jahre)\s+"
    r"(?:(?:war|arbeitete|leitete) (?:er|sie) |als [\w-]+ |tätig |manager(?:in)? |vorstand )?bei(?: der| dem)? $"
)
_AT_DE = re.compile(r"(?i)\b(?:war|hatte|hat|zuvor|früher)\b[^.;:!?\n]{0,60}\bbei(?: der| dem)? $")
_WORKED_DE = re.compile(r"\s+(?:tätig|angestellt|beschäftigt|gearbeitet|unter Vertrag)\b(?! (?:ist|sind))")
_EX = re.compile(r"(?:\b[Ee]x-|\b(?:[Ee]hemalige|[Ff]rühere)[rnms]? )$")
_PERSON = re.compile(
    r"(?i)-?\s?(?:[\w-]*manager(?:in)?|[\w-]*chef(?:in)?|vorstand\w*|mitarbeiter(?:in)?|banker(?:in)?|boss|ceo|cfo|executive|employee|engineer|trader|chief)\b"
)
_BEFORE_EN = re.compile(
    r"(?i)\b(?:formerly|previously|earlier)(?: \w+){0,3} (?:at|of|with|for) (?:the )?$"
    r"|\bspent [\w\s-]{1,30}(?:years|decades?) at $"
    r"|\b(?:had|previously) worked (?:at|for) $|\balum(?:nus|na|ni)? of $"
)
_FORMER_EN = re.compile(r"\b(?:[Ff]ormer|[Ee]x-?) ?$")
# What all of these end in: a test that spares most names the patterns.
_LAST_WORDS = (
    *("bei", "der", "dem", "at", "of", "with", "for", "the", "ormer", "x"),
    *(word + ending for word in ("malige", "here") for ending in ("", "r", "n", "m", "s")),
)


def employer_role(text: str, start: int, end: int) -> str | None:
    """former_employer where the words around the span say so beyond doubt."""
    if not text[max(0, start - 8) : start].rstrip("- ").endswith(_LAST_WORDS):
        return None
    before, behind = text[max(0, start - 100) : start], text[end : end + 40]
    if before.endswith(" "):
        if _BEFORE_DE.search(before) or _BEFORE_EN.search(before) or (_AT_DE.search(before) and _WORKED_DE.match(behind)):
            return "former_employer"
        if _FORMER_EN.search(before) and _PERSON.match(behind):
            return "former_employer"
    if before.endswith(("-", " ")) and _EX.search(before) and _PERSON.match(behind):
        return "former_employer"
    return None
