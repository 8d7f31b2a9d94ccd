"""Finds what a page says of its article in JSON-LD, however broken or nested. Pure; bounded in size and number of nodes."""

import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

_MOST_CHARS = 1_000_000  # of one page, together
_MOST_NODES = 5_000
_ARTICLE = re.compile(r"(?:Article|Posting|Report|Analysis|Review|Opinion|AdvertiserContent\w*)$")
_WRAPPING = re.compile(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[|/\*.*?\*/)?\s*|\s*(?:-->|//\s*\]\]>|\]\]>|;)?\s*$", re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")

Node = dict[str, Any]


def article_node(tree: HtmlElement) -> Node:
    """The node that describes the article, its references by @id resolved one step; an empty one where there is none."""
    nodes = list(_nodes(tree))
    articles = [node for node in nodes if any(_ARTICLE.search(name) for name in texts(node.get("@type")))]
    dated = [node for node in articles if node.get("datePublished")]
    best = next(iter(dated or articles), {})
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return {key: _resolve(value, by_id) for key, value in best.items()}


def texts(value: Any) -> list[str]:
    """The strings in a value that may be a string or a list of them."""
    return [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]


def _resolve(value: Any, by_id: dict[str, Node]) -> Any:
    if isinstance(value, list):
        return [_resolve(v, by_id) for v in value if not isinstance(v, list)]
    if isinstance(value, dict) and set(value) <= {"@id", "@type"} and isinstance(value.get("@id"), str):
        return by_id.get(value["@id"], value)
    return value


def _nodes(tree: HtmlElement) -> Iterator[Node]:
    left = _MOST_CHARS
    queue: deque[Any] = deque()
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            source = script.text or ""
            left -= len(source)
            if left < 0:
                break
            queue.append(_load(source))
    for _ in range(_MOST_NODES):
        if not queue:
            return
        value = queue.popleft()
        if isinstance(value, dict):
            yield value
            queue.extend(v for v in value.values() if isinstance(v, dict | list))
        elif isinstance(value, list):
            queue.extend(v for v in value[:_MOST_NODES] if isinstance(v, dict | list))


def _load(source: str) -> Any:
    source = _WRAPPING.sub("", source)
    for attempt in (source, _TRAILING_COMMA.sub(r"\1", source)):
        try:
            # strict=False: line breaks inside strings are the commonest fault; raw: what follows the first value is dropped
            return json.JSONDecoder(strict=False).raw_decode(attempt)[0]
        except (ValueError, RecursionError):
            continue
    return None
