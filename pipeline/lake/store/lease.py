"""Who may do something in S3: locks and guards are objects that change hands by conditional writes. I/O."""

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta

from pipeline.errors import LakeBusy
from pipeline.s3 import S3Path
from pipeline.s3 import client as s3
from pipeline.s3.client import ABSENT, Changed

#: A guard that has not changed hands for so long is that of somebody who died; so long one waits for it at most; and what it
#: guards must have happened well before anybody may think so.
GUARD_LEASE, PATIENCE, GUARDED = timedelta(seconds=20), timedelta(seconds=45), timedelta(seconds=8)
_WAIT_S = 0.05
#: What a lock says that nobody holds: it is not deleted, as a deletion knows no condition everywhere.
FREE = b"null"

_guarded_until: ContextVar[float | None] = ContextVar("guarded_until", default=None)


@contextmanager
def guard(at: S3Path, patience: timedelta) -> Iterator[None]:
    """An object that says who is at it; whoever waits sees by it whether that one has died."""
    tag, began = _taken(at, patience)
    outer, until = _guarded_until.get(), began + GUARDED.total_seconds()
    token = _guarded_until.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _guarded_until.reset(token)
        with suppress(Changed, FileNotFoundError):
            s3.put(at, FREE, tag)


def _taken(at: S3Path, patience: timedelta) -> tuple[str, float]:
    """Takes a guard, and returns its tag and a moment just before, by the process' own clock.

    It is waited for by this process' own clock: nobody's clock is compared with another's.
    """
    mine = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "at": secrets.token_hex(6)}).encode()
    began, watched, since = time.monotonic(), "", time.monotonic()
    while True:
        held, tag = _content(at)
        if tag != watched:
            watched, since = tag, time.monotonic()
        now = time.monotonic()
        if held is None or now - since > GUARD_LEASE.total_seconds():
            with suppress(Changed, FileNotFoundError):
                return s3.put(at, mine, tag), now
        elif now - began > patience.total_seconds():
            raise LakeBusy(
                f"{at} has been held for {patience.total_seconds():.0f} s by {held.decode()}: let it continue, or end it"
            )
        time.sleep(_WAIT_S)


def update(at: S3Path, change: Callable[[bytes | None], bytes | None]) -> None:
    """Reads a lock and writes what becomes of it, unless it is another meanwhile: then once more."""
    while True:
        before, tag = _content(at)
        after = change(before) or FREE
        if after == (before or FREE):
            return
        try:
            s3.put(at, after, tag)
            return
        except (Changed, FileNotFoundError):
            time.sleep(_WAIT_S)


def put_in_time(path: S3Path, content: bytes, attempt: str) -> None:
    """Writes what nobody has written, and only while it is guarded: each try is one short request."""
    until = _guarded_until.get()
    while until is None or time.monotonic() < until:
        try:
            s3.put(path, content, ABSENT, attempt, once=until is not None)
            return
        except s3.Unanswered:
            if (found := s3.head(path)) is not None:
                if found.attempt != attempt:
                    raise Changed(str(path)) from None
                return
            time.sleep(_WAIT_S)
    raise LakeBusy(f"{path} was to be written and this process was held up: nothing was committed, try again")


def _content(path: S3Path) -> tuple[bytes | None, str]:
    """What a lock says, None where it is free, and its tag."""
    try:
        content, seen, _ = s3.get(path)
    except FileNotFoundError:
        return None, ABSENT
    return None if content == FREE else content, seen.tag
