"""Tags: companies named in an article and what is said of them."""

from dataclasses import dataclass
from datetime import datetime

from schemas.columns import col


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of the title or of the text: field[start:end]."""

    field: str = col("title or text")
    start: int = col("offset of the first character")
    end: int = col("offset after the last character")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One span that names a company, as the linker found it."""

    company_id: str
    name: str
    field: str
    start: int
    end: int
    surface: str
    alias_kind: str
    link_score: float
    margin: float | None = None
    role: str | None = None
    in_ad: bool = False

    @property
    def span(self) -> Span:
        return Span(field=self.field, start=self.start, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of one company or span: three probabilities that sum to 1 and the words they rest on."""

    p_negative: float
    p_neutral: float
    p_positive: float
    evidence: tuple[Span, ...] = ()
    mixed: bool = False
    hedged: bool = False

    @property
    def score(self) -> float:
        """p_positive minus p_negative, -1 to 1."""
        return self.p_positive - self.p_negative

    @property
    def sentiment(self) -> int:
        """The most probable class: -1, 0 or 1; 0 where two are equally probable."""
        best = max(self.p_negative, self.p_neutral, self.p_positive)
        if self.p_neutral == best or self.p_positive == self.p_negative:
            return 0
        return 1 if self.p_positive == best else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyTag:
    """One company in one article."""

    company_id: str
    name: str
    relevance: float
    in_headline: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Everything the taggers say of one article; `companies` by relevance, highest first; `targets` as asked."""

    links: tuple[Link, ...] = ()
    companies: tuple[CompanyTag, ...] = ()
    article: Verdict | None = None
    targets: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    mic: str | None = col("market identifier code (ISO 10383), null where unknown", default=None)
    ticker: str = col("ticker symbol on that market")
    currency: str | None = col("currency (ISO 4217)", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One company of the registry, as it stood when it was first used; a changed record supersedes the one before."""

    record_id: str = col("id of this record: a hash of all that follows", default="")
    company_id: str = col("id of the company: a slug that stays")
    name: str = col("name as people write it")
    country: str | None = col("country of its seat (ISO 3166, two letters)", default=None)
    isins: tuple[str, ...] = col("ISINs of its shares", default=())
    listings: tuple[Listing, ...] = col("where it is traded", default=())
    parent_id: str | None = col("the company that owns it", default=None)
    private: bool = col("not listed anywhere", default=False)
    registry: str = col("version of the registry this row is from", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagging:
    """One run of the taggers over one article version, also where it found nothing."""

    tagging_id: str = col("id of the run: version, tagger and registry")
    version_id: str = col("the article version read")
    article_id: str = col("its article")
    news_at: datetime = col("when that version was first available in the lake")
    tagger: str = col("version of the rules and models")
    registry: str = col("version of the company registry")
    mentions: int = col("spans found that name a company")
    companies: int = col("companies they name, promotion not counted")
    problem: str | None = col("what the taggers failed at, where they did; the run then found nothing", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One span that names a company."""

    tagging_id: str = col("the run that found it")
    version_id: str = col("the article version")
    article_id: str = col("its article")
    company_id: str = col("the company")
    name: str = col("the company's name at the time")
    news_at: datetime = col("when the article version was first available in the lake")
    field: str = col("title or text")
    start: int = col("offset of the first character")
    end: int = col("offset after the last character")
    surface: str = col("the words themselves")
    alias_kind: str = col("what kind of name it is: name, short, ticker, isin, product, former")
    link_score: float = col("how sure the link is, 0 to 1")
    margin: float | None = col("distance to the next best company", default=None)
    role: str | None = col("subject, product, former_employer … where recognised", default=None)
    in_ad: bool = col("the span stands in promotion, or in an advertorial, and counts for nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentiment:
    """What an article says of one company; company_id is null for the article as a whole.

    It carries what one wants to know of the article beside it (`news_…`): asking for a company's news opens no file of articles.
    """

    tagging_id: str = col("the run that judged")
    version_id: str = col("the article version")
    article_id: str = col("its article")
    company_id: str | None = col("the company, null for the article as a whole", default=None)
    news_at: datetime = col("when the article version was first available in the lake")
    p_negative: float = col("probability of negative, 0 to 1")
    p_neutral: float = col("probability of neutral, 0 to 1")
    p_positive: float = col("probability of positive, 0 to 1")
    score: float = col("p_positive minus p_negative, -1 to 1")
    sentiment: int = col("most probable class: -1, 0 or 1")
    evidence: tuple[Span, ...] = col("the words it rests on", default=())
    mixed: bool = col("both good and bad is said", default=False)
    hedged: bool = col("what is said is alleged, possible or denied", default=False)
    relevance: float = col("how much the article is about the company, 0 to 1", default=1.0)
    in_headline: bool = col("the company is named in the title", default=False)
    news_title: str | None = col("headline of the article version; null in rows older than this column", default=None)
    news_words: tuple[str, ...] = col("what stands at `evidence`, in its order", default=())
    news_url: str | None = col("address of its page", default=None)
    news_source: str | None = col("its publisher", default=None)
    news_language: str | None = col("its language", default=None)
    news_genre: str | None = col("promotion where the article is one", default=None)
