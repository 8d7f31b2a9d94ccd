"""What it means that a page is read again and says something else: a change, none, or that the article is lost. Pure."""

import re

from pipeline.dedupe import text_hash, url_key
from schemas.article import Access, Article
from schemas.outcome import OutcomeCode

#: A page that holds less than this share of the text, and only its beginning, has been cut off.
_CUT = 0.6
_MONTHS = (
    "jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz?|apr(?:il)?|may|mai|june?|juni?|july?|juli?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?|dez(?:ember)?"
)
_AROUND = (
    "last|first|updated?|modified|published|posted|edited|corrected|changed|as|of|on|at|the|from|by|date|time|ago|just|now|today|yesterday"
    "|zuletzt|aktualisiert|aktualisierung|letzte|geändert|bearbeitet|veröffentlicht|erschienen|stand|vom|von|am|um|der|uhr|vor|heute|gestern"
    "|pm|a|p|m|h|utc|gmt|cet|cest|mez|mesz|e[sd]?t|p[sd]?t|c[sd]t|bst|ist|jst|hkt|z"
    "|sec(?:ond)?s?|min(?:ute)?s?|hours?|hrs?|days?|sekunden?|minuten?|std|stunden?|tage?n?"
    "|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
    "|mo(?:ntag)?|di(?:enstag)?|mi(?:ttwoch)?|do(?:nnerstag)?|fr(?:eitag)?|sa(?:mstag)?|so(?:nntag)?"
)
#: A day, a time or how long ago; a row of figures has none.
_A_TIME = re.compile(
    rf"\b\d{{1,2}}:\d\d|\b\d{{1,2}}[./]\d{{1,2}}[./](?:\d\d){{1,2}}\b|\b\d{{4}}-\d\d-\d\d|\b(?:{_MONTHS})\b|\b(?:ago|vor|uhr)\b",
    re.IGNORECASE,
)
#: "Updated: Nov 25, 2026, 2:05 p.m. ET", "Stand: 25.11.2026, 14:05 Uhr", "vor 3 Stunden": nothing else stands around it.
_NOTHING_ELSE = re.compile(rf"(?>(?:{_MONTHS}|{_AROUND})\b|\d+(?:st|nd|rd|th)?|[\W_]+|t(?=\d))++", re.IGNORECASE)
_LONGEST_TIME_LINE = 80


def says_the_same(before: Article, now: Article) -> bool:
    """Whether two readings have the same title and words, but for promotion and for lines that say a time alone."""
    if before.title != now.title:
        return False
    return before.text_hash == now.text_hash or _without_times(before) == _without_times(now) != ""


def _without_times(article: Article) -> str:
    return text_hash(article.title, "\n".join(line for line in article.text.split("\n") if not is_a_time(line)))


def is_a_time(line: str) -> bool:
    """Whether a line says when, as one that a page shows of its last change does, and nothing else."""
    short = len(line) <= _LONGEST_TIME_LINE
    return short and bool(re.search(r"\d", line) and _A_TIME.search(line) and _NOTHING_ELSE.fullmatch(line))


def lost(before: Article, now: Article) -> tuple[OutcomeCode, str] | None:
    """Where the page shows the article no more, how that ends and why; None where it does, changed or not."""
    if now.access == Access.TEASER and before.access != Access.TEASER:
        return OutcomeCode.REFUSED, "only a teaser is shown now"
    begins = now.text.rstrip("… .\n")
    if begins and len(begins) < _CUT * len(before.text) and before.text.startswith(begins):
        return OutcomeCode.REFUSED, "only the beginning is shown now"
    if before.title != now.title and url_key(before.url or "") != url_key(now.url or ""):
        return OutcomeCode.GONE, f"leads to another page now: {now.url}"
    return None
