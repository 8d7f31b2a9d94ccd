"""Price reports that follow the written articles without end, each derived from its sequence number alone.

Pure but for reading its phrases.
"""

import re
import tomllib
from datetime import timedelta
from functools import cache
from hashlib import blake2b
from typing import Any

from pipeline.wire.newsroom import HERE, Article, Placement

PUBLISHER = "tickerspatz"
FIRST_MINUTE = 6
EVERY_MINUTES = 2
SECTION = "kurse"

# At most seven digits: a hundred years after the start a path still leads to a date that exists.
_PATH = re.compile(rf"/{SECTION}/[a-z0-9-]+-(\d{{1,7}})\.html")


def count(elapsed: timedelta) -> int:
    """How many reports are out so long after the start."""
    return max(0, (elapsed - timedelta(minutes=FIRST_MINUTE)) // timedelta(minutes=EVERY_MINUTES) + 1)


def number_in(path: str) -> int | None:
    """The sequence number in a report's path; None where the path is of another kind."""
    match = _PATH.fullmatch(path)
    return int(match[1]) if match else None


def report(number: int) -> Article:
    """The report of this sequence number: German for even numbers, English for odd ones."""
    phrases = _phrases()
    language = ("de", "en")[number % 2]
    # 23 companies and a step of 7: neighbours differ, and every company comes up in both languages.
    company = phrases["companies"][number * 7 % len(phrases["companies"])]
    words = phrases[language]
    percent = _draw(number, "percent", -480, 480) / 100
    values = _values(number, company, percent, language)
    values |= {"currency": words["currencies"][company["currency"]], "venue": words["venues"][company["venue"]]}
    tone = "flat" if abs(percent) < 0.3 else "up" if percent > 0 else "down"

    def say(part: str) -> str:
        variants = words[part].get(tone) or words[part]["any"]
        return str(variants[_draw(number, part, 0, len(variants) - 1)]).format(**values)

    return Article(
        slug=f"{company['name'].lower().replace(' ', '-')}-{number}",
        language=language,
        title=say("title"),
        summary=say("opening"),
        author=words["author"],
        body="\n\n".join([say("reason"), f"{say('range')} {say('outlook')}", company[language]]),
        placements=(
            Placement(publisher=PUBLISHER, minutes=FIRST_MINUTE + EVERY_MINUTES * number, section=SECTION, metadata="json-ld"),
        ),
    )


def _values(number: int, company: dict[str, Any], percent: float, language: str) -> dict[str, str]:
    previous = company["level"] * (1 + _draw(number, "level", -900, 900) / 10_000)
    price = previous * (1 + percent / 100)
    figures = {
        "pct": abs(percent),
        "previous": previous,
        "price": price,
        "low": min(price, previous) * (1 - _draw(number, "low", 5, 90) / 10_000),
        "high": max(price, previous) * (1 + _draw(number, "high", 5, 90) / 10_000),
        "volume": _draw(number, "volume", 110, 3900) / 100,
        "target": round(previous * (1 + _draw(number, "target", -60, 240) / 1000)),
    }
    written = {key: f"{value:,.0f}" if key == "target" else f"{value:,.2f}" for key, value in figures.items()}
    german = str.maketrans(",.", ".,")
    numbers = {key: text.translate(german) for key, text in written.items()} if language == "de" else written
    return {"name": company["name"], "joined": company["name"].replace(" ", "-")} | numbers


def _draw(number: int, what: str, low: int, high: int) -> int:
    """A number from `low` to `high` that looks like chance and is the same on every machine."""
    digest = blake2b(f"{number}:{what}".encode(), digest_size=8).digest()
    return low + int.from_bytes(digest, "big") % (high - low + 1)


@cache
def _phrases() -> dict[str, Any]:
    return tomllib.loads((HERE / "reports.toml").read_text("utf-8"))
