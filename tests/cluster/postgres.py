"""What the image of Postgres does before it runs its command: a new cluster with one user and one database. I/O."""

import os
import pwd
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.cluster.compose import Service


class NotInstalled(Exception):
    """A program is missing; the message says how to get it."""


def programs() -> Path:
    """The directory of Postgres's programs; Debian keeps them out of the path."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")), *filter(None, [shutil.which("initdb")])]
    if not found or not shutil.which("redis-server"):
        raise NotInstalled(
            "Postgres and Redis are needed: sudo apt install postgresql redis-server (macOS: brew install postgresql redis)"
        )
    return Path(found[-1]).resolve().parent


def owner() -> str | None:
    """Who runs Postgres: ourselves, but as root somebody else, since it refuses root."""
    if os.geteuid() != 0:
        return None
    return "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"


def new_cluster(service: Service, port: int, environment: dict[str, str]) -> tuple[Service, Path]:
    """The service with a place and a port of its own, and that place, which the caller removes."""
    place = Path(tempfile.mkdtemp(prefix="newsmill-postgres-"))
    user, data, wanted = owner(), place / "data", service.environment
    password = place / "password"
    password.write_text(wanted["POSTGRES_PASSWORD"])
    if user:
        for path in (place, password):
            shutil.chown(path, user)

    def run(command: list[str], told: str = "") -> None:
        done = subprocess.run(
            command, input=told, text=True, capture_output=True, env=environment, cwd=place, user=user, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    options = shlex.split(wanted["POSTGRES_INITDB_ARGS"])
    run(
        [
            "initdb",
            "-D",
            str(data),
            "-U",
            wanted["POSTGRES_USER"],
            f"--pwfile={password}",
            "--encoding=UTF8",
            "--locale=C",
            *options,
        ]
    )
    run(["postgres", "--single", "-D", str(data), "postgres"], f"CREATE DATABASE {wanted['POSTGRES_DB']}\n")
    placed = [*service.command, "-D", str(data), "-k", str(place), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
    return replace(service, command=placed), place
