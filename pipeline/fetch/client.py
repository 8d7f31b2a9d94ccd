"""Carries requests out politely: robots.txt, turns at a host, redirects by hand. I/O; every end is a `Body`."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from yarl import URL

from pipeline.fetch import headers, robots
from pipeline.fetch.address import refused_url
from pipeline.fetch.ask import Answer, Asker
from pipeline.fetch.credentials import unprotected
from pipeline.fetch.host import Host
from pipeline.fetch.memory import Memory
from pipeline.fetch.retry import Budget, passes, pause_s
from schemas.web import Body, FetchCode, Header, Kind, Request, RobotsSeen

_LEAST_S = 0.1  # a timeout of 0 means none at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What to fetch and within which limits. `kind` is None for a robots.txt, which no robots.txt governs."""

    url: str
    kind: Kind | None
    sent: Mapping[str, str]
    max_bytes: int
    max_redirects: int
    secret: Header | None = None


@dataclass(slots=True)
class Trail:
    """One errand on its way: what it has met so far. `targets` are the redirects met, the last also where it was not followed."""

    left_s: float
    targets: list[str] = field(default_factory=list)
    final: URL | None = None
    asked_at: datetime | None = None
    robots: str | None = None
    note: str | None = None
    first_try: str | None = None  # how it ended, where there was a second
    at_home: bool = True  # nothing but the origin that was asked first has been met
    moved_to: str | None = None  # by permanent redirects alone


class Client:
    """One call of `fetch`: its hosts and what their robots.txt say."""

    def __init__(self, asker: Asker, memory: Memory, requests: int) -> None:
        self._asker = asker
        self._policy = asker.policy
        self._memory = memory
        self._budget = Budget(requests)
        self._hosts: dict[str, Host] = {}
        self._rules: dict[URL, robots.Rules] = {}
        self._reading: defaultdict[URL, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def exchange(self, request: Request) -> Body:
        """Carry one request out, to its end."""
        errand = Errand(
            url=request.url,
            kind=request.kind,
            sent=headers.asking(request, self._policy.user_agent),
            max_bytes=self._policy.max_bytes(request.kind),
            max_redirects=self._policy.max_redirects,
            secret=request.secret,
        )
        why = request.unsent or (request.secret and unprotected(request, self._policy))
        if why:
            return self._body(request, Trail(0), Answer(code=FetchCode.NO_CREDENTIALS, detail=why))
        trail = Trail(self._policy.total_s)
        answer = await self._follow(errand, trail)
        if answer.code is FetchCode.NOT_MODIFIED and not _was_conditional(errand.sent):
            answer = replace(answer, code=FetchCode.STATUS, detail="304 to a request without conditions")
        return self._body(request, trail, answer)

    def _body(self, request: Request, trail: Trail, answer: Answer) -> Body:
        content = {FetchCode.OK: answer.content, FetchCode.STATUS: answer.content or None}.get(answer.code)
        answered_at = self._asker.clock()
        return Body(
            kind=request.kind,
            owner=request.owner,
            target=request.target,
            revision=request.revision,
            attempt=request.attempt,
            url=request.url,
            final_url=None if answer.status is None else str(trail.final),
            redirects=tuple(trail.targets),
            asked_at=trail.asked_at or answered_at,
            answered_at=answered_at,
            code=answer.code,
            status=answer.status,
            headers=answer.headers,
            retry_after_s=answer.retry_after_s,
            robots=trail.robots,
            detail=_in_words(answer, trail),
            sha256=None if content is None else hashlib.sha256(content).hexdigest(),
            content=content,
            moved_to=trail.moved_to,
        )

    async def _follow(self, errand: Errand, trail: Trail) -> Answer:
        """The last answer on the way from `errand.url`: one that points nowhere, or the reason not to go on."""
        target = errand.url
        while True:
            url = _parsed(target)
            if isinstance(url, str):
                return Answer(code=FetchCode.FORBIDDEN_ADDRESS, detail=url)
            if stop := await self._permitted(url, errand, trail):
                return stop
            answer = await self._turn(url, errand, trail)
            if trail.first_try is None and passes(answer) and self._budget.take(host_name(url)):
                trail.first_try = answer.detail or f"status {answer.status}"
                await asyncio.sleep(pause_s(self._policy.spacing_s))
                answer = await self._turn(url, errand, trail)
            if answer.location is None:
                return answer
            target = _joined(url, answer.location)
            trail.at_home &= _leads_home(url, target)
            looped = target in (errand.url, *trail.targets)
            if answer.status in (301, 308) and trail.moved_to == (trail.targets[-1] if trail.targets else None):
                trail.moved_to = target
            trail.targets.append(target)
            if looped or len(trail.targets) > errand.max_redirects:
                why = "redirects in a loop" if looped else f"more than {errand.max_redirects} redirects"
                return replace(answer, code=FetchCode.TOO_MANY_REDIRECTS, detail=why)

    async def _permitted(self, url: URL, errand: Errand, trail: Trail) -> Answer | None:
        """The end of the errand where address or robots.txt forbid to ask, else None."""
        if reason := refused_url(url, self._policy.allowed_local):
            return Answer(code=FetchCode.FORBIDDEN_ADDRESS, detail=reason)
        if errand.kind is None:
            return None
        rules = await self._rules_of(url.origin())
        trail.robots = rules.verdict(str(url))
        if not self._host(url).slow_down(rules.delay_s):
            trail.note = f"crawl-delay of {rules.delay_s:g} s cut to {self._policy.max_wait_s:g} s"
        if trail.robots == "disallowed":
            return Answer(code=FetchCode.DISALLOWED, detail="robots.txt disallows it")
        # A feed was named by whoever runs this: it is asked where there is no word against it.
        if trail.robots == "unavailable" and errand.kind is not Kind.FEED:
            return Answer(code=rules.ended, detail=f"robots.txt: {rules.detail}", retry_after_s=rules.wait_s)
        return None

    async def _turn(self, url: URL, errand: Errand, trail: Trail) -> Answer:
        """Ask when it is our turn at the host; where it wants to be left alone for longer than we wait, don't."""
        host = self._host(url)
        async with host.lock:
            if closed_s := await host.opened(errand.kind):
                detail = f"host {host.why_closed(errand.kind)} {closed_s:.0f} s more"
                return Answer(code=FetchCode.DEFERRED, detail=detail, retry_after_s=closed_s)
            trail.final = url
            trail.asked_at = trail.asked_at or self._asker.clock()
            started = asyncio.get_running_loop().time()
            try:
                answer = await self._asker.ask(url, _sent(errand, trail), max_bytes=errand.max_bytes, left_s=trail.left_s)
            finally:
                host.left()
            trail.left_s = max(_LEAST_S, trail.left_s - (asyncio.get_running_loop().time() - started))
            host.answered(errand.kind, answer.status, answer.retry_after_s)
            return answer

    async def _rules_of(self, origin: URL) -> robots.Rules:
        async with self._reading[origin]:
            if found := self._rules.get(origin):
                return found
            before = self._memory.robots.get(str(origin))
            if before and before.expires_at > self._asker.clock():
                rules = robots.rules_seen(before, self._policy.product)
            else:
                rules = await self._read_rules(origin, before)
            if rules.ended is not FetchCode.DEFERRED:
                self._rules[origin] = rules
            return rules

    async def _read_rules(self, origin: URL, before: RobotsSeen | None) -> robots.Rules:
        errand = Errand(
            url=str(origin / "robots.txt"),
            kind=None,
            sent=headers.asking_for_robots(self._policy.user_agent),
            max_bytes=robots.MAX_BYTES,
            max_redirects=robots.MAX_REDIRECTS,
        )
        trail = Trail(self._policy.total_s)
        answer = await self._follow(errand, trail)
        rules = robots.rules_of(answer, self._policy.product, redirected=bool(trail.targets))
        if rules.state != "unavailable":
            self._memory.note_robots(robots.seen(origin, answer, rules, self._asker.clock()))
        elif before and answer.code is not FetchCode.DEFERRED:
            return robots.rules_seen(before, self._policy.product)  # as RFC 9309 allows, rather than take silence for a no
        return rules

    def _host(self, url: URL) -> Host:
        name = host_name(url)
        if name not in self._hosts:
            self._hosts[name] = Host(self._policy, self._asker.clock, self._memory.hosts.get(name))
        return self._hosts[name]

    def remember(self) -> None:
        """Leave in memory how the hosts that were asked are seen now."""
        for name, host in self._hosts.items():
            if seen := host.seen(name):
                self._memory.note_host(seen)


def host_name(url: URL) -> str:
    """What a host is known by, whatever the port."""
    return (url.raw_host or "").removesuffix(".").lower()


def host_of(url: str) -> str:
    """The host whose queue a request waits in; an address that cannot be read has one of its own."""
    parsed = _parsed(url)
    return url if isinstance(parsed, str) else host_name(parsed) or url


def _parsed(text: str) -> URL | str:
    try:
        return URL(text.strip()).with_fragment(None)
    except ValueError as error:
        return f"not an address: {error}"


def _joined(url: URL, location: str) -> str:
    """Where a Location points; one that cannot be read is returned as it is, to be refused in its turn."""
    try:
        return str(url.join(URL(location.strip())).with_fragment(None))
    except ValueError:
        return location


def _in_words(answer: Answer, trail: Trail) -> str | None:
    """What is to be said of the exchange; a status speaks for itself where nothing else is."""
    told = [trail.note, trail.first_try and f"second try, the first: {trail.first_try}"]
    plain = f"status {answer.status}" if any(told) and answer.code is FetchCode.STATUS else None
    return "; ".join(filter(None, (answer.detail or plain, *told))) or None


def _leads_home(url: URL, target: str) -> bool:
    there = _parsed(target)
    return not isinstance(there, str) and there.is_absolute() and there.origin() == url.origin()


def _sent(errand: Errand, trail: Trail) -> Mapping[str, str]:
    """The headers of the next request; whoever was led elsewhere carries no credentials any more, also when led back."""
    secret = errand.secret if trail.at_home else None
    return {**errand.sent, secret.name: secret.value} if secret else errand.sent


def _was_conditional(sent: Mapping[str, str]) -> bool:
    return "If-None-Match" in sent or "If-Modified-Since" in sent
