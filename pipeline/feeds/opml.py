"""Reads and writes OPML 2.0, the lists of subscriptions that feed readers exchange. Pure.

lxml does both: listparser, which reads only, keeps neither language nor type, and was last released in 2024.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from lxml import etree

from pipeline.errors import InputError
from pipeline.feeds.catalogue import source_of
from schemas.feed import Feed

_MOST = 10_000
#: Entities that hold others without end, depth, length: what reading "as far as it goes" would end at without a word.
_LIMITS = (etree.ErrorTypes.ERR_ENTITY_LOOP, etree.ErrorTypes.ERR_RESOURCE_LIMIT)
_REMEDY = "export your subscriptions as OPML from your reader"


@dataclass(frozen=True, slots=True)
class Outline:
    """One subscription of an OPML file; `group` is its folder, the outer ones before it: "News / Germany"."""

    url: str
    title: str | None
    group: str | None
    language: str | None


def read_opml(data: bytes, name: str) -> tuple[list[Outline], list[str]]:
    """The subscriptions in an OPML document, and what else is in it, in words. Malformed XML is read as far as it goes.

    Raises:
        InputError: it is no OPML, or one without feeds, or passes a limit, as a bomb of entities does.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True)
    try:
        root = etree.fromstring(data, parser) if data.strip() else None
    except etree.XMLSyntaxError:
        root = None
    # from there on libxml2 has read nothing, and the feeds before it are few of many
    if passed_limits := [error.message for error in parser.error_log if error.type in _LIMITS]:
        raise InputError(f"{name} passes a limit of XML ({passed_limits[0]}), so none of it was taken; {_REMEDY}")
    if root is None or _tag(root) != "opml":
        what = "no XML" if root is None else f"XML whose root is <{root.tag}>"
        raise InputError(f"{name} is no OPML: it is {what}; {_REMEDY}")
    found: list[Outline] = []
    passed: list[str] = []
    for outline, folders in _walk(root, ()):
        attributes = {str(key).lower(): str(value).strip() for key, value in outline.attrib.items()}
        title = attributes.get("title") or attributes.get("text") or None
        if url := attributes.get("xmlurl"):
            found.append(Outline(url, title, " / ".join(folders) or None, _language(attributes.get("language"))))
        elif attributes.get("url") or attributes.get("htmlurl"):
            passed.append(f"{title or 'without a title'}: a link to a page or another list, not to a feed")
        if len(found) > _MOST:
            raise InputError(f"{name} names more than {_MOST} feeds; split it")
    if not (found or passed):
        raise InputError(f"{name} is OPML without a feed (an outline with xmlUrl); {_REMEDY}")
    return found, passed


def _walk(node: etree._Element, folders: tuple[str, ...]) -> Iterator[tuple[etree._Element, tuple[str, ...]]]:
    """Every outline with the names of the folders it lies in; without recursion, as a file may be nested without end."""
    waiting = [(node, folders)]
    while waiting:
        node, folders = waiting.pop()
        if _tag(node) == "outline":
            yield node, folders
            name = " ".join((node.get("text") or node.get("title") or "").split())
            folders = (*folders, name) if name and len(folders) < 8 else folders
        waiting += [(child, folders) for child in reversed(node)]


def _tag(node: etree._Element) -> str:
    return node.tag.rpartition("}")[2].lower() if isinstance(node.tag, str) else ""


def _language(tag: str | None) -> str | None:
    code = (tag or "")[:2].lower()
    return code if code.isascii() and code.isalpha() and len(code) == 2 else None


def write_opml(feeds: Iterable[Feed]) -> bytes:
    """An OPML 2.0 document of these feeds, one folder for each group, in the order in which they first occur."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = "Newsmill"
    body = etree.SubElement(root, "body")
    folders: dict[str | None, etree._Element] = {None: body}
    for feed in feeds:
        if feed.group not in folders:
            folders[feed.group] = etree.SubElement(body, "outline", text=feed.group, title=feed.group)
        name = feed.title or feed.source
        said = {"type": "rss", "text": name, "title": name, "xmlUrl": feed.url} | (
            {"language": feed.language} if feed.language else {}
        )
        etree.SubElement(folders[feed.group], "outline", said)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def left_out(feeds: Iterable[Feed]) -> list[str]:
    """What OPML has no place for, with the feeds it is lost of; their ids are lost of all, and made anew of the addresses."""
    feeds = list(feeds)
    lost: dict[str, Callable[[Feed], object]] = {
        "source": lambda f: f.title and f.source not in (f.title, source_of(f.url)),
        "every_minutes": lambda f: f.every_minutes is not None,
        "enabled = false": lambda f: not f.enabled,
        "local = true": lambda f: f.local,
        "credentials": lambda f: f.credentials,
        "documented": lambda f: f.documented,
    }
    named = {key: [f.feed_id for f in feeds if is_lost(f)] for key, is_lost in lost.items()}
    return [f"{key}: {', '.join(ids)}" for key, ids in named.items() if ids]
