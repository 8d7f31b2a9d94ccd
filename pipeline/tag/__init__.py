"""Article → tags: which companies it names, how much it is about each, and what it says of them. Pure but for `Tagger.load`."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from unicodedata import is_normalized

from pipeline.tag import companies, sentiment
from pipeline.tag.composed import Composed, Fields
from pipeline.tag.relevance import Weight, blank, relevance
from schemas.article import Block
from schemas.tag import Company, CompanyTag, Link, Span, Tags, Verdict

__all__ = ["Tagger"]

_MOST_JUDGED = 500  # links whose sentences are read; later ones still count for relevance
_NEAR = 1000  # characters within which another name can matter to a span
_MOST_NEAR = 60
_TOPIC_SHARE = 0.5  # from this share of the mentions on, sentences that name nobody are about the company


@dataclass(frozen=True, slots=True)
class Tagger:
    """Links companies and judges what is said of them."""

    registry: "companies.Registry"

    @classmethod
    @cache
    def load(cls) -> "Tagger":
        """The tagger with the registry and lexicons that are shipped; the same one for a whole process."""
        return cls(companies.load_registry())

    @property
    def version(self) -> str:
        return sentiment.MODEL

    @property
    def registry_version(self) -> str:
        return self.registry.version

    @property
    def companies(self) -> Mapping[str, Company]:
        return self.registry.companies

    def tag(
        self, title: str, text: str, language: str | None, ads: tuple[Block, ...] = (), targets: tuple[Span, ...] = ()
    ) -> Tags:
        """The tags of one article; `ads` are the parts of the text that are promotion, `targets` spans to be judged besides."""
        if not (is_normalized("NFC", title) and is_normalized("NFC", text)):
            fields = Fields(Composed.of(title), Composed.of(text))
            inside = tuple(map(fields.ad, ads)), tuple(map(fields.inward, targets))
            return fields.outward(self._tag_composed(fields.title.text, fields.text.text, language, *inside), title, text)
        return self._tag_composed(title, text, language, ads, targets)

    def _tag_composed(
        self, title: str, text: str, language: str | None, ads: tuple[Block, ...], targets: tuple[Span, ...]
    ) -> Tags:
        links = companies.link(self.registry, title, text, language, ads)
        return tags_of(title, text, language, links, ads, targets)


def tags_of(
    title: str,
    text: str,
    language: str | None,
    links: tuple[Link, ...],
    ads: tuple[Block, ...] = (),
    targets: tuple[Span, ...] = (),
) -> Tags:
    """The tags of one article whose links are known."""
    news = blank(text, ads)
    return Tags(
        links=links,
        companies=_companies(title, news, language, links),
        article=sentiment.judge_article(title, news, language),
        targets=_targets(title, text, language, links, targets),
    )


def _companies(title: str, news: str, language: str | None, links: Sequence[Link]) -> tuple[CompanyTag, ...]:
    counted = sorted((link for link in links if not link.in_ad), key=lambda link: (link.field == "text", link.start))
    weights = relevance(counted, bool(title), len(news))
    judged = counted[:_MOST_JUDGED]
    leading = max(weights, key=lambda company: (weights[company].share, weights[company].relevance), default=None)
    tags = []
    for company_id, weight in weights.items():
        alone = weight.in_headline and sum(other.in_headline for other in weights.values()) == 1
        topic = company_id == leading and (alone or weight.share >= _TOPIC_SHARE)
        verdict = sentiment.judge_company(
            title,
            news,
            [link.span for link in judged if link.company_id == company_id],
            [link.span for link in judged if link.company_id != company_id],
            language,
            topic=topic,
        )
        tags.append(_tag(company_id, weight, verdict))
    return tuple(sorted(tags, key=lambda tag: -tag.relevance))


def _tag(company_id: str, weight: Weight, verdict: Verdict) -> CompanyTag:
    return CompanyTag(
        company_id=company_id,
        name=weight.name,
        relevance=weight.relevance,
        in_headline=weight.in_headline,
        verdict=verdict,
    )


def _targets(title: str, text: str, language: str | None, links: Sequence[Link], targets: Sequence[Span]) -> tuple[Verdict, ...]:
    if not targets:
        return ()
    spans = sorted({*targets, *(link.span for link in links)}, key=lambda span: (span.field, span.start, -span.end))
    keys = [(span.field, span.start) for span in spans]

    def near(target: Span) -> list[Span]:
        at = bisect_left(keys, (target.field, target.start))
        around = spans[max(0, at - _MOST_NEAR) : at + _MOST_NEAR]
        close = (other for other in around if other.field == target.field and abs(other.start - target.start) < _NEAR)
        return sorted((other for other in close if other != target), key=lambda other: other not in asked)

    asked = set(targets)
    return tuple(sentiment.judge_span(title, text, target, near(target), language) for target in targets)
