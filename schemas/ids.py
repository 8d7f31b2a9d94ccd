"""Derives the ids of rows from what they are about, so that a retry and a replay give the same ones. Pure.

An id is a letter for its kind, an underscore and 20 hex digits (80 bits of BLAKE2b): at a thousand million
rows of a kind the chance of any collision is below one in a million, also for names chosen to collide.
"""

from hashlib import blake2b


def _digest(*parts: str) -> str:
    hash_ = blake2b(digest_size=10)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hash_.update(len(data).to_bytes(8, "big") + data)
    return hash_.hexdigest()


def visit_id(batch_id: str, feed_id: str) -> str:
    """One visit to one feed in one batch."""
    return "f_" + _digest(batch_id, feed_id)


def entry_id(feed_id: str, key: str) -> str:
    """One entry of one feed, whatever its later revisions say."""
    return "e_" + _digest(feed_id, key)


def wording_of(*content: str | None) -> str:
    """What an entry says: its title, summary, link and whatever else makes it new to a reader."""
    return "w_" + _digest(*("\x00" if part is None else part for part in content))


def revision_id(wording: str, before: str | None) -> str:
    """One revision of an entry: a wording after another one. The same wording again, after another, is a new revision."""
    return "r_" + _digest(wording, before or "")


def page_id(batch_id: str, entry: str, revision: str, attempt: int) -> str:
    """One fetch of the page behind one revision of an entry."""
    return "p_" + _digest(batch_id, entry, revision, str(attempt))


def article_id(first_key: str) -> str:
    """An article, by the first URL key it was seen under (or, without a link, its entry's id)."""
    return "a_" + _digest(first_key)


def version_id(article: str, shown_by: str) -> str:
    """A version of an article, by the visit (feed or page) that first showed it."""
    return "v_" + _digest(article, shown_by)


def tagging_id(version: str, tagger: str, registry: str) -> str:
    """One run of one tagger with one company registry over one version."""
    return "t_" + _digest(version, tagger, registry)


def content_hash(text: str) -> str:
    """40 hex digits that stand for a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
