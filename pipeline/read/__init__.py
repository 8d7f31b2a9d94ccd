"""Page bytes to article: text, blocks, promotion taken out, metadata, language, access. Pure.

Heavy libraries are loaded when a verb is first asked for, so that importing the package costs nothing.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.read.page import read_page
    from pipeline.read.plain import read_text
    from pipeline.read.promotion import promotion_spans

__all__ = ["EXTRACTOR", "promotion_spans", "read_page", "read_text"]

#: Names what read a page: the library and the version of our own rules, raised when a rule changes what comes out.
EXTRACTOR = f"trafilatura-{metadata.version('trafilatura')}+newsmill-3"

_HOME = {"read_page": "page", "read_text": "plain", "promotion_spans": "promotion"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(name)
    return getattr(import_module(f"pipeline.read.{_HOME[name]}"), name)
