"""The sample wire's publishers and written articles, read from the files beside this module. Pure but for reading those files.

A body is plain text: blocks divided by blank lines, `## ` before a heading, `- ` before list items, `| ` before table rows,
and `{date}` where the day of publication stands in words.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """An invented publisher: one host, one feed, perhaps a news sitemap. Without `robots` its robots.txt answers 404."""

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
    sitemap_path: str | None = None

    @property
    def feeds(self) -> dict[str, str]:
        """The path of each of its feeds by feed_id, the main one first."""
        return {self.key: self.feed_path} | ({f"{self.key}-sitemap": self.sitemap_path} if self.sitemap_path else {})

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
    feed: Literal["", "sitemap"] = ""  # sitemap: stands in the publisher's news sitemap only
    page: Literal["article", "paywall", "consent", "slow", "amp"] = "article"  # what answers at the link
    sponsored: bool = False  # an advertorial, marked as one
    date_offset_hours: float = 0  # how far off the truth the date is that feed and page claim


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A later wording, shown by feed and page so many minutes after the wire's first start."""

    minutes: float
    title: str | None = None
    summary: str | None = None
    note: str | None = None  # put at the end of the body, such as a correction
    replace: tuple[tuple[str, str], ...] = ()  # old and new words of the body


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
    revisions: tuple[Revision, ...] = ()

    @property
    def blocks(self) -> list[str]:
        """Paragraphs, headings, lists and tables, in order."""
        return [block.strip() for block in self.body.split("\n\n") if block.strip()]

    def revised(self, revision: Revision) -> Self:
        """The story in its later wording."""
        body = self.body
        for old, new in revision.replace:
            body = body.replace(old, new)
        if revision.note:
            body = f"{body.rstrip()}\n\n{revision.note}\n"
        return replace(self, title=revision.title or self.title, summary=revision.summary or self.summary, body=body)


def publishers() -> dict[str, Publisher]:
    """Every publisher by key, in the order of the file."""
    read = tomllib.loads((HERE / "publishers.toml").read_text("utf-8"))
    return {key: Publisher(key=key, **values) for key, values in read.items()}


def articles() -> list[Article]:
    """Every written article, in the order of the file names."""
    return [_article(path) for path in sorted((HERE / "articles").glob("*.toml"))]


def _article(path: Path) -> Article:
    read = tomllib.loads(path.read_text("utf-8"))
    placements, revisions = tuple(map(_placement, read.pop("at"))), tuple(map(_revision, read.pop("revision", ())))
    return Article(slug=path.stem, placements=placements, revisions=revisions, **read)


def _placement(read: dict[str, Any]) -> Placement:
    return Placement(promotion=tuple(Promotion(**each) for each in read.pop("promotion", ())), **read)


def _revision(read: dict[str, Any]) -> Revision:
    return Revision(replace=tuple((old, new) for old, new in read.pop("replace", ())), **read)
