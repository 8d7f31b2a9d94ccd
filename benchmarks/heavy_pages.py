"""Made-up feeds and pages as heavy as real ones: the sample wire's price reports, joined to articles of usual length, inside
pages of 50 to 300 KB with menus, scripts, styles, pictures, teasers and footers. The same number gives the same page.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape

from pipeline.wire import feeds, pages, reports
from pipeline.wire.newsroom import Article, Placement, Promotion, Publisher, publishers
from pipeline.wire.timeline import LATEST, Entry

START = datetime(2026, 11, 20, tzinfo=UTC)
_METADATA = ("json-ld", "meta", "visible")
_OFFERS = {
    "de": ("Lesen Sie auch: Die Gewinner der Woche", "Jetzt den Report gratis anfordern und keine Chance mehr verpassen!"),
    "en": ("Read next: The winners of the week", "Get the free report now and never miss a chance again!"),
}


def entries(count: int) -> list[Entry]:
    """So many articles on the publishers with pages in turn, each with other figures than all before."""
    houses = [publisher for publisher in publishers().values() if publisher.page_path != "/"]
    return [_entry(number, houses[number % len(houses)]) for number in range(count)]


def feed_bodies(found: list[Entry]) -> Iterator[tuple[str, Publisher, bytes]]:
    """The entries as feeds of at most 60: name, publisher and bytes of each."""
    for publisher in publishers().values():
        own = [e for e in found if e.publisher.key == publisher.key]
        for place, part in enumerate(_parts(own)):
            yield f"{publisher.key}-{place:03d}", publisher, feeds.feed(publisher, part, "")


def _parts(own: list[Entry]) -> Iterator[list[Entry]]:
    return (own[start : start + LATEST] for start in range(0, len(own), LATEST))


def page(entry: Entry, number: int) -> bytes:
    """The wire's page of an article, with what real pages have around it."""
    dice = random.Random(number)
    weight = dice.choice((1, 1, 2, 2, 2, 3, 3, 4, 5, 7))  # as with real pages, few are very heavy
    language = entry.article.language
    teased = [reports.report(2 * dice.randrange(400_000) + (language == "en")) for _ in range(12 + 8 * weight)]
    html = pages.article_page(entry, [], "")
    html = html.replace("</head>", _head(dice, weight) + "</head>", 1)
    html = html.replace("<body>", "<body>" + _menu(entry.publisher, teased), 1)
    html = _between_paragraphs(html, dice, entry)
    html = html.replace("</body>", _below(entry.publisher, teased, dice) + _scripts(dice, weight) + "</body>", 1)
    return html.encode(entry.publisher.charset, "xmlcharrefreplace")


def link(entry: Entry) -> str:
    """The address under which an entry's feed names its page."""
    return f"http://{entry.host.host}{entry.link_path}"


def _entry(number: int, publisher: Publisher) -> Entry:
    language = publisher.language or ("de", "en")[number // 3 % 2]
    dice = random.Random(f"article {number}")
    first, companies = 1000 * number + (language == "en"), dice.randint(1, 3)
    # reports whose numbers are 46 apart are of one company and in one language
    told = [reports.report(first + 2 * (step % companies) + 46 * step) for step in range(dice.randint(5, 9))]
    blocks = list(told[0].blocks)
    for other in told[1:]:
        reason, course, company = other.blocks
        blocks += [f"## {other.title}"] * (dice.random() < 0.4) + [f"{other.summary} {reason}", f"{course} {company}"]
    offers = tuple(Promotion(after=dice.randint(2, len(blocks)), text=t, link=dice.random() < 0.5) for t in _OFFERS[language])
    placement = Placement(
        publisher=publisher.key,
        minutes=number,
        section=next(iter(publisher.sections)),
        metadata=_METADATA[dice.randrange(3)],
        promotion=offers[: dice.randint(0, 2)],
    )
    article: Article = replace(told[0], body="\n\n".join(blocks), placements=(placement,))
    return Entry(
        number=number, publisher=publisher, host=publisher, article=article, placement=placement,
        published_at=(at := START + timedelta(minutes=number)), updated_at=at,
    )  # fmt: skip


def _head(dice: random.Random, weight: int) -> str:
    links = "".join(
        f'<link rel="preload" as="script" href="/static/{dice.randrange(16**8):08x}.js" crossorigin>'
        f'<meta name="x-{name}-{n}" content="{dice.randrange(10**9)}">'
        for n, name in enumerate(("build", "zone", "test", "track", "cluster") * 3)
    )
    rules = "".join(
        f".c-{dice.randrange(16**5):05x} .e{n}>a:hover{{margin:{dice.randrange(40)}px auto;color:#{dice.randrange(16**6):06x};"
        f"grid-template-columns:repeat({dice.randrange(2, 9)},1fr)}}"
        f"@media(min-width:{dice.randrange(400, 1400)}px){{.b{n}{{float:left}}}}"
        for n in range(60 * weight)
    )
    return f"{links}<style>{rules}</style>"


def _menu(publisher: Publisher, teased: list[Article]) -> str:
    """A menu with a panel for each section, its entries with an icon."""
    icon = '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 6h16M4 12h16M4 18h16" stroke="currentColor"/></svg>'
    panels = "".join(
        f'<li class="nav__item"><a class="nav__link" href="/{key}/">{icon}<span>{escape(label)}</span></a><div class="panel"><ul>'
        + "".join(
            f'<li><a href="/{key}/{a.slug}" data-track="nav">{escape(a.slug.replace("-", " "))}</a></li>' for a in teased[:14]
        )
        + "</ul></div></li>"
        for key, label in [*publisher.sections.items()] * 2
    )
    return f'<header class="site-header"><nav class="nav" aria-label="Main"><ul>{panels}</ul></nav></header>'


def _between_paragraphs(html: str, dice: random.Random, entry: Entry) -> str:
    """A picture after the first paragraph of the article, and places for advertisements after some others."""
    start = html.rindex("<p", 0, html.rindex(escape(entry.article.summary)))
    head, *paragraphs = [html[:start], *html[start:].split("</p>")]
    caption = f"{escape(entry.article.author)} / {escape(entry.publisher.name)}"
    picture = f"<figure>{_picture(dice)}<figcaption>{caption}</figcaption></figure>"
    slot = '<div class="ad-slot" data-format="mrec"><div class="ad-label">Anzeige</div></div>'
    filled = [p + "</p>" + (picture if n == 1 else slot if n % 5 == 3 and n < 12 else "") for n, p in enumerate(paragraphs[:-1])]
    return head + "".join(filled) + paragraphs[-1]


def _picture(dice: random.Random) -> str:
    name = f"/img/{dice.randrange(16**10):010x}"
    sizes = ", ".join(f"{name}-{width}.webp {width}w" for width in (320, 480, 640, 960, 1280))
    image = f'<img loading="lazy" src="{name}-640.jpg" alt="" width="640" height="360">'
    return f'<picture><source type="image/webp" srcset="{sizes}">{image}</picture>'


def _below(publisher: Publisher, teased: list[Article], dice: random.Random) -> str:
    """Teasers, what is read most, a form, and a footer of links."""
    teasers = "".join(
        f'<article class="teaser teaser--{n % 4}"><a class="teaser__link" href="/{a.slug}.html">{_picture(dice)}'
        f'<span class="kicker">{escape(publisher.name)}</span><h3 class="teaser__title">{escape(a.title)}</h3></a>'
        f'<{(tag := ("p", "div", "span")[n % 3])} class="teaser__text">{escape(a.summary)}</{tag}>'
        f'<div class="teaser__meta"><span>{dice.randrange(2, 59)} min</span>'
        f'<button type="button" data-id="{dice.randrange(10**9)}" aria-label="Merken">+</button></div></article>'
        for n, a in enumerate(teased)
    )
    most = "".join(f'<li><a href="/{a.slug}.html">{escape(a.title)}</a></li>' for a in teased[:10])
    form = (
        '<form class="signup" action="/signup"><label>E-Mail <input type="email" name="mail"></label><button>OK</button></form>'
    )
    columns = "".join(
        "<ul>" + "".join(f'<li><a href="/service/{c}/{n}">Service {c}.{n}</a></li>' for n in range(12)) + "</ul>"
        for c in range(6)
    )
    return (
        f'<section class="more"><h2>{escape(publisher.related_title)}</h2><div class="grid">{teasers}</div></section>'
        f'<aside class="most-read"><ol>{most}</ol></aside>{form}<footer class="site-footer">{columns}</footer>'
    )


def _scripts(dice: random.Random, weight: int) -> str:
    """What pages carry for their own scripts: state as JSON, and loaders."""
    state = {
        f"widget{n}": {
            "id": f"{dice.randrange(16**12):012x}",
            "flags": [dice.random() < 0.5 for _ in range(4)],
            "at": dice.random(),
        }
        for n in range(240 * weight)
    }
    loader = "".join(
        f"(function(w,d,k){{var e=d.createElement('script');e.async=1;e.src='https://cdn{n}.example/'+k;w.q{n}=w.q{n}||[];"
        f"d.head.appendChild(e)}})(window,document,'{dice.randrange(16**16):016x}');"
        for n in range(20 * weight)
    )
    return f'<script id="state" type="application/json">{json.dumps(state)}</script><script>{loader}</script>'
