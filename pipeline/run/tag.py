"""The stage tag: names the companies in every article version not tagged yet, and judges what is said of them."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import duckdb

from pipeline.lake import connect
from pipeline.lake.commit import Timing, confirm_batches
from pipeline.lake.forget import forgotten
from pipeline.lake.layout import BatchRef
from pipeline.lake.rows import Tables
from pipeline.lake.work import Untagged, known_companies, tagged_versions, untagged
from pipeline.read import EXTRACTOR, promotion_spans
from pipeline.run.context import Context, Decided, Say, is_mine
from pipeline.tag import Tagger
from schemas import ids
from schemas.article import Article
from schemas.columns import from_arrow, to_arrow
from schemas.outcome import CameIn
from schemas.tag import Company, Mention, Sentiment, Tagging, Tags, Verdict

_TABLES: dict[str, type] = {"taggings": Tagging, "mentions": Mention, "sentiments": Sentiment, "companies": Company}


def work(context: Context) -> Tables:
    """Tags this shard's share of what no tagger has read: taggings, mentions, sentiments, and the companies named."""
    with connect(context.lake.root) as con:
        # an expired batch leaves what waits to a newer one
        waiting = [] if context.expired else [u for u in untagged(con) if is_mine(context, u.article.article_id)]
        # what is tagged counts from when its article could be read, so that must be known for certain first
        timing = Timing(context.settings.clock_tolerance)
        if not confirm_batches(context.lake, {BatchRef(u.batch_id, "read") for u in waiting}, timing):
            waiting = [u for u in untagged(con) if is_mine(context, u.article.article_id)]
    context.say(f"{len(waiting)} article versions to tag")
    came_in = [CameIn(id=u.article.version_id, name=f"{u.article.version_id} {u.article.title!r}") for u in waiting]
    return {"came_in": to_arrow(came_in, CameIn), **results(waiting, context.say, Tagger.load)}


def results(waiting: Sequence[Untagged], say: Say, load: Callable[[], Tagger]) -> Tables:
    """What is said in these versions: taggings, mentions, sentiments, and the companies named."""
    rows: dict[str, list[object]] = {name: [] for name in _TABLES}
    if waiting:
        tagger = load()
        for one in waiting:
            problem = _tag(tagger, one, rows)
            if problem:
                say(f"failed: {one.article.version_id} {one.article.title!r} ({problem})")
        named = {m.company_id for m in rows["mentions"] if isinstance(m, Mention)}
        rows["companies"] = [tagger.companies[i] for i in sorted(named)]
        say(f"{len(rows['mentions'])} mentions of {len(named)} companies")
    return {name: to_arrow(rows[name], row) for name, row in _TABLES.items()}


def decide(con: duckdb.DuckDBPyConnection, merged: Tables) -> Decided:
    """What of the shards' results the lake does not have: versions tagged meanwhile are left out, companies are added once."""
    taggings = from_arrow(merged["taggings"], Tagging)
    had = tagged_versions(con, [t.version_id for t in taggings])
    gone = forgotten(con, [t.article_id for t in taggings])
    fresh = {t.version_id: t for t in taggings if t.version_id not in had and t.article_id not in gone}
    runs = {t.tagging_id for t in fresh.values()}
    mentions = {(m.version_id, m.field, m.start): m for m in from_arrow(merged["mentions"], Mention) if m.tagging_id in runs}
    sentiments = {(s.version_id, s.company_id): s for s in from_arrow(merged["sentiments"], Sentiment) if s.tagging_id in runs}
    companies = {c.company_id: c for c in from_arrow(merged["companies"], Company)}
    known = known_companies(con, list(companies))
    tables = {
        "taggings": to_arrow(fresh.values(), Tagging),
        "mentions": to_arrow(mentions.values(), Mention),
        "sentiments": to_arrow(sentiments.values(), Sentiment),
        "companies": to_arrow([c for c in companies.values() if known.get(c.company_id) != c.record_id], Company),
    }
    said = Counter(_WORDS[s.sentiment] for s in sentiments.values() if s.company_id is not None)
    latest = max((t.news_at for t in fresh.values()), default=None)
    taken_down = frozenset(t.version_id for t in taggings if t.article_id in gone)
    return Decided(tables, {"mentions": len(mentions), **said}, latest, taken_down)


def settled_before(con: duckdb.DuckDBPyConnection, _batch: BatchRef, came_in: list[str]) -> set[str]:
    """Which of these article versions have been tagged."""
    return tagged_versions(con, came_in)


_WORDS = {-1: "negative", 0: "neutral", 1: "positive"}


def _tag(tagger: Tagger, one: Untagged, rows: dict[str, list[object]]) -> str | None:
    """Adds one run of the taggers to `rows`; what went wrong, in words, where it did."""
    a = one.article
    try:
        # what this very extractor read has no promotion left in it
        ads = () if a.extractor == EXTRACTOR else promotion_spans(a.title, a.text, a.language)
        tags, problem = tagger.tag(a.title, a.text, a.language, ads), None
    except Exception as error:  # noqa: BLE001 - one text the rules cannot handle must not hold up all others; its row says so
        tags, problem = Tags(), f"{type(error).__name__}: {error}"
    if a.genre == "promotion":  # who is paid to be named, and who is named beside, counts for nothing
        tags = Tags(links=tuple(replace(link, in_ad=True) for link in tags.links))
    tagging = Tagging(
        tagging_id=ids.tagging_id(a.version_id, tagger.version, tagger.registry_version),
        version_id=a.version_id,
        article_id=a.article_id,
        news_at=one.news_at,
        tagger=tagger.version,
        registry=tagger.registry_version,
        mentions=len(tags.links),
        companies=len(tags.companies),
        problem=problem,
    )
    rows["taggings"].append(tagging)
    rows["mentions"] += _mentions(tagging, tags)
    rows["sentiments"] += _sentiments(a, tagging, tags)
    return problem


def _mentions(tagging: Tagging, tags: Tags) -> list[Mention]:
    return [
        Mention(
            tagging_id=tagging.tagging_id,
            version_id=tagging.version_id,
            article_id=tagging.article_id,
            company_id=link.company_id,
            name=link.name,
            news_at=tagging.news_at,
            field=link.field,
            start=link.start,
            end=link.end,
            surface=link.surface,
            alias_kind=link.alias_kind,
            link_score=link.link_score,
            margin=link.margin,
            role=link.role,
            in_ad=link.in_ad,
        )
        for link in tags.links
    ]


def _sentiments(a: Article, tagging: Tagging, tags: Tags) -> list[Sentiment]:
    rows = [
        replace(_sentiment(a, tagging, c.verdict), company_id=c.company_id, relevance=c.relevance, in_headline=c.in_headline)
        for c in tags.companies
    ]
    return [*rows, _sentiment(a, tagging, tags.article)] if tags.article else rows


def _sentiment(a: Article, tagging: Tagging, verdict: Verdict) -> Sentiment:
    return Sentiment(
        tagging_id=tagging.tagging_id,
        version_id=tagging.version_id,
        article_id=tagging.article_id,
        news_at=tagging.news_at,
        p_negative=verdict.p_negative,
        p_neutral=verdict.p_neutral,
        p_positive=verdict.p_positive,
        score=verdict.score,
        sentiment=verdict.sentiment,
        evidence=verdict.evidence,
        mixed=verdict.mixed,
        hedged=verdict.hedged,
        news_title=a.title,
        news_words=tuple((a.title if e.field == "title" else a.text)[e.start : e.end] for e in verdict.evidence),
        news_url=a.url,
        news_source=a.source,
        news_language=a.language,
        news_genre=a.genre,
    )
