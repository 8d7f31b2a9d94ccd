"""Decides, attempt by attempt in order of arrival, how each ends and what it adds to the lake. Pure but for `load_memory`.

What is known (URL keys, texts, current versions, outcomes) comes from the lake once and grows as attempts are entered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.dedupe import KEY_RULE, TEXT_RULE
from pipeline.lake.work import FirstText, current_versions, deferrals, first_with_text, known_keys, last_attempts
from pipeline.lake.young import read_before
from pipeline.run.again import lost, says_the_same
from schemas import ids
from schemas.article import Article, ArticleKey, Attempt, Relation
from schemas.columns import to_arrow
from schemas.outcome import KEPT, Outcome, OutcomeCode, Superseded

#: After so many attempts an entry is given up; with the waits below that is a little over a day after the first.
MAX_ATTEMPTS = 6
#: An entry whose host is closed all the time is given up a week after it was seen, so that the work in hand stays bounded.
LONGEST_DEFERRED = timedelta(days=7)
FIRST_WAIT, WAIT_FACTOR, LONGEST_WAIT = timedelta(minutes=5), 4, timedelta(hours=24)
#: Servers that take many requests for an attack refuse for minutes or hours; who keeps refusing is given up like any other.
TRY_AGAIN = frozenset({OutcomeCode.UNREACHABLE, OutcomeCode.HTTP_ERROR, OutcomeCode.REFUSED}) | {
    *(OutcomeCode.CHALLENGE, OutcomeCode.CONSENT, OutcomeCode.LOGIN)
}


@dataclass(slots=True)
class Memory:
    """What the lake knows of the things a batch touches; entering an attempt adds to it."""

    keys: dict[str, str]
    texts: dict[str, FirstText]
    current: dict[str, Article]
    attempts: dict[tuple[str, str], int]
    read: Mapping[tuple[str, str], str] = field(default_factory=dict)  # revisions read before: the article each led to
    failed: dict[str, Outcome] = field(default_factory=dict)
    deferred: Mapping[tuple[str, str], int] = field(default_factory=dict)  # attempts of which nothing was sent, which cost none
    related: Mapping[str, Relation] = field(default_factory=dict)  # to what was taken down since, which no text tells of


def load_memory(con: duckdb.DuckDBPyConnection, attempts: list[Attempt]) -> Memory:
    """What the lake knows of all that these attempts touch."""
    keys = known_keys(con, [k for a in attempts for k in (a.link_key, a.final_key, a.canonical_key, a.entry_id) if k])
    read = read_before(con, [a.entry_id for a in attempts if a.attempt > 1])
    return Memory(
        keys=keys,
        texts=first_with_text(con, [a.article.text_hash for a in attempts if a.article]),
        current=current_versions(con, sorted({*keys.values(), *read.values()})),
        attempts=last_attempts(con, [a.entry_id for a in attempts]),
        deferred=deferrals(con, [a.entry_id for a in attempts]),
        read=read,
    )


class Ledger:
    """The rows a read batch will add."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._rows: dict[str, list[Any]] = {t: [] for t in _TABLES}

    def enter(self, attempt: Attempt) -> None:
        """Ends one attempt, unless another batch or shard has ended it already."""
        entry = (attempt.entry_id, attempt.revision)
        if self._memory.attempts.get(entry, 0) >= attempt.attempt:
            return
        self._memory.attempts[entry] = attempt.attempt
        outcome = self._end(attempt)
        if not outcome.kept:
            self._memory.failed[attempt.link_key] = outcome
        self._rows["outcomes"].append(outcome)

    def tables(self) -> dict[str, pa.Table]:
        return {name: to_arrow(self._rows[name], row) for name, row in _TABLES.items()}

    def due_again(self) -> int:
        """How many of the attempts are not the last at their entry."""
        return sum(not o.final for o in self._rows["outcomes"])

    def _end(self, a: Attempt) -> Outcome:
        before = self._memory.read.get((a.entry_id, a.revision))
        if before and a.code != OutcomeCode.FORGOTTEN:
            return replace(self._end_again(a, before), kept=True, reread=True)
        if a.code == OutcomeCode.KNOWN_ARTICLE:
            return _ended(a, OutcomeCode.KNOWN_ARTICLE, article_id=a.article_id)
        if a.code == OutcomeCode.UNCHANGED:  # code of today makes nothing of what was read of it then
            return self._failed(a, OutcomeCode.NO_TEXT, "the page had not changed since, and nothing is known of it from then")
        if a.code is not None:
            return self._failed(a, OutcomeCode(a.code), a.detail)
        if a.article is None:
            return self._end_as_another(a)
        return self._end_read(a, a.article)

    def _end_again(self, a: Attempt, before: str) -> Outcome:
        """An attempt at a page that was read before: whatever comes of it, what was read stands, or the change replaces it."""
        stands = self._memory.current.get(before)
        gone = lost(stands, a.article) if stands and a.article else None
        if a.article and gone is None:
            return self._end_read(a, replace(a.article, seen_at=a.ended_at))
        code, detail = gone or (OutcomeCode(a.code or OutcomeCode.UNREACHABLE), a.detail)
        if code != OutcomeCode.UNCHANGED:
            detail = f"{detail}; what was read before stands"
        return _ended(a, code, article_id=before, version_id=stands.version_id if stands else None, detail=detail)

    def _end_as_another(self, a: Attempt) -> Outcome:
        """An attempt that asked nothing because another entry of the batch leads to the same address."""
        article = self._memory.keys.get(a.link_key)
        if article is not None:
            return self._known(a, article)
        other = self._memory.failed.get(a.link_key)
        if other is None:
            return self._failed(
                a, OutcomeCode.UNREACHABLE, "another entry with the same address was to be read first, and was not"
            )
        # another entry's attempts are used up, this one's are not
        code = OutcomeCode.UNREACHABLE if other.code == OutcomeCode.GIVEN_UP else OutcomeCode(other.code)
        if other.code == OutcomeCode.DEFERRED and other.due_at:
            a = replace(a, retry_after_s=(other.due_at - a.ended_at).total_seconds())
        return self._failed(a, code, f"same address as {other.entry_id}: {other.detail}")

    def _failed(self, a: Attempt, code: OutcomeCode, detail: str | None) -> Outcome:
        """An attempt that brought nothing: final, due again after a wait, or given up."""
        sent = a.attempt - self._memory.deferred.get((a.entry_id, a.revision), 0)
        asked_for = timedelta(seconds=min(max(0.0, a.retry_after_s or 0.0), LONGEST_WAIT.total_seconds()))
        if code == OutcomeCode.DEFERRED:
            if a.ended_at - a.seen_at > LONGEST_DEFERRED:
                return _outcome(
                    a, OutcomeCode.GIVEN_UP, final=True, detail=f"{LONGEST_DEFERRED.days} days after it was seen: {detail}"
                )
            return replace(_outcome(a, code, final=False, detail=detail), due_at=a.ended_at + asked_for)
        if code not in TRY_AGAIN:
            return _outcome(a, code, final=True, detail=detail)
        if sent >= MAX_ATTEMPTS:
            return _outcome(a, OutcomeCode.GIVEN_UP, final=True, detail=f"after {sent} attempts, the last: {detail}")
        wait = min(FIRST_WAIT * WAIT_FACTOR ** (sent - 1), LONGEST_WAIT)
        return replace(_outcome(a, code, final=False, detail=detail), due_at=a.ended_at + max(wait, asked_for))

    def _known(self, a: Attempt, article: str) -> Outcome:
        current = self._memory.current.get(article)
        own = current is not None and current.entry_id == a.entry_id
        code = OutcomeCode.UNCHANGED if own else OutcomeCode.KNOWN_ARTICLE
        return _ended(a, code, article_id=article, version_id=current.version_id if current and own else None)

    def _end_read(self, a: Attempt, article: Article) -> Outcome:
        """A page that was read: an article of its own, a later version of one, or one known under another address."""
        current = self._known_as(a, article)
        if current and says_the_same(current, article):
            self._add_keys(a, current.article_id)
            return self._known(a, current.article_id)
        if current:
            version = ids.version_id(current.article_id, a.shown_by or a.entry_id)
            article = replace(article, article_id=current.article_id, version_id=version, change_type="revised")
            old = Superseded(what="version", id=current.version_id, replaced_by=version, why="revised")
            self._rows["superseded"].append(old)
        self._add_keys(a, article.article_id)
        self._memory.current[article.article_id] = article
        self._rows["articles"].append(article)
        return _ended(a, self._relate(article), article_id=article.article_id, version_id=article.version_id)

    def _known_as(self, a: Attempt, article: Article) -> Article | None:
        """The last version of the article this page is: by its link or its entry, or by where it led and what it says.

        Where a page led, and what it names as canonical, can be one address for many articles (a consent page, a section);
        only with the same title or the same text does it decide.
        """
        own = self._current(a.entry_id)
        if current := self._current(a.link_key) or (own if own and own.host == article.host else None):
            return current
        for key in (a.final_key, a.canonical_key):
            if (current := self._current(key)) and (current.title == article.title or current.text_hash == article.text_hash):
                return current
        return None

    def _current(self, key: str | None) -> Article | None:
        return self._memory.current.get(self._memory.keys.get(key or "", ""))

    def _relate(self, article: Article) -> OutcomeCode:
        """Whether an article's text was known from another one; then they are related."""
        first, before = self._memory.texts.get(article.text_hash), self._memory.related.get(article.version_id)
        if first is None and article.text_hash:
            story = before.story_id if before else article.article_id
            self._memory.texts[article.text_hash] = FirstText(article.version_id, article.article_id, article.seen_at, story)
        if before:
            self._rows["relations"].append(before)
            return OutcomeCode.COPY
        if first is None or not article.text_hash or first.article_id == article.article_id:
            return OutcomeCode.ARTICLE
        self._rows["relations"].append(
            Relation(
                version_id=article.version_id,
                article_id=article.article_id,
                other_version_id=first.version_id,
                other_article_id=first.article_id,
                kind="duplicate_of",
                method=TEXT_RULE,
                containment=1.0,
                lag_s=(article.seen_at - first.seen_at).total_seconds(),
                story_id=first.story_id,
            )
        )
        return OutcomeCode.COPY

    def _add_keys(self, a: Attempt, article: str) -> None:
        for basis, key in {"link": a.link_key, "entry": a.entry_id, "final": a.final_key, "canonical": a.canonical_key}.items():
            if key and key not in self._memory.keys:
                self._memory.keys[key] = article
                self._rows["article_keys"].append(ArticleKey(key=key, article_id=article, basis=basis, rule=KEY_RULE))


_TABLES: dict[str, type] = {
    "articles": Article,
    "article_keys": ArticleKey,
    "relations": Relation,
    "superseded": Superseded,
    "outcomes": Outcome,
}


def _ended(a: Attempt, code: OutcomeCode, **known: str | None) -> Outcome:
    return _outcome(a, code, final=True, **known)


def _outcome(a: Attempt, code: OutcomeCode, *, final: bool, **known: str | None) -> Outcome:
    return Outcome(
        entry_id=a.entry_id,
        revision=a.revision,
        feed_id=a.feed_id,
        source=a.source,
        attempt=a.attempt,
        code=code,
        kept=code in KEPT,
        final=final,
        article_id=known.get("article_id"),
        version_id=known.get("version_id"),
        title=a.title,
        url=a.url,
        detail=known.get("detail"),
        ended_at=a.ended_at,
    )
