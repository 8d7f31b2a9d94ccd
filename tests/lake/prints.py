"""Articles that say something of companies, as a batch's read and tag stages would have left them, at moments the test names."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.lake.layout import Lake
from schemas.article import Article, Relation
from schemas.tag import Company, Listing, Mention, Sentiment, Span, Tagging
from tests.lake.sample import add, moment


@dataclass(frozen=True)
class Print:
    """An article `id` that became available at a moment (UTC); `said` is company → (score, relevance)."""

    id: str
    at: str
    said: dict[str, tuple[float, float]] = field(default_factory=lambda: {"sap": (0.5, 1.0)})
    source: str = "A"
    copy_of: str | None = None
    genre: str | None = None
    mixed: bool = False
    begun: str | None = None  # when its batch began, where that was on another day

    @property
    def news_at(self) -> datetime:
        return moment(self.at)

    @property
    def ids(self) -> dict[str, str]:
        return {"version_id": f"v_{self.id}", "article_id": f"a_{self.id}"}


def add_prints(lake: Lake, *prints: Print) -> None:
    """Commits them in one batch a day."""
    days: dict[datetime, list[Print]] = defaultdict(list)
    for p in prints:
        days[moment(p.begun or p.at[:10])].append(p)
    for at, those in sorted(days.items()):
        related = [_copy(p) for p in those if p.copy_of]
        add(lake, at, "read", articles=[_article(p) for p in those], **({"relations": related} if related else {}))
        tagged = {"taggings": [_tagging(p) for p in those], "sentiments": [s for p in those for s in _said(p)]}
        add(lake, at, "tag", mentions=[m for p in those for m in _mentions(p)], **tagged)


def add_company(lake: Lake, at: str, company_id: str, name: str, isin: str = "", ticker: str = "") -> None:
    listings = (Listing(mic="XETR", ticker=ticker),) if ticker else ()
    made = Company(company_id=company_id, name=name, isins=(isin,) if isin else (), listings=listings, record_id=f"{name} {at}")
    add(lake, moment(at), "tag", companies=[made])


def _article(p: Print) -> Article:
    return Article(
        **p.ids, entry_id=f"e_{p.id}", revision="r", feed_id=p.source.lower(), source=p.source, title=f"Title {p.id}",
        text=f"Text {p.copy_of or p.id}.", url=f"https://{p.source}.example/{p.id}".lower(), seen_at=p.news_at, genre=p.genre,
        text_hash=p.copy_of or p.id, extractor="x", language="de",
    )  # fmt: skip


def _copy(p: Print) -> Relation:
    other = {"other_version_id": f"v_{p.copy_of}", "other_article_id": f"a_{p.copy_of}", "story_id": f"a_{p.copy_of}"}
    return Relation(**p.ids, **other, kind="duplicate_of", method="m", containment=1, lag_s=60)


def _tagging(p: Print) -> Tagging:
    counts = {"mentions": len(p.said), "companies": len(p.said)}
    return Tagging(tagging_id=f"t_{p.id}", **p.ids, news_at=p.news_at, tagger="x", registry="y", **counts)


def _said(p: Print) -> list[Sentiment]:
    """What is said of each company, on the first word of the title and of the text; and of nobody in particular."""
    a, spans = _article(p), (Span(field="title", start=0, end=5), Span(field="text", start=0, end=4))
    return [
        Sentiment(
            tagging_id=f"t_{p.id}", **p.ids, company_id=company, news_at=p.news_at, p_negative=(1 - score) / 2, p_neutral=0,
            p_positive=(1 + score) / 2, score=score, sentiment=(score > 0) - (score < 0), relevance=relevance,
            in_headline=relevance == 1, mixed=p.mixed, evidence=spans,
            news_title=a.title, news_words=("Title", "Text"), news_url=a.url,
            news_source=a.source, news_language=a.language, news_genre=a.genre,
        )
        for company, (score, relevance) in [*p.said.items(), (None, (0.0, 1.0))]
    ]  # fmt: skip


def _mentions(p: Print) -> list[Mention]:
    """One of each company; in an advertisement, of a company that is named there alone."""
    named = [(company, False) for company in p.said] + [("advertised", True)]
    return [
        Mention(tagging_id=f"t_{p.id}", **p.ids, company_id=company, name=company, news_at=p.news_at, field="text", start=0,
                end=4,
                surface="Text", alias_kind="name", link_score=1, in_ad=in_ad) for company, in_ad in named
    ]  # fmt: skip
