"""Says of each article in a stream whether it is a copy of one that came before. Pure; exact copies only."""

from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.dedupe.texts import text_hash


@dataclass(frozen=True, slots=True)
class Answer:
    """How one article relates to the others: `duplicate_of` and `update_of` are ids of earlier ones.

    `containment` is the share of the smaller text that both have: 1 for exact copies, 0 where there is no relation.
    """

    id: str
    duplicate_of: str | None
    update_of: str | None
    story_id: str
    containment: float


@dataclass(slots=True)
class _Cluster:
    """Articles with one text: the first to arrive and the first to be seen, which late arrivals make different."""

    first_id: str
    earliest_at: datetime
    earliest_id: str


class Memory:
    """What came before, in the order in which it came. It grows with every article and starts empty."""

    def __init__(self) -> None:
        self._clusters: dict[str, _Cluster] = {}
        self._arrived: list[tuple[str, _Cluster]] = []

    def relate(
        self,
        *,
        id: str,
        seen_at: datetime,
        source: str,  # noqa: ARG002 -- exact copies are copies in any source and language
        language: str | None,  # noqa: ARG002
        title: str,
        text: str,
    ) -> Answer:
        """The answer as far as it can be known now; its story_id stays when an earlier copy arrives later.

        An id that comes again is answered as what its text is, and is never a copy of itself.
        """
        hash_ = text_hash(title, text)
        cluster = self._clusters.get(hash_) if hash_ else None
        if cluster is None:
            cluster = _Cluster(first_id=id, earliest_at=seen_at, earliest_id=id)
            if hash_:
                self._clusters[hash_] = cluster
        answer = replace(_answer(id, cluster), story_id=cluster.first_id)
        if seen_at < cluster.earliest_at:
            cluster.earliest_at, cluster.earliest_id = seen_at, id
        self._arrived.append((id, cluster))
        return answer

    def final(self) -> list[Answer]:
        """One answer per article in order of arrival, each the last word: the earliest seen of a text is the original."""
        return [_answer(id, cluster) for id, cluster in self._arrived]


def _answer(id: str, cluster: _Cluster) -> Answer:
    original = cluster.earliest_id
    if id == original:
        return Answer(id, None, None, original, 0.0)
    return Answer(id, original, None, original, 1.0)
