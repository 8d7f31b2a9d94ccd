"""Puts every statement of hostile.sql to a lake, and tells what it changed, what it learnt, and how long it took."""

import hashlib
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.errors import NewsmillError
from pipeline.untrusted import Limits, ask

CANARY = "canary-7f31c0de"
LIMITS = Limits(seconds=3, rows=1000, mb=8, memory_mb=512)
_STATEMENTS = Path(__file__).with_name("hostile.sql")


@dataclass
class Told:
    """What came of it: statements after which something was changed, that learnt what they should not, that ended late."""

    statements: int = 0
    answered: int = 0
    changed: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)  # ended by an error that is none of ours


def statements(lake: Path, outside: Path, port: int) -> list[str]:
    lines = _STATEMENTS.read_text().splitlines()
    found = [line for line in lines if line and not line.startswith("--")]
    found = [re.sub(r"\{repeat:(\d+):([^}]+)\}", lambda m: m[2] * int(m[1]), line) for line in found]
    found = [s.replace("{lake}", str(lake)).replace("{outside}", str(outside)).replace("{port}", str(port)) for s in found]
    return [*(s.replace(r"\0", "\0").replace(r"\n", "\n") for s in found), "SELECT '\udcff'"]


def put(lake: Path, place: Path, at_once: int = 3, most: int | None = None) -> Told:
    """Everything in hostile.sql, or its first `most`; `place` is a directory for what is not to be found out."""
    outside = _outside(place / "outside")
    told = Told()
    before = _state(lake), _state(place)
    with _server(told) as port, _environment():
        asked = statements(lake, outside, port)[:most]
        told.statements = len(asked)
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda statement: _put(lake, statement, told), asked))
    for what, then, now in (("the lake", before[0], _state(lake)), ("outside", before[1], _state(place))):
        told.changed += [f"{what}: {path}" for path in then.keys() | now.keys() if then.get(path) != now.get(path)]
    return told


def _put(lake: Path, statement: str, told: Told) -> None:
    began, shown = time.monotonic(), statement[:100]
    try:
        said = repr(ask(lake, statement, LIMITS).to_pydict())
        told.answered += 1
    except NewsmillError as error:
        said = str(error)
    except Exception as error:  # noqa: BLE001 - it is told, and fails the test
        said = ""
        told.odd.append(f"{shown}: {error!r}")
    if time.monotonic() - began > LIMITS.seconds + 1:
        told.late.append(shown)
    if CANARY in said.replace(statement, "") or "root:x:" in said:
        told.leaked.append(shown)


def _outside(place: Path) -> Path:
    place.mkdir()
    for name in ("secret.txt", "secret.csv", "secret.json", "secret.xml"):
        (place / name).write_text(f'{{"secret": "{CANARY}"}}')
    with duckdb.connect(place / "secret.duckdb") as con:
        con.execute(f"CREATE TABLE x AS SELECT '{CANARY}' AS secret")
        con.execute(f"COPY x TO '{place / 'secret.parquet'}'")
    (place / "link").symlink_to("/etc")
    return place


def _state(directory: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a directory: names, kinds, bytes, times of change."""
    found = {}
    for path in sorted(directory.rglob("*")):
        stat = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[str(path.relative_to(directory))] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ino, content)
    return found


@contextmanager
def _server(told: Told) -> Iterator[int]:
    """A port on which nobody should call."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                told.leaked.append(f"a connection: {connection.recv(100)!r}")
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def _environment() -> Iterator[None]:
    os.environ["NEWSMILL_CANARY"] = CANARY
    try:
        yield
    finally:
        del os.environ["NEWSMILL_CANARY"]
