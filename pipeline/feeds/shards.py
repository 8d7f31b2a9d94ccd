"""Deals hosts out to shards, so that one host is always asked by one worker. Pure."""

import re
from hashlib import blake2b

_PORT = re.compile(r"(?<=[^:]):\d*$|(?<=\]):\d*$")


def shard_of(host: str, shards: int) -> int:
    """The shard of a host, 0 to shards - 1: the same in every run and on every machine; port and case don't matter."""
    name = _PORT.sub("", host.strip().lower()).rstrip(".")
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") % shards
