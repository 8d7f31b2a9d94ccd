"""Writes the pages of the sample wire: articles, headlines, the index of it all. Pure but for reading its templates."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from string import Template

from babel.dates import format_date, format_datetime

from pipeline.wire.newsroom import HERE, Promotion, Publisher
from pipeline.wire.timeline import Entry, Timeline

_DAY = {"de": "d. MMMM y", "en": "MMMM d, y"}
_MOMENT = {"de": "d. MMMM y, HH:mm 'Uhr'", "en": "MMMM d, y, h:mm a z"}
_SPONSORED = {"de": "Anzeige", "en": "Sponsored content"}
_SHOWN_BEFORE_WALL = 1  # blocks


def article_page(entry: Entry, related: Sequence[Entry], port: str) -> str:
    """The page of an article: always the same text for the same entry in the same wording, as its validators promise."""
    publisher, article, language = entry.publisher, entry.article, entry.article.language
    if entry.placement.page == "consent":
        return _fill(f"consent-{language}.html", site=escape(publisher.name), charset=publisher.charset)
    links = "".join(f'<li><a href="{e.page_path}">{escape(e.article.title)}</a></li>' for e in related)
    main = _fill(
        f"{publisher.key}-article.html",
        **_slots(entry),
        related=f'<div class="related"><h2>{escape(publisher.related_title)}</h2><ul>{links}</ul></div>' if related else "",
    )
    return _frame(publisher, article.title, language, main, head=_head(entry, port))


def amp_page(entry: Entry, port: str) -> str:
    """The AMP version of an article, whose canonical address is the page."""
    article, publisher = entry.article, entry.publisher
    slots = _slots(entry) | {"language": article.language, "charset": publisher.charset, "site": escape(publisher.name)}
    return _fill("amp.html", canonical=_url(entry, port), json_ld=_json_ld(entry, _url(entry, port)), **slots)


def content(entry: Entry) -> str:
    """A whole article as its feed carries it, in HTML."""
    return _body(entry)


def _slots(entry: Entry) -> dict[str, str]:
    article = entry.article
    return {
        "section": escape(_section(entry)),
        "title": escape(article.title),
        "lead": escape(article.summary),
        "author": escape(article.author),
        "date": _date(entry) if entry.placement.metadata == "visible" else _time_element(entry),
        "body": _body(entry),
    }


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
        f'<tr><td><a href="http://{p.host}{port}/">{escape(p.name)}</a></td><td><a href="http://{p.host}{port}{path}">'
        f"http://{p.host}{port}{path}</a></td><td>{len(timeline.feed(now, p.key, path))}</td></tr>"
        for p in timeline.publishers.values()
        for path in p.feeds.values()
    )
    entries = "".join(
        f"<tr><td>{e.published_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}</td>"
        f'<td>{escape(e.publisher.name)}</td><td><a href="http://{e.host.host}{port}{escape(e.link_path)}">{escape(e.article.title)}</a></td></tr>'
        for e in timeline.latest(now)
    )
    wait = timeline.next_at(now) - now
    written = len({entry.article.slug for entry in timeline.written})
    return _fill("index.html", written=str(written), publishers=rows, entries=entries, wait=f"{wait.total_seconds():.0f}")


def _frame(publisher: Publisher, title: str, language: str, main: str, *, head: str = "") -> str:
    sections = "".join(f'<a href="/{key}/">{escape(label)}</a> ' for key, label in publisher.sections.items())
    title = title if title == publisher.name else f"{title} | {publisher.name}"
    slots = {"language": language, "charset": publisher.charset, "sections": sections, "head": head, "main": main}
    return _fill(f"{publisher.key}.html", title=escape(title), **slots)


def _url(entry: Entry, port: str) -> str:
    return f"http://{entry.publisher.host}{port}{entry.page_path}"


def _section(entry: Entry) -> str:
    """The section's name; of an advertorial the mark that it is one."""
    if entry.placement.sponsored:
        return _SPONSORED[entry.article.language]
    return entry.publisher.sections[entry.placement.section]


def _head(entry: Entry, port: str) -> str:
    article, metadata, url = entry.article, entry.placement.metadata, _url(entry, port)
    head = f'<link rel="canonical" href="{url}">\n<meta name="description" content="{escape(article.summary)}">'
    if entry.amp_path:
        head += f'\n<link rel="amphtml" href="http://{entry.publisher.host}{port}{entry.amp_path}">'
    properties = {
        "og:type": "article",
        "og:title": article.title,
        "og:url": url,
        "og:site_name": entry.publisher.name,
        "article:published_time": entry.local_date.isoformat(),
        "article:section": _section(entry),
    }
    if entry.updated_at > entry.published_at:
        properties["article:modified_time"] = entry.local_update.isoformat()
    if metadata != "visible":
        head += "".join(f'\n<meta property="{key}" content="{escape(value)}">' for key, value in properties.items())
        head += f'\n<meta name="author" content="{escape(article.author)}">'
    return head + _json_ld(entry, url) if metadata == "json-ld" or entry.placement.page == "paywall" else head


def _json_ld(entry: Entry, url: str) -> str:
    article = entry.article
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "AdvertiserContentArticle" if entry.placement.sponsored else "NewsArticle",
        "headline": article.title,
        "description": article.summary,
        "inLanguage": article.language,
        "datePublished": entry.local_date.isoformat(),
        "dateModified": entry.local_update.isoformat(),
        "author": {"@type": "Organization", "name": article.author},
        "publisher": {"@type": "Organization", "name": entry.publisher.name},
        "mainEntityOfPage": url,
    }
    if entry.placement.page == "paywall":
        wall = {"@type": "WebPageElement", "isAccessibleForFree": False, "cssSelector": ".wall"}
        data |= {"isAccessibleForFree": False, "hasPart": wall}
    # "</" would end the script wherever it stands.
    text = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return f'\n<script type="application/ld+json">{text}</script>'


def _body(entry: Entry) -> str:
    language = entry.article.language
    blocks = entry.article.blocks
    if walled := entry.placement.page == "paywall":
        blocks = blocks[:_SHOWN_BEFORE_WALL]
    day = format_date(entry.local_date, _DAY[language], locale=language)
    parts = [f"<p><small>{_SPONSORED[language]}</small></p>"] if entry.placement.sponsored else []
    for place in range(len(blocks) + 1):
        parts += [_block(blocks[place - 1])] if place else []
        parts += [_promotion(p, entry) for p in entry.placement.promotion if p.after == place]
    if walled:
        parts.append(_fill(f"wall-{language}.html", site=escape(entry.publisher.name)))
    return "\n".join(parts).replace("{date}", day)


def _promotion(promotion: Promotion, entry: Entry) -> str:
    text, rel = escape(promotion.text), ' rel="sponsored"' if entry.placement.sponsored else ""
    return f'<p><a href="/about?from=article"{rel}><strong>{text}</strong></a></p>' if promotion.link else f"<p>{text}</p>"


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


def _date(entry: Entry) -> str:
    return format_datetime(entry.local_date, _MOMENT[entry.article.language], locale=entry.article.language)


def _time_element(entry: Entry) -> str:
    return f'<time datetime="{entry.local_date.isoformat()}">{_date(entry)}</time>'


def _language(publisher: Publisher) -> str:
    return publisher.language or "de"


def _fill(name: str, **values: str) -> str:
    return _template(name).substitute(values)


@cache
def _template(name: str) -> Template:
    return Template((HERE / "templates" / name).read_text("utf-8"))
