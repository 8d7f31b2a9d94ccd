"""SQL of strangers: one statement, in a process that can read the lake's files and do nothing else, and that ends in time.

DuckDB cannot be made read-only by its settings: COPY writes wherever it may read, also hidden in an EXPLAIN ANALYZE or a WITH. So
the child gives up its rights before it looks at the statement: with Landlock it can open no file but the lake's, these only to
read, and no connection; it has an empty environment, limits of memory and of file size. It is killed from outside at its time.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.errors import InputError, LakeError, QueryStopped
from pipeline.lake.definitions import definitions
from pipeline.lake.layout import Lake
from pipeline.lake.store import only_in_directory
from pipeline.lake.views import is_current
from pipeline.s3 import place_of
from pipeline.untrusted.landlock import version

# The parent's sys.path is taken over before anything of ours is imported.
_START = "import sys; sys.path[:] = sys.argv[2:]; from pipeline.untrusted.child import answer; answer(int(sys.argv[1]))"

#: Nothing of ours; Arrow's allocator would start a thread before the child has confined itself.
_ENVIRONMENT = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one statement may take: seconds of wall time (its process's start included), rows and bytes of its result, memory."""

    seconds: float = 30.0
    rows: int = 100_000
    mb: int = 64
    memory_mb: int = 1024


def ask(lake: Path, statement: str, limits: Limits | None = None) -> pa.Table:
    """The rows of one statement; `limits.rows` of them, where it has more (the schema's metadata then has `newsmill.cut`).

    Raises:
        InputError: DuckDB's message, or that it is none of the statements that only ask.
        QueryStopped: it passed a limit, or ended its process.
        LakeError: there is no lake; or this system cannot confine a process.
    """
    place, limits = Lake(place_of(lake).resolve()), limits or Limits()
    only_in_directory(place.root, "`newsmill sql --safe`", "ask without --safe what you trust")
    place.check()
    if not version():
        raise LakeError(
            "SQL of strangers needs Landlock (Linux 5.13 or later, switched on), and this system has none: "
            "ask without --safe what you trust, and strangers' SQL in a container or virtual machine of its own"
        )
    script = definitions(place)
    told = {"lake": str(place.root), "statement": statement, "script": script, "attached": is_current(place, script)}
    asked = json.dumps({**told, **asdict(limits)}).encode("utf-8", "surrogatepass")
    with tempfile.TemporaryDirectory() as empty:
        kind, said = _of_child(asked, limits, empty)
    if kind == b"R":
        return pa.ipc.open_stream(said).read_all()
    why = said.decode("utf-8", "replace")
    raise InputError(why) if kind == b"E" else QueryStopped(why)


def _of_child(asked: bytes, limits: Limits, directory: str) -> tuple[bytes, bytes]:
    """R and a result, E and what was wrong with the statement, or S and why it was stopped."""
    ends = time.monotonic() + limits.seconds
    with subprocess.Popen(
        [sys.executable, "-c", _START, str(os.getpid()), *sys.path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_ENVIRONMENT,
        cwd=directory, start_new_session=True,
    ) as child:  # fmt: skip
        try:
            answer = _exchange(child, asked, ends, limits.mb * 2**20)
            if isinstance(answer, str):
                return b"S", answer.encode()
            with suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, ends - time.monotonic()))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    if not answer:
        return b"S", _of_death(child.returncode, limits).encode()
    return answer[:1], answer[1:]


def _exchange(child: "subprocess.Popen[bytes]", asked: bytes, ends: float, most: int) -> bytes | str:
    """What the child writes until it closes its output; in words why it was not waited for."""
    assert child.stdin and child.stdout
    found = bytearray()
    os.set_blocking(child.stdin.fileno(), False)
    while True:
        left = ends - time.monotonic()
        ready, writable, _ = select.select([child.stdout], [child.stdin] if asked else [], [], max(0, left))
        if not (ready or writable):
            return "it took longer than its limit of time and was killed; ask for less, or without --safe"
        if writable:
            with suppress(BrokenPipeError):
                asked = asked[os.write(child.stdin.fileno(), asked) :]
            if not asked:
                child.stdin.close()
        if ready:
            if not (piece := os.read(child.stdout.fileno(), 2**20)):
                return bytes(found)
            found += piece
            if len(found) > most:
                return f"its result has more than {most // 2**20} MB; ask for fewer columns or rows, or without --safe"


def _of_death(code: int, limits: Limits) -> str:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    return f"it ended its process ({how}), most likely at its limit of {limits.memory_mb} MB; ask for less, or without --safe"
