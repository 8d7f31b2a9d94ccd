"""The sample wire: five invented publishers on loopback, so that everything can be tried without a network.

Every publisher has its own host name under .localhost, all on one port. What they show follows from the clock
and from the moment of the first start.
"""

from pipeline.wire.newsroom import publishers
from pipeline.wire.server import app, serve, stopped_at

__all__ = ["app", "catalogue", "serve", "stopped_at"]


def catalogue(port: int) -> str:
    """All feeds as a catalogue in TOML, for a wire that listens on this port."""
    return "\n".join(
        "[[feed]]\n"
        f'feed_id = "{feed_id}"\n'
        f'url = "http://{publisher.host}:{port}{path}"\n'
        f'source = "{publisher.name}"\n'
        + (f'language = "{publisher.language}"\n' if publisher.language else "")
        + "every_minutes = 1\n"
        for publisher in publishers().values()
        for feed_id, path in publisher.feeds.items()
    )
