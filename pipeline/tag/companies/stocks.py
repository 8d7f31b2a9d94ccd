"""The stocks of pytickersymbols in our terms: country codes, markets, and only what can be trusted. Reads package data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.tag.companies.exchanges import MARKET_OF_MIC, MIC_OF_CODE, isin_is_valid
from pipeline.tag.companies.names import full_names
from schemas.tag import Listing

_COUNTRIES: Mapping[str, str] = {
    name: code
    for code, name in (
        *(
            ("JP", "Japan"),
            ("US", "United States"),
            ("DE", "Germany"),
            ("GB", "United Kingdom"),
            ("FR", "France"),
            ("ES", "Spain"),
        ),
        *(("IT", "Italy"), ("NL", "Netherlands"), ("FI", "Finland"), ("SE", "Sweden"), ("CH", "Switzerland"), ("BE", "Belgium")),
        *(("IE", "Ireland"), ("CN", "China"), ("LU", "Luxembourg"), ("AU", "Australia"), ("IM", "Isle of Man"), ("MX", "Mexico")),
        *(("AR", "Argentina"), ("GG", "Guernsey"), ("RU", "Russian Federation"), ("BM", "Bermuda"), ("CA", "Canada")),
        *(("IL", "Israel"), ("SG", "Singapore"), ("BS", "Bahamas")),
    )
}


@dataclass(frozen=True, slots=True)
class Stock:
    """One record of the package; `names` are what people may call it, the longest first."""

    name: str
    names: tuple[str, ...]
    country: str | None
    isins: tuple[str, ...]
    listings: tuple[Listing, ...]
    ticker: str

    @staticmethod
    def listing(mic: str, ticker: str) -> Listing:
        return Listing(mic=mic, ticker=ticker)


def read_stocks(tails: re.Pattern[str]) -> list[Stock]:
    """All stocks, by name, so that ids derived from them do not depend on the package's order."""
    from pytickersymbols import PyTickerSymbols  # 0.2 s of data that only the loading of the registry needs

    records = sorted(PyTickerSymbols().get_all_stocks(), key=lambda r: (r["name"], r.get("symbol", "")))
    return [_stock(record, tails) for record in records]


def _stock(record: Mapping[str, Any], tails: re.Pattern[str]) -> Stock:
    country = _country(record)
    isins = tuple(i for i in record.get("isins", ()) if i[:2] == country and isin_is_valid(i))
    names = full_names(record["name"], tails)
    return Stock(names[0], names, country, isins, tuple(_listings(record, country)), record.get("symbol", ""))


def _country(record: Mapping[str, Any]) -> str | None:
    """The seat's country; the package gives a city and state for most American companies, and a few have none."""
    place = record.get("country") or ""
    if "," in place:
        return _COUNTRIES.get(place.rsplit(",", 1)[1].strip(), "US")
    return _COUNTRIES.get(place)


def _listings(record: Mapping[str, Any], country: str | None) -> Iterator[Listing]:
    """Listings at home; the package's foreign ones are often over-the-counter, ended, or another company's."""
    seen = set()
    for symbol in record.get("symbols") or ():
        code, _, ticker = symbol.get("google", "").rpartition(":")
        mic = MIC_OF_CODE.get(code)
        market = MARKET_OF_MIC[mic] if mic else "US" if not code and country == "US" else None
        if market == country and market is not None and ticker.strip("-") and (market, ticker) not in seen:
            seen.add((market, ticker))
            yield Listing(mic=mic, ticker=ticker, currency=symbol.get("currency"))
