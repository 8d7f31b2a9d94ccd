"""The command `newsmill push`: the receiver that hubs call."""

import asyncio
import errno
import os
import signal
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.errors import ConfigError
from pipeline.terminal import settings


def push(
    host: Annotated[str, typer.Option(help="Address to listen at; a reverse proxy with TLS belongs before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at; 0 takes a free one.", min=0, max=65535)] = 8790,
) -> None:
    """Receives what WebSub hubs push, and lands it in the inbox.

    Example: `NEWSMILL_PUSH_URL=https://news.example.org/push newsmill push`

    It needs NEWSMILL_PUSH_SECRET and the inbox, and no lake: the DAG `take_inbox`, or `newsmill run`, takes it from there.
    """
    from pipeline.push import Inbox
    from pipeline.push.receiver import Receiver, serve
    from pipeline.push.websub import Keys

    known = settings(None)
    inbox, keys = Inbox(known.inbox), Keys(known.push_secret or "")
    inbox.prepare()

    def say(line: str) -> None:
        typer.echo(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}")

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        receiver = Receiver(inbox, keys, say, lambda: datetime.now(UTC))
        await serve(receiver, host, port, stop, lambda at: say(f"listening at {at}, for {known.push_url}; into {inbox.root}"))
        say("stopped")

    try:
        asyncio.run(until_stopped())
    except OSError as error:
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({os.strerror(error.errno or 0)})"
        raise ConfigError(f"port {port} on {host} {why}; stop what listens there, or give another with --port") from None
