"""What a run may be told from outside, read once and passed on; the variables are listed in docs/how-to/settings.md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import ConfigError
from pipeline.s3 import place_of

#: Catalogues looked for where none is named: one's own, made by `newsmill feeds add`; else the one that comes with Newsmill.
OWN, SHIPPED = Path("feeds.toml"), Path("config/feeds.toml")
#: Work of a batch is cut by host into this many shards; so are Airflow's tasks.
SHARDS = 4
#: At these ages, in hours, the page of an article is read again; beyond the last possible it is not young any more.
REREAD_H, LONGEST_REREAD_H = (1.0, 6.0, 24.0, 72.0), 14 * 24


def _kept(environ: Mapping[str, str], name: str) -> str | None:
    """What the environment keeps under a name, as ours or as a connection of Airflow's."""
    return environ.get(f"NEWSMILL_CREDENTIALS_{name.upper()}") or environ.get(f"AIRFLOW_CONN_{name.upper()}") or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a batch needs to know. `wire` is the ip:port of the sample wire, a local address that may be visited.

    `reread_h` are the ages, in hours, at which an article's page is read again.
    `inbox` is a directory of the machines that take from it, also where the lake is in S3.
    `secrets` says what is kept under the name of a feed's credentials, or None.
    """

    lake: Path
    catalogue: Path
    inbox: Path = Path("run/wire/inbox")
    wire: str | None = None
    contact: str | None = None
    proxy: str | None = field(default=None, repr=False)
    spacing_s: float = 1.0
    clock_tolerance: timedelta = timedelta(milliseconds=500)
    grace: timedelta = timedelta(hours=6)
    raw_days: int | None = None
    shards: int = SHARDS
    reread_h: tuple[float, ...] = REREAD_H
    secrets: Callable[[str], str | None] = field(default=partial(_kept, {}), repr=False, compare=False)
    push_url: str | None = None
    push_secret: str | None = field(default=None, repr=False)
    newest_h: float | None = None
    notify: str | None = field(default=None, repr=False)  # addresses with secrets in them

    @staticmethod
    def from_env(environ: Mapping[str, str]) -> "Settings":
        """Settings from NEWSMILL_* variables; whatever is not set follows from the run directory NEWSMILL_RUN.

        Raises:
            ConfigError: a value that cannot be used, by name.
        """
        run = Path(environ.get("NEWSMILL_RUN", "run/wire"))
        of_run = run / "feeds.toml"
        address = run / "wire-address"
        return Settings(
            lake=place_of(environ.get("NEWSMILL_LAKE", run / "lake")),
            catalogue=Path(environ.get("NEWSMILL_CATALOGUE", next((p for p in (of_run, OWN) if p.exists()), SHIPPED))),
            inbox=Path(environ.get("NEWSMILL_INBOX") or run / "inbox"),
            wire=environ.get("NEWSMILL_WIRE") or (address.read_text().strip() if address.exists() else None),
            push_url=_address(environ, "NEWSMILL_PUSH_URL"),
            push_secret=environ.get("NEWSMILL_PUSH_SECRET") or None,
            contact=environ.get("NEWSMILL_CONTACT") or None,
            proxy=environ.get("NEWSMILL_PROXY") or None,
            spacing_s=_number(environ, "NEWSMILL_SPACING_S", 1.0, "seconds", below=3600),
            clock_tolerance=timedelta(seconds=_number(environ, "NEWSMILL_CLOCK_TOLERANCE_S", 0.5, "seconds", below=3600)),
            grace=timedelta(hours=_number(environ, "NEWSMILL_GRACE_H", 6.0, "hours", below=1000)),
            raw_days=int(days) if (days := _number(environ, "NEWSMILL_RAW_DAYS", -1.0, "days", below=100_000)) >= 0 else None,
            reread_h=_ages(environ.get("NEWSMILL_REREAD_H")),
            secrets=partial(_kept, environ),
            newest_h=hours if (hours := _number(environ, "NEWSMILL_NEWEST_H", -1.0, "hours", below=10_000)) >= 0 else None,
            notify=environ.get("NEWSMILL_NOTIFY") or None,
        )


def _ages(raw: str | None) -> tuple[float, ...]:
    """Hours like "1,6,24,72" in ascending order; none for "off"."""
    if raw is None or raw.strip() == "off":
        return () if raw else REREAD_H
    try:
        ages = tuple(sorted({float(age) for age in raw.split(",")}))
    except ValueError:
        ages = (0.0,)
    if not all(0.1 <= age <= LONGEST_REREAD_H for age in ages):
        expected = f"hours between 0.1 and {LONGEST_REREAD_H} as in '1,6,24,72', nor 'off'"
        raise ConfigError(f"NEWSMILL_REREAD_H={raw!r} is no list of {expected}; correct it or leave it out")
    return ages


def _address(environ: Mapping[str, str], name: str) -> str | None:
    raw = environ.get(name)
    if raw and not (urlsplit(raw).scheme in ("http", "https") and urlsplit(raw).hostname):
        raise ConfigError(f"{name}={raw!r} is no address; give one that hubs can reach, such as https://news.example.org/push")
    return raw or None


def _number(environ: Mapping[str, str], name: str, default: float, unit: str, *, below: float) -> float:
    raw = environ.get(name)
    try:
        value = default if raw is None else float(raw)
    except ValueError:
        value = float("nan")
    if raw is not None and not 0 <= value < below:
        raise ConfigError(f"{name}={raw!r} is no number of {unit} between 0 and {below:g}; correct it or leave it out")
    return value
