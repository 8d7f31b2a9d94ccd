"""The sample wire: three invented publishers on loopback, so that everything can be tried without a network.

Every publisher has its own host name under .localhost, all on one port. What they show follows from the clock
and from the moment of the first start.
"""

from pipeline.wire.newsroom import publishers
from pipeline.wire.server import app, serve

__all__ = ["app", "catalogue", "serve"]


def catalogue(port: int) -> str:
    """The three feeds as a catalogue in TOML, for a wire that listens on this port."""
    return "\n".join(
        "[[feed]]\n"
        f'feed_id = "{publisher.key}"\n'
        f'url = "http://{publisher.host}:{port}{publisher.feed_path}"\n'
        f'source = "{publisher.name}"\n'
        + (f'language = "{publisher.language}"\n' if publisher.language else "")
        + "every_minutes = 1\n"
        for publisher in publishers().values()
    )
