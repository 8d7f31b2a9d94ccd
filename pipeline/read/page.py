"""Page bytes to article: text, blocks, what was taken out, and what the page says of itself. Pure."""

import re
from collections.abc import Sequence

from lxml.etree import LxmlError
from lxml.html import HtmlElement

from pipeline.read.consent import is_consent_wall
from pipeline.read.decode import decode_page, not_a_page
from pipeline.read.extract import LINK, extract_article, tidy
from pipeline.read.head import Head
from pipeline.read.jsonld import article_node, texts
from pipeline.read.language import language_of
from pipeline.read.lines import divide
from pipeline.read.metadata import access_of, authors_of, canonical_of, meta_of, published, title_of
from pipeline.read.optout import opt_outs_of
from pipeline.read.plain import read_text
from pipeline.read.promotion import promotion_lines
from pipeline.read.tree import parse_page
from schemas.article import Promo, Reading, Unreadable
from schemas.outcome import OutcomeCode

_NO_ARTICLE = Unreadable(code=OutcomeCode.NO_TEXT, detail="no article found on the page")
_SELLS = 0.5  # share of promotion from which the whole article is one
_SENTENCE_LEAST = 30  # characters; a page without a line of this length shows menus, no article
_TITLE_LINES = 4
_KICKER_WORDS = 8
_LINKABLE = frozenset({"paragraph", "list_item"})
_LINK_SPACES = 2
_WRITTEN_BULLET = re.compile(r"^[•·▪●◦‣]\s*(?=\S)")
_LINK_SHARE = 0.3
_PAID_SECTION = re.compile(
    r"\W*(?:anzeigen?|werbung|advertorials?|(?:sponsored|paid|partner)(?: (?:content|posts?))|sponsored|gesponserte \w+)\W*",
    re.IGNORECASE,
)


def read_page(body: bytes, url: str, *, content_type: str | None = None, language: str | None = None) -> Reading | Unreadable:
    """Read the article on a page.

    `body` is the page as sent, after transfer and content encodings are undone; `content_type` the HTTP header; `language`
    the feed's or the publisher's, which decides where the text does not.
    """
    if other := not_a_page(body, content_type):
        return Unreadable(code=OutcomeCode.NOT_HTML, detail=other)
    html = decode_page(body, content_type)
    if (content_type or "").strip().lower().startswith("text/plain") and "<html" not in html[:2000].lower():
        reading = read_text(html, url)
        return reading if reading.text else Unreadable(code=OutcomeCode.NO_TEXT, detail="empty text")
    try:
        tree = parse_page(html)
        return _read_tree(tree, url, language) if tree is not None else _NO_ARTICLE
    except (LxmlError, RecursionError, AssertionError) as error:  # empty, or nested deeper than the parsers go
        return Unreadable(code=OutcomeCode.NO_TEXT, detail=f"no document: {type(error).__name__}")


def _read_tree(tree: HtmlElement, url: str, claimed: str | None) -> Reading | Unreadable:
    extract = extract_article(tree, url)
    if extract is None or all(len(text) < _SENTENCE_LEAST for _, text in extract.lines):
        return _NO_ARTICLE
    if is_consent_wall([text for _, text in extract.lines]):
        return Unreadable(code=OutcomeCode.CONSENT, detail="the page asks for consent and shows no article")
    node, meta, head = article_node(tree), meta_of(tree), Head(tree, url)
    title = title_of(node, meta, tree, head)
    lines = [(kind, _unmarked(kind, text)) for kind, text in _without_title(title, extract.lines)]
    language = language_of(" ".join([title, *(text for _, text in lines)]), tree.get("lang"), claimed)
    linked = _linked(lines, extract.links)
    plain = [i for i, (kind, _) in enumerate(lines) if i not in linked or kind == LINK]
    found = promotion_lines(title, [lines[i][1] for i in plain], language)
    promotion = linked | {plain[place]: kind for place, kind in found.items()}
    text, blocks, promo = divide(lines, promotion)
    if not text:
        return Unreadable(code=OutcomeCode.NO_TEXT, detail="nothing but promotion on the page")
    date = published(node, meta, tree, head, language)
    return Reading(
        title=title,
        text=text,
        blocks=blocks,
        promo=promo,
        published_at=date[0].at if date else None,
        published_precision=date[0].precision if date else None,
        published_basis=date[1] if date else None,
        authors=authors_of(node, meta, head, url),
        language=language,
        canonical_url=canonical_of(tree, url),
        access=access_of(node, meta),
        genre=_genre(
            texts(node.get("@type")), [*meta.get("article:section", ()), *texts(node.get("articleSection"))], text, promo
        ),
        opt_out=opt_outs_of(meta),
    )


def _without_title(title: str, lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The lines without those at the beginning that only repeat the title, with or without a few words around it."""
    said = _words(title)

    def repeats(text: str) -> bool:
        words = _words(text)
        return bool(said) and len(words) - len(said) <= _KICKER_WORDS and f" {' '.join(said)} " in f" {' '.join(words)} "

    return [line for i, line in enumerate(lines) if i >= _TITLE_LINES or line[0] == LINK or not repeats(line[1])]


def _linked(lines: Sequence[tuple[str, str]], links: frozenset[str]) -> dict[int, str]:
    """Paragraphs and list items that are one link to elsewhere and nothing more, unless the article is a list of links."""
    linked = [
        i for i, (kind, text) in enumerate(lines) if kind in _LINKABLE and text in links and text.count(" ") >= _LINK_SPACES
    ]
    few = sum(len(lines[i][1]) for i in linked) < _LINK_SHARE * sum(len(text) for _, text in lines)
    dropped = [i for i, (kind, _) in enumerate(lines) if kind == LINK]
    return dict.fromkeys([*dropped, *linked] if few else dropped, "related")


def _unmarked(kind: str, text: str) -> str:
    """A list item without a bullet that the page wrote out as well; a hyphen may be a minus."""
    return _WRITTEN_BULLET.sub("", text) if kind == "list_item" else text


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", tidy(text).casefold())


def _genre(types: list[str], sections: list[str], text: str, promo: tuple[Promo, ...]) -> str | None:
    taken = sum(len(p.text) for p in promo if p.kind == "promotion")
    sold = "AdvertiserContentArticle" in types or any(_PAID_SECTION.fullmatch(section) for section in sections)
    return "promotion" if sold or taken > _SELLS * (taken + len(text)) else None
