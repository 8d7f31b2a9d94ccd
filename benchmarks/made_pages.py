# ruff: noqa: E501 - mark-up is easier to read in whole lines
"""Pages and feeds as publishers have them, made up: an article of 250 to 900 words among everything else.

The articles are put together from the sample wire's, each from other paragraphs, with other figures. The rest is as heavy as on
real news pages, of which the middle eight tenths have 460 to 1,900 elements and 70 to 590 KB. Deterministic by number.
"""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from html import escape

from pipeline.wire.newsroom import articles
from pipeline.wire.reports import report

BEGAN = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PER_FEED = 15


def page(number: int) -> tuple[str, bytes]:
    """Address and bytes of a page."""
    dice = random.Random(number)
    language = ("de", "en")[number % 2]
    title, lead, blocks = _story(number, language, dice)
    host = f"https://blatt-{number // PER_FEED}.example"
    url = f"{host}/wirtschaft/{report(number).slug}"
    at = BEGAN - timedelta(minutes=number)
    related = [report(dice.randrange(5_000)).title for _ in range(dice.randrange(10, 100))]
    data = {"@context": "https://schema.org", "@type": "NewsArticle", "headline": title, "datePublished": at.isoformat()}
    html = f"""<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)} | Blatt {number // PER_FEED}</title>
<link rel="canonical" href="{url}"><meta property="og:title" content="{escape(title)}"><meta name="description" content="{escape(lead)}">
<meta property="article:published_time" content="{at.isoformat()}"><meta name="author" content="Redaktion">
<script type="application/ld+json">{json.dumps(data)}</script>{_scripts(dice)}<style>{_style(dice)}</style></head>
<body class="article">{_menu(dice)}<main><article><header><span class="kicker">Unternehmen</span><h1>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p><div class="byline">Redaktion <time datetime="{at.isoformat()}">{at:%d.%m.%Y, %H:%M}</time></div></header>
<figure><img src="/img/{number}.jpg" alt=""><figcaption>Archivbild</figcaption></figure>
<div class="article__body">{_body(blocks, dice, host)}</div></article></main>{_aside(related, host)}{_comments(dice)}{_foot(dice)}{_scripts(dice)}</body></html>
"""
    return url, html.encode()


@cache
def _paragraphs(language: str) -> list[str]:
    written = [article.blocks for article in articles() if article.language == language and article.body]
    return [
        block for blocks in written for block in blocks if not block.startswith(("## ", "- ", "| ")) and "{date}" not in block
    ]


def _story(number: int, language: str, dice: random.Random) -> tuple[str, str, list[str]]:
    told = report(number)
    paragraphs = dice.sample(_paragraphs(language), dice.randrange(5, 14))
    return told.title, told.summary, [*told.blocks, *(p.replace("1", str(dice.randrange(1, 9)), 1) for p in paragraphs)]


def _body(blocks: list[str], dice: random.Random, host: str) -> str:
    def parts() -> Iterator[str]:
        for n, block in enumerate(blocks):
            yield f'<p class="article__p" data-nr="{n}">{escape(block)}</p>'
            if n % 4 == 2:
                yield f'<div class="ad ad--inline" id="ad-{dice.randrange(10**6)}"><span>Anzeige</span><script>ads.push({n})</script></div>'
            if n % 5 == 3:
                yield f'<p><a href="{host}/mehr/{n}">Lesen Sie auch: {escape(report(dice.randrange(5_000)).title)}</a></p>'

    return "\n".join(parts())


def _menu(dice: random.Random) -> str:
    items = "".join(
        f'<li class="nav__item nav__item--{n % 7}"><a class="nav__link" href="/r/{n}"><span class="nav__label">Ressort {n}</span></a></li>'
        for n in range(dice.randrange(30, 150))
    )
    return f'<header class="site"><div class="site__inner"><nav aria-label="Ressorts"><ul class="nav">{items}</ul></nav></div></header>'


def _aside(related: list[str], host: str) -> str:
    teasers = "".join(
        f'<div class="teaser teaser--{n % 3}"><a class="teaser__link" href="{host}/n/{n}"><div class="teaser__media"><picture>'
        f'<source srcset="/t/{n}.webp 1x, /t/{n}@2.webp 2x"><img loading="lazy" src="/t/{n}.jpg" alt=""></picture></div>'
        f'<div class="teaser__text"><span class="teaser__kicker">Börse</span><h3 class="teaser__title">{escape(title)}</h3>'
        f'<span class="teaser__lead">{escape(title)}, und was das heißt.</span></div></a><span class="teaser__time">vor {n} Stunden</span></div>'
        for n, title in enumerate(related)
    )
    return f'<aside class="related"><h2>Mehr zum Thema</h2>{teasers}</aside>'


def _comments(dice: random.Random) -> str:
    said = "".join(
        f'<li class="comment"><div class="comment__head"><b>Leser {n}</b><time>{n} min</time></div>'
        f'<div class="comment__text">Dazu kann man nur sagen: {n} mal gelesen.</div><button>Antworten</button></li>'
        for n in range(dice.randrange(0, 40))
    )
    return f'<section class="comments" id="comments"><ul>{said}</ul></section>'


def _foot(dice: random.Random) -> str:
    links = "".join(f'<li><a href="/f/{n}">Fußnote {n}</a></li>' for n in range(dice.randrange(20, 120)))
    return f'<footer class="foot"><ul>{links}</ul><p>Melden Sie sich für unseren Newsletter an.</p></footer>'


def _scripts(dice: random.Random) -> str:
    state = {
        f"key{n}": {"id": dice.randrange(10**9), "on": [dice.random() for _ in range(6)]} for n in range(dice.randrange(60, 900))
    }
    return f"<script>window.__STATE__={json.dumps(state)}</script><script src='/js/{dice.randrange(10**6)}.js' async></script>"


def _style(dice: random.Random) -> str:
    return "".join(f".c{n}{{margin:{n % 9}px;color:#{dice.randrange(16**6):06x}}}" for n in range(dice.randrange(200, 900)))
