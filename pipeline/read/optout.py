"""What a page, or the server with it, asks machines not to do: noai, noimageai, noarchive, tdm-reservation. Pure.

Noted beside what was read, whomever it is addressed to (`X-Robots-Tag: somebot: noai` counts like one without a name).
TDM Reservation Protocol: https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from schemas.web import Header

_ASKED = ("noai", "noarchive", "noimageai")
_LONGEST_POLICY = 500


def opt_outs_of(meta: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Those in a page's meta elements, given by name."""
    return _signals(meta.get("robots", ()), meta.get("tdm-reservation", ()), meta.get("tdm-policy", ()))


def opt_outs_sent(headers: Iterable[Header]) -> tuple[str, ...]:
    """Those in the headers of an answer."""
    sent: dict[str, list[str]] = {"x-robots-tag": [], "tdm-reservation": [], "tdm-policy": []}
    for header in headers:
        if header.name in sent:
            sent[header.name].append(header.value)
    return _signals(*sent.values())


def _signals(robots: Iterable[str], reserved: Iterable[str], policies: Iterable[str]) -> tuple[str, ...]:
    words = {word for said in robots for word in re.split(r"[\s,:]+", said.lower())}
    found = [word for word in _ASKED if word in words]
    if any(said.strip() == "1" for said in reserved):
        found.append("tdm-reservation")
    found += [f"tdm-policy: {said.strip()[:_LONGEST_POLICY]}" for said in policies if said.strip()]
    return tuple(dict.fromkeys(found))
