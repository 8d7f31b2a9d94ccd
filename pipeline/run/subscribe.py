"""Takes feeds into a catalogue of one's own: what was asked for is found, visited, judged and written. I/O."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import ConfigError, InputError
from pipeline.feeds import new_feed, offered, read_catalogue, same_address, switched_on, with_feeds, without
from pipeline.feeds.discover import Found
from pipeline.feeds.opml import read_opml
from pipeline.fetch import may_be_opened, plainly_local
from pipeline.lake.durable import write_file
from pipeline.run.probe import Answered, Watch, discover, local_too, news_sitemaps, visit
from pipeline.settings import Settings
from schemas.feed import Feed, VisitCode

#: Chooses among the feeds of a site, given what was asked for; raises InputError where nobody can be asked.
Choose = Callable[[str, Sequence[Found]], Found]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: a feed of the shipped catalogue, or an address of a feed or a site."""

    what: str
    feed: Feed | None
    url: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of it; `how` is added, switched on, there already or refused."""

    what: str
    how: str
    feed: Feed | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How feeds are taken in: visited first (`check`), allowed to be local, of which source; whom to ask and to tell."""

    check: bool
    local: bool
    source: str | None
    choose: Choose
    watch: Watch


def wanted(words: Iterable[str], group: str | None, *, local: bool = False) -> list[Wanted]:
    """What words mean: addresses, ids of the shipped catalogue, and all of a group of it.

    Raises:
        InputError: a word means nothing; with what it may have been.
    """
    shipped = {feed.feed_id: replace(feed, enabled=True) for feed in offered()}
    found = [_wanted(word, shipped, local=local) for word in words]
    if group is not None:
        groups = groups_of(shipped.values())
        if group not in groups:
            raise InputError(f"no group {group!r}; {meant(group, groups)}")
        found += [Wanted(f.feed_id, f, f.url) for f in shipped.values() if f.group == group]
    return found


def groups_of(feeds: Iterable[Feed]) -> list[str]:
    """The groups of some feeds, in the order in which they occur."""
    return list(dict.fromkeys(f.group for f in feeds if f.group))


def address_of(word: str, *, local: bool = False) -> str | None:
    """The address that a word means, or None: one with a scheme, or a host with or without a path."""
    word = word.strip()
    host = word.partition("/")[0]
    if "://" not in word and not ("." in host or ":" in host or host == "localhost"):
        return None
    url = word if "://" in word else f"{'http' if local else 'https'}://{word}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:
        usable = False
    if not usable:
        raise InputError(f"{word}: no address that can be visited; give one that begins with https:// or http://")
    return url


def _wanted(word: str, shipped: dict[str, Feed], *, local: bool) -> Wanted:
    if feed := shipped.get(word):
        return Wanted(word, feed, feed.url)
    if url := address_of(word, local=local):
        return Wanted(word, None, url)
    groups = groups_of(shipped.values())
    if word in groups:
        raise InputError(f"{word} is a group; to take all of it: newsmill feeds add --group {word}")
    raise InputError(f"{word!r} is no address and no feed of the shipped catalogue; {meant(word, [*shipped, *groups])}")


def meant(word: str, known: Sequence[str]) -> str:
    """What a word that is not known may have been."""
    near = get_close_matches(word, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else "newsmill feeds list --offered shows what there is"


def own_text(catalogue: Path) -> str:
    """The catalogue's text; empty where there is none yet."""
    if (catalogue.parent / "wire-address").exists():
        raise InputError(f"{catalogue} is the sample wire's own and made anew at each start; name yours with --catalogue")
    try:
        return catalogue.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{catalogue}: cannot be read ({error}); name a TOML file with --catalogue") from None


def subscribe(settings: Settings, catalogue: Path, wants: Sequence[Wanted], how: How) -> list[Ended]:
    """Takes what is wanted into the catalogue, each feed after a visit that found a feed; the rest is refused with its reason.

    Raises:
        ConfigError: the catalogue cannot be read or edited.
        InputError: a site has several feeds and nobody can be asked which.
    """
    text = own_text(catalogue)
    have = list(read_catalogue(text, catalogue))
    ended = [_known(have, want) for want in wants]
    unknown = list({w.url: w for w, end in zip(wants, ended, strict=True) if end is None}.values())
    answers = visit(settings, {w.url: how.local and not w.feed for w in unknown}, how.watch) if how.check and unknown else {}
    results = [end for end in ended if end]
    for want in unknown:
        end = _admitted(settings, want, answers.get(want.url), how, have)
        have += [end.feed] if end.how == "added" and end.feed else []
        results.append(end)
    for end in results:
        if end.how == "switched on" and end.feed:
            text = switched_on(text, end.feed.feed_id, catalogue)
    if added := [end.feed for end in results if end.how == "added" and end.feed]:
        text = with_feeds(text, added, catalogue)
    if any(end.how in ("added", "switched on") for end in results):
        write_file(catalogue, text.encode())
    return results


def _known(have: Iterable[Feed], want: Wanted) -> Ended | None:
    """The end of what the catalogue has already."""
    twin = next((f for f in have if same_address(f.url) == same_address(want.url)), None)
    if twin is None:
        return None
    how = "there already" if twin.enabled else "switched on"
    return Ended(want.what, how, twin, f"as {twin.feed_id}")


def _admitted(settings: Settings, want: Wanted, answered: Answered | None, how: How, have: list[Feed]) -> Ended:
    """What becomes of one that the catalogue has not: it, or a feed of the site it is, or a refusal."""
    local = how.local and not want.feed  # the shipped feeds are public
    if answered and not answered.feed and want.feed is None and answered.code == VisitCode.NOT_A_FEED:
        found = discover(settings, want.url, answered, local=how.local, watch=how.watch)
        found = found or news_sitemaps(settings, answered, local=how.local, watch=how.watch)
        if not found:
            return Ended(want.what, "refused", detail=f"{answered.why}; it names no feed, and the usual places have none")
        chosen = found[0] if len(found) == 1 else how.choose(want.what, found)
        local = local_too(local, want.url, chosen.url)
        want = Wanted(want.what, None, chosen.url)
        answered = visit(settings, {chosen.url: local}, how.watch)[chosen.url]
    if known := _known(have, want):
        return known
    if answered and not answered.feed:
        return Ended(want.what, "refused", detail=f"{want.url}: {answered.why}")
    taken = {f.feed_id for f in have}
    if want.feed:
        feed = want.feed if want.feed.feed_id not in taken else new_feed(want.url, taken, title=want.feed.title)
    else:
        feed = new_feed(want.url, taken, title=_in_one_line(answered.feed.title if answered and answered.feed else None))
    return Ended(want.what, "added", replace(feed, local=local, source=how.source or feed.source))


def _in_one_line(title: str | None) -> str | None:
    words = " ".join("".join(c if c.isprintable() else " " for c in title or "").split())
    return words[:200] or None


def unsubscribe(catalogue: Path, feed_ids: Sequence[str]) -> list[Feed]:
    """Takes feeds out of the catalogue; what the lake has of them stays.

    Raises:
        InputError: an id that is not in it; then nothing is changed.
    """
    text = own_text(catalogue)
    have = {f.feed_id: f for f in read_catalogue(text, catalogue)}
    for feed_id in feed_ids:
        if feed_id not in have:
            near = get_close_matches(feed_id, have, n=3, cutoff=0.5)
            remedy = f"did you mean {' or '.join(near)}?" if near else "newsmill feeds list shows what it has"
            raise InputError(f"{catalogue} has no feed {feed_id!r}; {remedy}")
    write_file(catalogue, without(text, feed_ids, catalogue).encode())
    return [have[feed_id] for feed_id in dict.fromkeys(feed_ids)]


def import_opml(catalogue: Path, data: bytes, name: str) -> tuple[list[Feed], list[str]]:
    """Takes the subscriptions of an OPML document in without visiting them: the feeds added, and what was skipped and why."""
    text = own_text(catalogue)
    have = {same_address(f.url): f for f in read_catalogue(text, catalogue)}
    outlines, skipped = read_opml(data, name)
    taken = {f.feed_id for f in have.values()}
    added: list[Feed] = []
    for outline in outlines:
        label = f"{outline.title or 'without a title'}, {outline.url}"
        twin = have.get(same_address(outline.url)) if plainly_local(outline.url) is None else None
        if reason := plainly_local(outline.url):
            remedy = f"; a feed of your own network: newsmill feeds add --local {outline.url}" if may_be_opened(reason) else ""
            skipped.append(f"{label}: {reason}{remedy}")
        elif twin:
            skipped.append(f"{label}: same address as {twin.feed_id}")
        else:
            title, group = _in_one_line(outline.title), _in_one_line(outline.group)
            feed = new_feed(outline.url, taken, title=title, group=group, language=outline.language)
            added.append(feed)
            taken.add(feed.feed_id)
            have[same_address(feed.url)] = feed
    if added:
        write_file(catalogue, with_feeds(text, added, catalogue).encode())
    return added, skipped
