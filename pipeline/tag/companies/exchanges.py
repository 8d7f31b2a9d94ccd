"""Exchanges and the codes that news, feeds and terminals use for them. Pure.

Tickers are unique on one market only; a market here is the two letters of its country, because a text that says
"(SAP.DE)" or "(ETR: SAP)" does not tell Xetra from Frankfurt.
"""

from collections.abc import Mapping

MARKET_OF_MIC: Mapping[str, str] = {
    **dict.fromkeys(("XNYS", "XNAS"), "US"),
    **dict.fromkeys(("XETR", "XFRA"), "DE"),
    **dict.fromkeys(("XNSE", "XBOM"), "IN"),
    **dict.fromkeys(("XSHG", "XSHE"), "CN"),
    "XLON": "GB",
    "XPAR": "FR",
    "XAMS": "NL",
    "XMIL": "IT",
    "XMAD": "ES",
    "XSWX": "CH",
    "XWBO": "AT",
    "XHKG": "HK",
    "XTKS": "JP",
    "XTSE": "CA",
    "XASX": "AU",
    "XKRX": "KR",
    "XCSE": "DK",
    "XSTO": "SE",
    "XOSL": "NO",
    "XHEL": "FI",
    "XBRU": "BE",
    "XTAI": "TW",
    "XDUB": "IE",
    "XSES": "SG",
    "XSAU": "SA",
    "XJSE": "ZA",
}
# The codes before the colon in "(NASDAQ: AAPL)".
MIC_OF_CODE: Mapping[str, str] = {
    "NYSE": "XNYS",
    "NASDAQ": "XNAS",
    "NASDAQGS": "XNAS",
    "NASDAQGM": "XNAS",
    "LON": "XLON",
    "LSE": "XLON",
    "ETR": "XETR",
    "XETRA": "XETR",
    "FRA": "XFRA",
    "FWB": "XFRA",
    "EPA": "XPAR",
    "AMS": "XAMS",
    "BIT": "XMIL",
    "BME": "XMAD",
    "SWX": "XSWX",
    "SIX": "XSWX",
    "VIE": "XWBO",
    "HKG": "XHKG",
    "HKEX": "XHKG",
    "SEHK": "XHKG",
    "TYO": "XTKS",
    "TSX": "XTSE",
    "NSE": "XNSE",
    "BSE": "XBOM",
    "ASX": "XASX",
    "KRX": "XKRX",
    "CPH": "XCSE",
    "STO": "XSTO",
    "OSL": "XOSL",
    "HEL": "XHEL",
    "EBR": "XBRU",
}
# The letters after the dot in "<JPM.N>" and "SAP.DE".
MARKET_OF_SUFFIX: Mapping[str, str] = {
    **dict.fromkeys(("N", "O", "OQ", "K", "A"), "US"),
    "DE": "DE",
    "F": "DE",
    "L": "GB",
    "PA": "FR",
    "AS": "NL",
    "MI": "IT",
    "MC": "ES",
    "SW": "CH",
    "S": "CH",
    "VX": "CH",
    "VI": "AT",
    "HK": "HK",
    "T": "JP",
    "TO": "CA",
    "NS": "IN",
    "BO": "IN",
    "AX": "AU",
    "KS": "KR",
    "CO": "DK",
    "ST": "SE",
    "OL": "NO",
    "HE": "FI",
    "BR": "BE",
    "SS": "CN",
    "SZ": "CN",
    "TW": "TW",
    "IR": "IE",
    "SI": "SG",
}


def isin_is_valid(isin: str) -> bool:
    """The check digit is right."""
    digits = "".join(str(int(c, 36)) for c in isin[:-1])
    doubled = (int(c) * (2 - n % 2) for n, c in enumerate(reversed(digits)))
    return (10 - sum(d // 10 + d % 10 for d in doubled) % 10) % 10 == int(isin[-1])
