"""The sample wire's publishers and written articles, read from the files beside this module. Pure but for reading those files.

A body is plain text: blocks divided by blank lines, `## ` before a heading, `- ` before list items, `| ` before table rows,
and `{date}` where the day of publication stands in words.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """An invented publisher: one host, one feed. Without `robots` its robots.txt answers 404."""

    key: str
    name: str
    tagline: str
    zone: str
    charset: str
    feed_kind: str
    feed_path: str
    feed_title: str
    page_path: str
    about_title: str
    about: list[str]
    not_found_title: str
    not_found: str
    related_title: str
    sections: Mapping[str, str]
    language: str | None = None
    robots: str | None = None

    @property
    def host(self) -> str:
        """Its name, which browsers resolve to loopback without asking anybody."""
        return f"{self.key}.localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """A paragraph that sells something, placed after so many blocks of an article's body."""

    after: int
    text: str
    link: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One entry of one feed: when it appears, how it links to the page, and what that page carries beside the article."""

    publisher: str
    minutes: float  # after the wire's first start; negative is before
    section: str
    metadata: str = "meta"  # json-ld, meta or visible: where the page tells its date
    page_at: str | None = None  # the publisher whose page is linked, where not its own
    query: str = ""  # tracking parameters of the link
    redirect: int = 0  # status of a redirect on the way to the page
    dated: bool = True  # whether the feed gives the date
    unavailable_minutes: float = 0  # for so long after its publication the page answers 503
    promotion: tuple[Promotion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A story as written. Without a body it is announced in a feed, but its page is gone."""

    slug: str
    language: str
    title: str
    summary: str
    author: str
    body: str = ""
    placements: tuple[Placement, ...] = field(default=(), repr=False)

    @property
    def blocks(self) -> list[str]:
        """Paragraphs, headings, lists and tables, in order."""
        return [block.strip() for block in self.body.split("\n\n") if block.strip()]


def publishers() -> dict[str, Publisher]:
    """Every publisher by key, in the order of the file."""
    read = tomllib.loads((HERE / "publishers.toml").read_text("utf-8"))
    return {key: Publisher(key=key, **values) for key, values in read.items()}


def articles() -> list[Article]:
    """Every written article, in the order of the file names."""
    return [_article(path) for path in sorted((HERE / "articles").glob("*.toml"))]


def _article(path: Path) -> Article:
    read = tomllib.loads(path.read_text("utf-8"))
    return Article(slug=path.stem, placements=tuple(map(_placement, read.pop("at"))), **read)


def _placement(read: dict[str, Any]) -> Placement:
    return Placement(promotion=tuple(Promotion(**each) for each in read.pop("promotion", ())), **read)
