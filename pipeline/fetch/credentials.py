"""What a feed's credentials, as the environment or an Airflow connection says them, come to as a request header. Pure.

A catalogue holds their name alone. No message here repeats any part of them.
"""

import base64
import json
import re
from urllib.parse import unquote, urlsplit

from yarl import URL

from pipeline.errors import ConfigError
from pipeline.fetch.policy import Policy
from schemas.web import Header, Request

_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): +(\S.*)")
_SCHEME = re.compile(r"(?i:bearer|basic|token|apikey) \S.*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
#: Headers that say where a request goes and how long it is; what they are is no matter of credentials.
_NOT_THESE = frozenset({"host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "accept-encoding"})
FORMS = '"user:password", "Bearer …", "Header-Name: value", or a connection of Airflow as URI or JSON'


def header_of(said: str) -> Header:
    """The header that carries these credentials.

    Raises:
        ConfigError: they have none of the forms; the message says which there are, and nothing of what was said.
    """
    said = said.strip()
    header = _as_header(said)
    if header is None or not (header.value.isascii() and header.value.isprintable()) or header.name.lower() in _NOT_THESE:
        raise ConfigError(f"credentials of no form that is known; give {FORMS}")
    return header


def _as_header(said: str) -> Header | None:
    if said.startswith("{"):
        return _of_connection(said)
    if _URI.match(said):
        try:
            parts = urlsplit(said)
            return _of_login(unquote(parts.username or ""), unquote(parts.password or ""))
        except ValueError:
            return None
    if _SCHEME.fullmatch(said):
        return Header(name="Authorization", value=said)
    if found := _HEADER.fullmatch(said):
        return Header(name=found[1], value=found[2])
    user, colon, password = said.partition(":")
    return _of_login(user, password) if user and colon else None


def _of_connection(said: str) -> Header | None:
    try:
        connection = json.loads(said)
        return _of_login(str(connection.get("login") or ""), str(connection.get("password") or ""))
    except (ValueError, AttributeError):
        return None


def _of_login(user: str, password: str) -> Header | None:
    """A password without a user is a token."""
    if not user:
        return Header(name="Authorization", value=f"Bearer {password}") if password else None
    pair = base64.b64encode(f"{user}:{password}".encode("utf-8", "replace")).decode()
    return Header(name="Authorization", value=f"Basic {pair}")


def unprotected(request: Request, policy: Policy) -> str | None:
    """Why the credentials of a request may not be sent to its address, or None: they would cross the network in the clear."""
    try:
        url = URL(request.url.strip())
    except ValueError:
        return None  # no request is sent at all
    host = (url.raw_host or "").removesuffix(".").lower()
    local = request.local or f".{host}".endswith(".localhost") or f"{host}:{url.port}" in policy.allowed_local
    return None if url.scheme == "https" or local else "credentials are sent over https only: give the feed's https address"
