"""`python -m embedded`: the sample wire (or your feeds), Airflow, a first batch and its result, with one command.

Exit codes: 0 done or stopped by you, 1 something failed, 2 refused before anything was started.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from rich.console import Console

from embedded.airflow_api import AirflowApi
from embedded.airflow_home import airflow_settings, environment
from embedded.choose import Refused, own_catalogue
from embedded.first_batch import DAGS, FirstBatch, FirstBatchFailed, Watch, last_lines
from embedded.ports import LOOPBACK, is_free, refusal
from embedded.processes import Processes, ServiceEnded
from embedded.run_directory import RunDirectory, claim, damage
from embedded.steps import Steps
from pipeline.settings import OWN

CHECKOUT = Path(__file__).resolve().parents[1]
WIRE, AIRFLOW = "sample wire", "Airflow"
PORT = 8080
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The user, or the system, asked for the end."""


@dataclass(frozen=True, slots=True)
class Options:
    port: int
    wire_port: int
    feeds: Path | None  # a catalogue of one's own; else the sample wire
    once: bool
    limit_s: float

    @property
    def place(self) -> RunDirectory:
        return RunDirectory(CHECKOUT / "run" / (self.feeds.stem if self.feeds else "wire"))

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser("python -m embedded", description="Newsmill on one machine; `make run` calls it.")
    parser.add_argument("--port", type=int, default=PORT, help="of Airflow's pages")
    parser.add_argument("--wire-port", type=int, default=8799, help="of the sample wire")
    parser.add_argument("--feeds", help="your feeds instead of the sample wire: a catalogue, OPML, an address, an offered group")
    parser.add_argument("--once", action="store_true", help="stop everything after the first result")
    parser.add_argument("--limit", type=float, help="seconds until the first result is given up (150; with --feeds 1800)")
    given = parser.parse_args(arguments)
    feeds = own_catalogue(given.feeds, CHECKOUT / OWN) if given.feeds else None
    return Options(given.port, given.wire_port, feeds, given.once, given.limit or (1800 if feeds else 150))


def claim_place(options: Options) -> IO[str]:
    """The lock of the run directory, once it is sure that everything can be started."""
    options.place.prepare()
    lock = claim(options.place.root, {"address": options.address})
    if isinstance(lock, dict):
        pid = lock.get("pid", "unknown")
        raise Refused(f"already running here: process {pid}, {lock.get('address')}; to stop it, Ctrl-C there or: kill {pid}")
    if what := damage(options.place.database):  # as a power cut, or a kill while it was written, may leave it
        raise Refused(
            f"Airflow's own database, {options.place.database}, is damaged ({what}); remove {options.place.airflow} and start "
            f"again: Airflow's history of runs goes, the lake stays"
        )
    _check_catalogue(options)
    if options.port == options.wire_port or not all(0 < port < 65536 for port in (options.port, options.wire_port)):
        raise Refused(f"ports {options.port} and {options.wire_port}: PORT and WIRE_PORT must be two numbers from 1 to 65535")
    wanted = [(options.port, "Airflow's pages", "PORT")]
    if not options.feeds:
        wanted.append((options.wire_port, "the sample wire", "WIRE_PORT"))
    for port, what, variable in wanted:
        if not is_free(port):
            raise Refused(refusal(port, what, variable))
    return lock


def _check_catalogue(options: Options) -> None:
    """A mistake in the catalogue is told now, not by a failed task half a minute later."""
    from pipeline.errors import ConfigError
    from pipeline.feeds import nothing_on

    try:
        if options.feeds and (why := nothing_on(options.feeds)):
            raise Refused(f"{why}; or here: make run FEEDS=central-banks")
    except ConfigError as error:
        raise Refused(str(error)) from None


def environ(options: Options) -> dict[str, str]:
    place = options.place
    newsmill = {
        "NEWSMILL_RUN": str(place.root),
        "NEWSMILL_LAKE": str(place.lake),
        "NEWSMILL_CATALOGUE": str(options.feeds or place.root / "feeds.toml"),
        "NEWSMILL_WIRE": "" if options.feeds else f"{LOOPBACK}:{options.wire_port}",
        # the sample wire is our own server, in no need of pauses
        "NEWSMILL_SPACING_S": os.environ.get("NEWSMILL_SPACING_S", "1" if options.feeds else "0"),
        "NEWSMILL_PULL_CRON": os.environ.get("NEWSMILL_PULL_CRON", "*/5 * * * *" if options.feeds else "* * * * *"),
    }
    return environment(os.environ, airflow_settings(place, CHECKOUT / "dags", options.port, place.read(place.secrets)), newsmill)


def first_result(options: Options, hear: Callable[[], None], password: str, console: Console) -> None:
    """Waits for the services and brings one batch to its end.

    Raises:
        FirstBatchFailed, ServiceEnded, Stopped
    """
    titles = [*([] if options.feeds else [WIRE]), AIRFLOW, *DAGS]
    watch = Watch(hear, options.limit_s)
    api = AirflowApi(options.address, password)
    with Steps(console, titles) as steps:
        if not options.feeds:
            steps.begin(WIRE)
        steps.begin(AIRFLOW, "import, database, four services")
        if not options.feeds:
            watch.until(WIRE, lambda: not is_free(options.wire_port) and (options.place.root / "feeds.toml").exists())
            steps.end(WIRE, f"http://{LOOPBACK}:{options.wire_port}")
        watch.until(AIRFLOW, api.log_in)
        steps.end(AIRFLOW, options.address)
        FirstBatch(api, watch, steps, options.place.airflow / "logs").follow()


def show_result(options: Options, variables: dict[str, str], password: str, console: Console) -> None:
    console.print()
    sys.stdout.flush()
    command = [sys.executable, "-m", "pipeline", "tour", "--command", f"{named(options)}.venv/bin/newsmill"]
    if subprocess.run(command, env=variables, check=False).returncode:
        raise FirstBatchFailed("the batch is in the lake, but `newsmill tour` failed; see above")
    console.print(closing_words(options, password), highlight=False, soft_wrap=True)


def named(options: Options) -> str:
    """What goes before a command so that it finds this lake."""
    return f"NEWSMILL_RUN={options.place.root.relative_to(CHECKOUT)} " if options.feeds else ""


def closing_words(options: Options, password: str) -> str:
    """What to do next: where to look, what to type."""
    feeds = f" FEEDS={options.feeds}" if options.feeds else ""
    port = "" if options.port == PORT else f" PORT={options.port}"
    first = f"make run{feeds}{port}, then " if options.once else ""
    lines = ["", f"  watch    {first}{options.address}     (user admin, password {password})"]
    if options.feeds:
        lines.append(f'  feeds    {named(options)}.venv/bin/newsmill sql "from feeds"')
    else:
        lines.append("  switch   make run FEEDS=central-banks     (or an address of yours, OPML; newsmill feeds list --offered)")
    if not options.once:
        lines.append("  stop     Ctrl-C")
    return "\n".join(lines)


def launch(options: Options, lock: IO[str], console: Console) -> None:
    place = options.place
    password = place.read(place.passwords)["admin"]
    variables = environ(options)
    wire = [sys.executable, "-m", "pipeline", "wire", "--port", str(options.wire_port), "--run-dir", str(place.root)]
    console.print(f"Newsmill in {place.root}, logs in {place.log.relative_to(place.root)}/", highlight=False, soft_wrap=True)
    processes = Processes(place.log, CHECKOUT / "config/airflow_pools.json", [] if options.feeds else wire, variables, lock)
    parent = os.getppid() if "MAKELEVEL" in os.environ else None

    def hear() -> None:
        processes.listen()
        if parent not in (None, os.getppid()):  # make was killed, and nobody is left to press Ctrl-C
            raise Stopped

    try:
        first_result(options, hear, password, console)
        show_result(options, variables, password, console)
        while not options.once:
            hear()
            time.sleep(0.5)
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # it is bounded, and must not be broken off
        console.print("stopping, in at most 20 seconds …")
        processes.stop()


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    console = Console(emoji=False)
    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        options = parse(sys.argv[1:])
        with claim_place(options) as lock:
            launch(options, lock, console)
    except Stopped:
        return 0
    except Refused as refused:
        console.print(f"[red]not started:[/red] {refused}", highlight=False, soft_wrap=True)
        return 2
    except ServiceEnded as ended:
        log = options.place.log / f"{ended.name}.log"
        console.print(f"[red]{ended}[/red]; the end of {log}:", *last_lines(log), sep="\n  ", highlight=False, soft_wrap=True)
        return 1
    except FirstBatchFailed as failed:
        console.print(
            f"{failed}\nlogs: {options.place.log} and {options.place.airflow / 'logs'}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
