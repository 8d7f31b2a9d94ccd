"""One form sent to a server, as a WebSub hub is asked for a subscription; to public addresses only. I/O."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from pipeline.fetch.address import refused_url
from pipeline.fetch.ask import login_at
from pipeline.fetch.connect import PublicResolver, open_session
from pipeline.fetch.policy import Policy

_ONWARD = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
_MOST_ONWARD = 3
_MOST_WORDS = 200


async def post_form(url: str, form: Mapping[str, str], policy: Policy) -> tuple[bool, str]:
    """Whether a server accepted a form (2xx), and its answer in words. Never raises for anything a server does."""
    limits = aiohttp.ClientTimeout(total=policy.total_s, sock_connect=policy.connect_s, sock_read=policy.read_s)
    headers, resolver = {"User-Agent": policy.user_agent, "Accept-Encoding": "identity"}, PublicResolver(policy)
    try:
        async with open_session(policy, resolver, resolver.proxy_at) as session:
            target = URL(url)
            for _ in range(_MOST_ONWARD + 1):
                if why := refused_url(target, policy.allowed_local):
                    return False, why
                proxy = await resolver.proxy_for(target)
                who = login_at(proxy)
                way: dict[str, Any] = {"proxy": proxy and proxy.with_user(None), "proxy_headers": who, "headers": headers}
                if target.scheme == "http":  # there is no other request to the proxy than this one
                    way |= {"proxy_headers": {}, "headers": headers | who}
                async with session.post(target, data=form, timeout=limits, allow_redirects=False, **way) as answer:
                    if answer.status not in _ONWARD or "Location" not in answer.headers:
                        words = _printable(await answer.content.read(_MOST_WORDS))
                        return 200 <= answer.status < 300, f"status {answer.status} {words}".strip()
                    target = target.join(URL(answer.headers["Location"]))
            return False, f"more than {_MOST_ONWARD} redirects"
    except (TimeoutError, aiohttp.ClientError, HttpProcessingError, OSError, ValueError, EOFError) as error:
        return False, f"no answer: {_printable(str(error).encode()) or type(error).__name__}"
    finally:
        await resolver.close()


def _printable(words: bytes) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in words[:_MOST_WORDS].decode("utf-8", "replace")).split())
