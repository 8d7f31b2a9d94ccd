"""Writes the pages of the sample wire: articles, headlines, the index of it all. Pure but for reading its templates."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from string import Template
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from pipeline.wire.newsroom import HERE, Publisher
from pipeline.wire.timeline import Entry, Timeline

_DAY = {"de": "d. MMMM y", "en": "MMMM d, y"}
_MOMENT = {"de": "d. MMMM y, HH:mm 'Uhr'", "en": "MMMM d, y, h:mm a z"}


def article_page(entry: Entry, related: Sequence[Entry], port: str) -> str:
    """The page of an article: always the same text for the same entry, as its validators promise."""
    publisher, article, language = entry.publisher, entry.article, entry.article.language
    local = entry.published_at.astimezone(ZoneInfo(publisher.zone))
    links = "".join(f'<li><a href="{e.page_path}">{escape(e.article.title)}</a></li>' for e in related)
    main = _fill(
        f"{publisher.key}-article.html",
        section=escape(publisher.sections[entry.placement.section]),
        title=escape(article.title),
        lead=escape(article.summary),
        author=escape(article.author),
        date=_date(local, language) if entry.placement.metadata == "visible" else _time_element(local, language),
        body=_body(entry, local),
        related=f'<div class="related"><h2>{escape(publisher.related_title)}</h2><ul>{links}</ul></div>' if related else "",
    )
    return _frame(publisher, article.title, language, main, head=_head(entry, local, port))


def front_page(publisher: Publisher, entries: Sequence[Entry], heading: str, port: str) -> str:
    """A list of headlines, newest first."""
    items = "".join(
        f'<li><h2><a href="http://{e.host.host}{port}{e.page_path}">{escape(e.article.title)}</a></h2><p>{escape(e.article.summary)}</p></li>'
        for e in entries
    )
    return _frame(publisher, heading, _language(publisher), f'<h1>{escape(heading)}</h1><ul class="front">{items}</ul>')


def about_page(publisher: Publisher) -> str:
    """Who the publisher is: invented."""
    text = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in publisher.about)
    return _frame(publisher, publisher.about_title, _language(publisher), f"<h1>{escape(publisher.about_title)}</h1>{text}")


def not_found_page(publisher: Publisher) -> str:
    """What stands where nothing stands."""
    main = f"<h1>{escape(publisher.not_found_title)}</h1><p>{escape(publisher.not_found)}</p>"
    return _frame(publisher, publisher.not_found_title, _language(publisher), main)


def index_page(timeline: Timeline, now: datetime, port: str) -> str:
    """What the wire serves, for whoever opens its bare address."""
    rows = "".join(
        f'<tr><td><a href="http://{p.host}{port}/">{escape(p.name)}</a></td><td><a href="http://{p.host}{port}{p.feed_path}">'
        f"http://{p.host}{port}{p.feed_path}</a></td><td>{len(timeline.latest(now, p.key))}</td></tr>"
        for p in timeline.publishers.values()
    )
    entries = "".join(
        f"<tr><td>{e.published_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}</td>"
        f'<td>{escape(e.publisher.name)}</td><td><a href="http://{e.host.host}{port}{escape(e.link_path)}">{escape(e.article.title)}</a></td></tr>'
        for e in timeline.latest(now)
    )
    wait = timeline.next_at(now) - now
    return _fill("index.html", publishers=rows, entries=entries, wait=f"{wait.total_seconds():.0f}")


def _frame(publisher: Publisher, title: str, language: str, main: str, *, head: str = "") -> str:
    sections = "".join(f'<a href="/{key}/">{escape(label)}</a> ' for key, label in publisher.sections.items())
    title = title if title == publisher.name else f"{title} | {publisher.name}"
    slots = {"language": language, "charset": publisher.charset, "sections": sections, "head": head, "main": main}
    return _fill(f"{publisher.key}.html", title=escape(title), **slots)


def _head(entry: Entry, local: datetime, port: str) -> str:
    article, metadata = entry.article, entry.placement.metadata
    url = f"http://{entry.publisher.host}{port}{entry.page_path}"
    head = f'<link rel="canonical" href="{url}">\n<meta name="description" content="{escape(article.summary)}">'
    if metadata == "visible":
        return head
    properties = {
        "og:type": "article",
        "og:title": article.title,
        "og:url": url,
        "og:site_name": entry.publisher.name,
        "article:published_time": local.isoformat(),
        "article:section": entry.publisher.sections[entry.placement.section],
    }
    head += "".join(f'\n<meta property="{key}" content="{escape(value)}">' for key, value in properties.items())
    head += f'\n<meta name="author" content="{escape(article.author)}">'
    return head + _json_ld(entry, local, url) if metadata == "json-ld" else head


def _json_ld(entry: Entry, local: datetime, url: str) -> str:
    article = entry.article
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "description": article.summary,
        "inLanguage": article.language,
        "datePublished": local.isoformat(),
        "dateModified": local.isoformat(),
        "author": {"@type": "Organization", "name": article.author},
        "publisher": {"@type": "Organization", "name": entry.publisher.name},
        "mainEntityOfPage": url,
    }
    # "</" would end the script wherever it stands.
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return f'\n<script type="application/ld+json">{text}</script>'


def _body(entry: Entry, local: datetime) -> str:
    blocks = entry.article.blocks
    day = format_date(local, _DAY[entry.article.language], locale=entry.article.language)
    parts: list[str] = []
    for place in range(len(blocks) + 1):
        parts += [_block(blocks[place - 1])] if place else []
        parts += [_promotion(p.text, p.link) for p in entry.placement.promotion if p.after == place]
    return "\n".join(parts).replace("{date}", day)


def _promotion(text: str, link: bool) -> str:
    return f'<p><a href="/about?from=article"><strong>{escape(text)}</strong></a></p>' if link else f"<p>{escape(text)}</p>"


def _block(block: str) -> str:
    lines = [escape(line, quote=False) for line in block.splitlines()]
    if block.startswith("## "):
        return f"<h2>{lines[0][3:]}</h2>"
    if block.startswith("- "):
        return "<ul>" + "".join(f"<li>{line[2:]}</li>" for line in lines) + "</ul>"
    if block.startswith("| "):
        rows = ("".join(f"<td>{cell.strip()}</td>" for cell in line.strip("| ").split("|")) for line in lines)
        return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    return f"<p>{' '.join(lines)}</p>"


def _date(local: datetime, language: str) -> str:
    return format_datetime(local, _MOMENT[language], locale=language)


def _time_element(local: datetime, language: str) -> str:
    return f'<time datetime="{local.isoformat()}">{_date(local, language)}</time>'


def _language(publisher: Publisher) -> str:
    return publisher.language or "de"


def _fill(name: str, **values: str) -> str:
    return _template(name).substitute(values)


@cache
def _template(name: str) -> Template:
    return Template((HERE / "templates" / name).read_text("utf-8"))
