"""Texts whose accents are written apart, and the way back to their own offsets. Pure.

Names and words are known in NFC. A text in another form is read composed; what is found is given in the text's own offsets.
"""

import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, replace

from schemas.article import Block
from schemas.tag import CompanyTag, Link, Span, Tags, Verdict

# A character and what is written over it; combining marks begin at U+0300.
_CLUSTER = re.compile("[^\u0300-\U0010ffff][\u0300-\u036f]+")


@dataclass(frozen=True, slots=True)
class Composed:
    """A text composed, and by how much offsets in it fall short of those in the text as given."""

    text: str
    at: tuple[int, ...]  # where, in the composed text, a shift begins to hold
    shift: tuple[int, ...]

    @classmethod
    def of(cls, given: str) -> "Composed":
        at, shift, pieces, last, gone = [0], [0], [], 0, 0
        for match in _CLUSTER.finditer(given) if not unicodedata.is_normalized("NFC", given) else ():
            whole = unicodedata.normalize("NFC", match[0])
            pieces += [given[last : match.start()], whole]
            gone += len(match[0]) - len(whole)
            last = match.end()
            at.append(last - gone)
            shift.append(gone)
        return cls("".join([*pieces, given[last:]]), tuple(at), tuple(shift))

    def given(self, offset: int) -> int:
        """The offset in the text as given."""
        return offset + self.shift[bisect_right(self.at, offset) - 1]

    def composed(self, offset: int) -> int:
        """The offset in the composed text; one inside a character becomes the offset after it."""
        place = bisect_right(self.at, offset, key=self.given) - 1
        following = self.at[place + 1] if place + 1 < len(self.at) else offset
        return min(offset - self.shift[max(0, place)], following)


@dataclass(frozen=True, slots=True)
class Fields:
    """The title and the text of one article, composed."""

    title: Composed
    text: Composed

    def inward(self, span: Span) -> Span:
        field = self.title if span.field == "title" else self.text
        return replace(span, start=field.composed(span.start), end=field.composed(span.end))

    def ad(self, ad: Block) -> Block:
        return replace(ad, start=self.text.composed(ad.start), end=self.text.composed(ad.end))

    def outward(self, tags: Tags, title: str, text: str) -> Tags:
        """The tags in the offsets of the title and the text as given."""
        written = {"title": (self.title, title), "text": (self.text, text)}

        def span(found: Span) -> Span:
            field, _ = written[found.field]
            return replace(found, start=field.given(found.start), end=field.given(found.end))

        def verdict(said: Verdict) -> Verdict:
            return replace(said, evidence=tuple(map(span, said.evidence)))

        def link(found: Link) -> Link:
            there = span(found.span)
            return replace(found, start=there.start, end=there.end, surface=written[found.field][1][there.start : there.end])

        def company(tag: CompanyTag) -> CompanyTag:
            return replace(tag, verdict=verdict(tag.verdict))

        return Tags(
            links=tuple(map(link, tags.links)),
            companies=tuple(map(company, tags.companies)),
            article=verdict(tags.article) if tags.article else None,
            targets=tuple(map(verdict, tags.targets)),
        )
