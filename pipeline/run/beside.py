"""Push and pull both add entries, each under its own lock: what one decides rests on what the other has committed. I/O.

So who decides notes what was there before, and commits only while that is all there is; else it decides once more.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from pipeline.errors import Overtaken
from pipeline.lake.forget import tombstones_placed
from pipeline.lake.layout import PUSH, Lake
from pipeline.lake.lock import Fence, guarded
from pipeline.lake.store import store_of

_BESIDE = {PUSH: "pull", "pull": PUSH}


def rests_on(lake: Lake, stage: str) -> list[str]:
    """What a decision must know of besides what its own lock keeps in order: takedowns, and the stage beside."""
    beside = (lake.root / "hot").glob(f"date=*/*-{_BESIDE[stage]}") if stage in _BESIDE else ()
    return [*tombstones_placed(lake), *sorted(p.name for p in beside if store_of(p).is_placed(p))]


@contextmanager
def unless_overtaken(lake: Lake, stage: str, before: list[str], fence: Fence) -> Iterator[None]:
    """Holds a takedown's commit back too, and that of the stage beside: what is committed after was decided knowing of it.

    Raises:
        Overtaken: there is more than `before`.
    """
    with fence(), guarded(lake, "pull") if stage == PUSH else nullcontext():
        if rests_on(lake, stage) != before:
            raise Overtaken("something was committed or taken down meanwhile: what the batch adds is decided once more")
        yield
