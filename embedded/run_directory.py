"""Where one instance keeps all it has, and what makes it the only one there. I/O on that directory only."""

import fcntl
import json
import os
import secrets
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The paths below one run directory."""

    root: Path

    @property
    def lake(self) -> Path:
        return self.root / "lake"

    @property
    def airflow(self) -> Path:
        return self.root / "airflow"

    @property
    def database(self) -> Path:
        return self.airflow / "airflow.db"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def passwords(self) -> Path:
        return self.airflow / "passwords.json"

    @property
    def secrets(self) -> Path:
        return self.airflow / "secrets.json"

    def prepare(self) -> None:
        """Makes the directories; password and keys are drawn once and kept for their owner alone."""
        for directory in (self.root, self.airflow, self.log):
            directory.mkdir(parents=True, exist_ok=True)
        self.airflow.chmod(0o700)
        _draw_once(self.passwords, {"admin": secrets.token_urlsafe(9)})
        _draw_once(self.secrets, {"jwt": secrets.token_hex(32), "api": secrets.token_hex(32)})

    def read(self, path: Path) -> dict[str, str]:
        return json.loads(path.read_text(encoding="utf-8"))


def damage(database: Path) -> str | None:
    """What is wrong with the pages of an SQLite file, in SQLite's words; None also where it cannot be asked now."""
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(database)) as con:
            ((said,),) = con.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.OperationalError:  # locked, or not to be opened: Airflow itself will say so
        return None
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if said == "ok" else said.splitlines()[-1]


def _draw_once(path: Path, content: dict[str, str]) -> None:
    if path.exists():
        return
    half = path.with_suffix(".new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
    half.replace(path)


def claim(root: Path, about: dict[str, Any], patience_s: float = 10) -> IO[str] | dict[str, Any]:
    """The open lock file of this run directory, or what its holder says of itself.

    Waits a little: an instance that was just ended may still be stopping its processes, which hold the lock with it.
    """
    lock = (root / "lock").open("a+", encoding="utf-8")
    until = time.monotonic() + patience_s
    while not _locked(lock):
        lock.seek(0)
        holder = json.loads(lock.read() or "{}")
        if time.monotonic() > until or _alive(holder.get("pid")):
            lock.close()
            return holder
        time.sleep(0.2)
    lock.truncate(0)
    json.dump({"pid": os.getpid(), **about}, lock)
    lock.flush()
    return lock


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
