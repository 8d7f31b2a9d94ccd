"""What a filter answers: the records of a feed, a page and what is tagged, as rows that JSON has a form for. Pure."""

from datetime import UTC, datetime
from typing import Any

from schemas.article import Reading, Unreadable
from schemas.feed import DateQuality, ParsedEntry, ParsedFeed
from schemas.tag import CompanyTag, Link, Tags, Verdict

Row = dict[str, Any]


def refusal(unreadable: Unreadable) -> Row:
    return {"error": f"{unreadable.code}: {unreadable.detail}", "code": str(unreadable.code)}


def _stamp(moment: datetime | None, *, day_only: bool = False) -> str | None:
    if moment is None:
        return None
    return moment.strftime("%Y-%m-%d") if day_only else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def feed(parsed: ParsedFeed) -> Row:
    head = {key: getattr(parsed, key) for key in ("title", "language", "url", "version", "ttl_minutes", "dropped", "problem")}
    return {"feed": head, "entries": [_entry(entry) for entry in parsed.entries]}


def _entry(entry: ParsedEntry) -> Row:
    return {
        "id": entry.key,
        "key_basis": entry.key_basis,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "authors": entry.authors,
        "keywords": entry.keywords,
        "published_at": _stamp(entry.published_at, day_only=entry.date_quality is DateQuality.DAY),
        "published_raw": entry.published_raw,
        "date_quality": entry.date_quality,
        "updated_at": _stamp(entry.updated_at),
    }


def reading(read: Reading) -> Row:
    return {
        "title": read.title,
        "text": read.text,
        "blocks": read.blocks,
        "promo": read.promo,
        "published_at": _stamp(read.published_at, day_only=read.published_precision == "day"),
        "published_precision": read.published_precision,
        "published_basis": read.published_basis,
        "authors": read.authors,
        "language": read.language,
        "canonical_url": read.canonical_url,
        "access": read.access,
        "genre": read.genre,
        "opt_out": read.opt_out,
    }


def tags(found: Tags) -> Row:
    return {
        "mentions": [_link(link) for link in found.links],
        "companies": [_company(company) for company in found.companies],
        "targets": [_verdict(verdict) for verdict in found.targets],
        "article": _verdict(found.article) if found.article else None,
    }


def _link(link: Link) -> Row:
    fields = ("company_id", "name", "field", "start", "end", "surface", "link_score", "role", "in_ad", "alias_kind")
    return {field: getattr(link, field) for field in fields}


def _company(company: CompanyTag) -> Row:
    fields = ("company_id", "name", "relevance", "in_headline")
    return {**{field: getattr(company, field) for field in fields}, **_verdict(company.verdict)}


def _verdict(verdict: Verdict) -> Row:
    fields = ("sentiment", "p_negative", "p_neutral", "p_positive", "mixed", "hedged", "evidence")
    return {field: getattr(verdict, field) for field in fields}
