"""Sends notices to the addresses of NEWSMILL_NOTIFY by apprise. I/O on the network; no address is shown, as they hold secrets."""

import logging

from pipeline.errors import ConfigError
from pipeline.run.alarms import Send

#: Seconds in which all of them must have taken it.
TIMEOUT_S = 30


def sender(addresses: str) -> Send:
    """What sends to these addresses of apprise, separated by commas or blanks.

    Raises:
        ConfigError: one of them is none; which it is, without its words.
    """
    from apprise import Apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it logs addresses that it cannot use
    services = Apprise()
    if not services.add(addresses):
        raise ConfigError("NEWSMILL_NOTIFY holds an address that apprise does not know; its forms are at appriseit.com/services")

    def send(title: str, text: str) -> bool:
        return bool(services.notify(body=text, title=f"Newsmill: {title}", timeout=TIMEOUT_S))

    return send
