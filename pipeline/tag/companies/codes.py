"""Tickers and ISINs in a text, and the names they stand behind. Pure."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from pipeline.tag.companies.exchanges import MARKET_OF_MIC, MARKET_OF_SUFFIX, MIC_OF_CODE

_TICKER = re.compile(
    r"[(\[<$](?:(?<=[(\[])(?:[^()\[\]]{0,30}[;,] ?)?(?P<code>[A-Za-z]{3,8}): ?(?P<coded>[A-Z0-9][A-Z0-9.\-]{0,9})(?=[^A-Za-z0-9])"
    r"|(?<=[<(\[])(?P<suffixed>[A-Z0-9][A-Z0-9\-]{0,7})\.(?P<suffix>[A-Z]{1,2})[>)\]]"
    r"|(?<=\$)(?<![\w$]\$)(?P<cash>[A-Z]{1,5})(?![\w.]*\w)"
    r"|(?<=\()(?P<bare>[A-Z]{2,5})\))"
)
_LEGAL_ONLY = re.compile(
    r"[\s,;:]*(?:(?:AG|SE|KGaA|Inc|Corp|Corporation|Company|Co|plc|Plc|PLC|Ltd|Limited|NV|SA|Group|Holdings?|Platforms|Technologies|&)"
    r"\.?[\s,;:]*){0,3}"
)
_SAME_CLAUSE = re.compile(r"[^()<>,;:\n\"]*(?:, Inc\.?)?[\s,]*")


@dataclass(frozen=True, slots=True)
class Code:
    """A ticker or ISIN of a known company; `opens` is where its bracket does. A bare one only confirms the name before it."""

    start: int
    end: int
    opens: int
    company_id: str
    kind: str
    bare: bool = False


_opens = attrgetter("opens")


def codes_in(text: str, tickers: Mapping[tuple[str, str], str], isins: Iterable[tuple[int, int, str]]) -> list[Code]:
    """The codes of known companies, by where they open; `isins` are spans already found, with their companies."""
    codes = []
    for match in _TICKER.finditer(text):
        named = _market_and_ticker(match)
        company = tickers.get(named[:2]) if named else None
        if named and company:
            codes.append(Code(*named[2], match.start(), company, "ticker", match["bare"] is not None))
    for start, end, company in isins:
        opens = text.rfind("(", max(0, start - 40), start)
        codes.append(Code(start, end, opens if opens >= 0 and ")" not in text[opens:start] else start, company, "isin"))
    return sorted(codes, key=_opens)


def _market_and_ticker(match: re.Match[str]) -> tuple[str, str, tuple[int, int]] | None:
    """Market, ticker and where the ticker stands; None for an exchange nobody knows."""
    if match["code"]:
        mic = MIC_OF_CODE.get(match["code"].upper())
        return (MARKET_OF_MIC[mic], match["coded"].rstrip("."), match.span("coded")) if mic else None
    if match["suffixed"]:
        market = MARKET_OF_SUFFIX.get(match["suffix"])
        return (market, match["suffixed"], match.span("suffixed")) if market else None
    group = "cash" if match["cash"] else "bare"
    return "US", match[group], match.span(group)


def apposed(text: str, end: int, company_ids: set[str], codes: Sequence[Code]) -> Code | None:
    """The code that belongs to a name that ends at `end`: "Apple Inc. (NASDAQ: AAPL)", "Apple's shares <AAPL.O>"."""
    for code in codes[bisect_left(codes, end, key=_opens) :]:
        if code.opens > end + 40:
            return None
        between = _SAME_CLAUSE if code.company_id in company_ids else _LEGAL_ONLY
        if between.fullmatch(text, end, code.opens):
            return code
    return None
