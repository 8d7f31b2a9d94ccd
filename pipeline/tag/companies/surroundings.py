"""What stands around a name in a text, and how much it speaks for the company of that name. Pure.

A text here has its odd spaces, hyphens and apostrophes made plain (`plain`), one for one, so that offsets stay.
"""

import re
from dataclasses import dataclass

from pipeline.tag.companies.registry import INHERITED, Alias, Words

SURE = 3
_PLAIN = {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2010": "-", "\u2011": "-", "’": "'", "‘": "'", "`": "'"}
_WORD = re.compile(r"[^\W_]+(?:[.'][^\W_]+)*\.?|[%$€£]")
_SENTENCE_END = re.compile(r"(?<=[^\W\d][^\W\d])[.!?]['\"“”»)]?\s|\n")
_STEMS = re.compile(r"(?:umsatz|gewinn|aktie|quartal|milliard|prozent|börse|dividend|konzern|kartell|wettbewerbs|\d ?%)")
_LEFT_OF_HYPHEN = re.compile(
    r"(?:^|[^\w-])(?:Ex|ex|US|Anti|anti|Nicht|Pro|pro|EU|IT|Tech|Pre|pre|Post|post|non|Mit|Alt|[A-Z]\w+(?:konzern|tochter))-$"
)
_TRADE_BEFORE = re.compile(
    r"(?i)\b(?:aktien?|papiere|anteile|anteilsscheine|shares?|stock|stake|ceo|chef|vorstand|tochter|verkauf|übernahme|acquisition"
    r"|takeover|purchase)\s+(?:von|der|des|of|in|at|bei|an|by|durch)\s+(?:der\s+|des\s+|the\s+)?$"
)
_OWN = re.compile(r"(?i)(?:(?:ein|sein|ihr|mein|dein|unser)(?:e[mnr]?)?|eines)$")
_ONE_OF_MANY = re.compile(r"(?i)(?:(?:k?ein|jed|dies|welch|neu|breit|groß|sein|ihr)(?:e[mnrs]?)?|an?|any|every)$")
_POSTING = re.compile(r"(?i)post|video|said|wrote|written|live|page|shar|follow|messag|statement|tweet|announc|comment|account")
_TARGET_OF = frozenset(("Druck", "Angriff", "Angriffe", "Hackerangriff", "Blick", "Klagen", "Hoffnung"))
_HANDLE = re.compile(r":(?: ?[@;(]| *(?:$|\n))")
_CAPITALISED = re.compile(r"[ -]([A-Z][^\W\d_]+)")
_OF = re.compile(r" (?:aus|für|gegen|mit|zwischen|der|des|of|for|against|between) ")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A name's sentence before and after it, at most 90 characters each way, and what hangs on it by a hyphen."""

    before: str
    after: str
    head: str


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The two words before a name, where only a space divides them from it, and what comes right behind it."""

    second: str
    last: str
    behind: str


def plain(text: str) -> str:
    """The text with plain spaces, hyphens and apostrophes; every character keeps its place."""
    for odd, usual in _PLAIN.items():
        text = text.replace(odd, usual)
    return text


def stands_alone(text: str, start: int, end: int, alias: Alias | None, german: bool) -> bool:
    """The span is a whole word or words, or the first part of a hyphenated one, or a genitive; not part of an address."""
    return _free_before(text, start, alias) and _free_behind(text, start, end, alias, german)


def _free_before(text: str, start: int, alias: Alias | None) -> bool:
    if start == 0:
        return True
    before = text[start - 1]
    if before == "-":
        return alias is not None and alias.needs == 0 and bool(_LEFT_OF_HYPHEN.search(text[max(0, start - 24) : start]))
    if before in "./" and start > 1 and (before == "." or not text[start - 2].isalnum()):
        return before == "." and not text[start - 2].isalnum()
    return not (before.isalnum() or before in "_@#&$")


def _free_behind(text: str, start: int, end: int, alias: Alias | None, german: bool) -> bool:
    if end >= len(text):
        return True
    behind, next_ = text[end], text[end + 1 : end + 2]
    if behind == "s" and alias is not None:
        whole = not (next_.isalnum() or next_ == "_") and text[end - 1] not in "sxzß"
        return whole and german and alias.needs < 2 and end - start > 1
    if behind in "._@" and next_.isalnum():
        return text[start].isupper() and behind == "." and next_.islower()
    return not (behind.isalnum() or (behind in "_@" or (behind in "&+" and next_.isalnum())))


def around(text: str, start: int, end: int) -> Surroundings:
    """The surroundings of a span."""
    before = _SENTENCE_END.split(text[max(0, start - 90) : start])[-1]
    after = text[end : end + 90]
    if match := re.match(r"'s\b|s\b|'(?=\s)", after):
        after = after[match.end() :]
    head = re.match(r"-([^\W_]+)", after)
    return Surroundings(before, _SENTENCE_END.split(after, maxsplit=1)[0], head[1].lower() if head else "")


def neighbours(text: str, start: int, end: int) -> Neighbours:
    """The nearest words: cheaper than `around`, and enough for most names."""
    before = text[max(0, start - 30) : start].split(" ")
    last = before[-2] if len(before) > 1 and not before[-1] else ""
    return Neighbours(before[-3] if len(before) > 2 else "", last, text[end : end + 16])


def is_other(name: str, near: Neighbours, words: Words, german: bool) -> bool:
    """The name is a person's ("Harrison Ford"), a place's ("Apple Valley", "auf Twitter"), or a thing's ("seinem Audi")."""
    last, next_ = near.last.rstrip("."), _CAPITALISED.match(near.behind)
    if last in words.first_names or (next_ and next_[1] in words.namesakes):
        return True
    if near.behind.startswith("-"):
        return False
    if name in words.platforms and _is_place(near):
        return True
    described = last[:1].islower() and last.endswith(("e", "er", "es", "en", "em")) and not _OWN.match(last)
    return german and bool(_OWN.match(near.second if described else last)) and near.behind[:3] not in (" AG", " SE")


def _is_place(near: Neighbours) -> bool:
    if near.last == "on":
        return bool(_POSTING.search(near.second))
    return (near.last in ("auf", "Auf", "via", "On") and near.second not in _TARGET_OF) or bool(_HANDLE.match(near.behind))


def is_common_noun(near: Neighbours, after: str) -> bool:
    """An ambiguous name used as a common noun: "eine Allianz", "die Allianz der Willigen"."""
    last = near.last.lower()
    return bool(_ONE_OF_MANY.match(last)) or (last in ("die", "der", "the") and _OF.match(after) is not None)


def cues(near: Surroundings, needs: int, words: Words, german: bool) -> int:
    """How many cues speak for the company, SURE where it is certain; below 0 where the words speak against it."""
    if near.head:
        return SURE if near.head in words.heads else -1
    behind = [word.group() for word in _WORD.finditer(near.after)]
    ahead = [word.group() for word in _WORD.finditer(near.before)]
    first = behind[0] if behind and re.match(r"[\s,(]", near.after) else ""
    if (
        first in words.legal
        or (ahead and ahead[-1].lower().rstrip(".").endswith(words.titles))
        or _TRADE_BEFORE.search(near.before)
    ):
        return SURE
    touching = bool(first) and near.after.startswith(" ")
    if touching and first.lower() in {"aktie", "aktien", "shares", "stock"}:
        return SURE
    found = int(not near.before and near.after.startswith(": "))  # "Telekom: Höttges bleibt"
    found += int(touching and first.lower() in words.verbs and first.lower() not in (_WEAK_VERBS if needs == 2 else ()))
    found += _speaks_of_trade(ahead[-9:] + behind[:9], words)
    continued = touching and first[0].isupper() and first.lower() not in words.near and first.lower() not in words.verbs
    if continued and (needs == 2 or not german):
        found -= 1 if needs < INHERITED else SURE + 1
    return found


_WEAK_VERBS = frozenset(
    (
        "is",
        "was",
        "has",
        "had",
        "will",
        "would",
        "to",
        "ist",
        "wird",
        "hat",
        "soll",
        "kann",
        "war",
        "wurde",
        "steht",
        "geht",
        "gibt",
    )
)


def _speaks_of_trade(tokens: list[str], words: Words) -> bool:
    lower = [token.lower().rstrip(".") for token in tokens]
    return any(word in words.near or _STEMS.search(word) for word in lower)
