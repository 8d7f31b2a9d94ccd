"""Feeds whose validators would break the next visit: it must send what is well-formed, and nothing else. Pure."""

from collections.abc import Iterator

from schemas.feed import VisitCode
from schemas.web import Kind
from tests.wire_hostile.case import Case, feed_answer, maker

_USUAL = "Sun, 06 Nov 1994 08:49:37 GMT"
#: Whether each may be sent back.
ETAGS = {
    '"a"': True,
    'W/"a"': True,
    '""': True,
    '"!#~"': True,
    f'"{"x" * 1000}"': True,
    "a": False,
    'w/"a"': False,
    '"a': False,
    'a"': False,
    '"a"b"': False,
    '"a b"': False,
    '"\xe4"': False,
    "\xe4": False,
    '"\x01"': False,
    '"\x7f"': False,
    '"a\tb"': False,
    f'"{"x" * 5000}"': False,
    "W/a": False,
    '"a", "b"': False,
    "*": False,
    '"\xff\xfe"': False,
    '"\u00a0"': False,
    "W/": False,
    "'a'": False,
    '"a";q=1': False,
    '\\"a\\"': False,
    '"\x1b[31m"': False,
    "null": False,
    '"\x80"': False,
}
DATES = {
    _USUAL: True,
    "Sunday, 06-Nov-94 08:49:37 GMT": True,
    "Sun Nov  6 08:49:37 1994": True,
    "Sun, 06 Nov 1994 09:49:37 +0100": True,
    "yesterday": False,
    "0": False,
    "-1": False,
    "": False,
    "So, 06 M\xe4r 1994 08:49:37 GMT": False,
    "Sun, 06 Nov 1994 08:49:37 GMT" + " " * 99 + "x": False,
    "Sun, 99 Nov 1994 08:49:37 GMT": False,
    "\x01": False,
    "Sun, 06 Nov 99999 08:49:37 GMT": False,
    "Sun, 06 Nov 1994 25:61:61 GMT": False,
    "x" * 5000: False,
    "\xff": False,
    "Sun, 00 Nov 1994 08:49:37 GMT": False,
    "1994-11-06T08:49:37Z": False,
    "Sun, 06 Nov 1994 08:49:37 \x7f": False,
    "None": False,
    "Thu, 31 Dec 9999 23:59:59 -2359": False,
}


def validators() -> Iterator[Case]:
    tag, date = maker(Kind.FEED, "etag"), maker(Kind.FEED, "modified")
    for n, (value, kept) in enumerate(ETAGS.items()):
        yield tag(
            str(n), f"ETag: {value[:30]!r}", feed_answer(ETag=value), VisitCode.PARSED, more={"etag": value if kept else None}
        )
    for n, (value, kept) in enumerate(DATES.items()):
        yield date(
            str(n),
            f"Last-Modified: {value[:30]!r}",
            feed_answer(Last_Modified=value),
            VisitCode.PARSED,
            more={"last_modified": value if kept else None},
        )
