"""The process that owns all others: starts the wire and Airflow, tells how it goes, ends them when its own parent is gone.

    python -m embedded.keeper LOG_DIRECTORY POOLS_FILE [COMMAND OF THE WIRE …]

Standard input is a pipe that nobody writes to: its end means stop. Standard output carries one line an event. On Linux Airflow
is imported once and its services are forks of this process: half the seconds and half the memory of four programs.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from embedded.ports import is_free

FORKS = sys.platform == "linux"  # elsewhere a fork after so many imports may crash
GRACE_S = 6.0
PR_SET_PDEATHSIG = 1


class Keeper:
    """The services that run, by process id, and the pipe to tell of them."""

    def __init__(self, log: Path, events: int) -> None:
        self.log = log
        self.events = events
        self.running: dict[int, str] = {}
        self.stopping = False

    def tell(self, *words: object) -> None:
        try:
            os.write(self.events, (" ".join(map(str, words)) + "\n").encode())
        except BrokenPipeError:
            self.stopping = True

    def start(self, name: str, body: Callable[[], object]) -> None:
        """Runs `body` in a process group of its own, with its output in the log directory."""
        pid = os.fork()
        if pid:
            self.running[pid] = name
            self.tell("started", name, pid)
            return
        code = 1
        try:
            os.setpgid(0, 0)
            os.close(self.events)
            self._redirect(name)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            body()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # never back into the keeper's own code

    def _redirect(self, name: str) -> None:
        log = os.open(self.log / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)

    def reap(self) -> None:
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if name := self.running.pop(pid, None):
                self.tell("ended", name, os.waitstatus_to_exitcode(status))

    def watch(self, until: Callable[[], bool]) -> None:
        """Until that is so, or the parent is gone or asks for the end."""
        while not self.stopping and not until():
            readable, _, _ = select.select([0], [], [], 0.2)
            if readable and not os.read(0, 1):
                self.stopping = True
            self.reap()

    def stop(self) -> None:
        """Asks all to end, the scheduler first so that running tasks can still report; after a bounded time kills."""
        for names, grace_s in ((("scheduler",), GRACE_S), (("api-server", "dag-processor", "triggerer", "wire"), GRACE_S / 2)):
            pids = [pid for pid, name in self.running.items() if name in names]
            for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 2.0)):
                self._signal(pids, number)
                self._await(pids, patience_s)

    def _signal(self, pids: list[int], number: int) -> None:
        for pid in self.running.keys() & set(pids):
            (os.killpg if number == signal.SIGKILL else os.kill)(pid, number)

    def _await(self, pids: list[int], patience_s: float) -> None:
        until = time.monotonic() + patience_s
        while self.running.keys() & set(pids) and time.monotonic() < until:
            time.sleep(0.05)
            self.reap()


def die_with_parents() -> None:
    """Linux: whoever is forked from here on ends with the process that forked it, also where that one was killed."""
    prctl = ctypes.CDLL(None).prctl
    forking = [0]

    def die_with_parent() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != forking[0]:  # it was killed before this could be asked for
            os._exit(1)

    os.register_at_fork(before=lambda: forking.__setitem__(0, os.getpid()), after_in_child=die_with_parent)


def prepare_database(pools: Path) -> None:
    """Creates or upgrades Airflow's database, declares an earlier instance's processes gone, and sets the pools.

    Where that instance was killed, Airflow would believe in it for half a minute and only then go on with its tasks.
    """
    from airflow.jobs.job import Job
    from airflow.models import Pool
    from airflow.utils import db
    from airflow.utils.session import create_session
    from sqlalchemy import update

    db.initdb()
    with create_session() as session:
        session.execute(update(Job).where(Job.state == "running").values(state="failed"))
        for name, pool in json.loads(pools.read_text(encoding="utf-8")).items():
            Pool.create_or_update_pool(name, session=session, **pool)


def service(arguments: list[str]) -> Callable[[], object]:
    def fork() -> None:
        from airflow import settings
        from airflow.__main__ import main

        settings.configure_orm()
        sys.argv = ["airflow", *arguments]
        main()

    return fork if FORKS else lambda: os.execv(sys.executable, [sys.executable, "-m", "airflow", *arguments])  # noqa: S606


def main() -> None:
    log, pools, *wire = sys.argv[1:]
    keeper = Keeper(Path(log), os.dup(1))
    os.dup2(os.open(Path(log) / "keeper.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
    os.dup2(1, 2)

    def end(_number: int, _frame: FrameType | None) -> None:
        keeper.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    if FORKS:
        die_with_parents()
    if wire:
        keeper.start("wire", lambda: os.execv(wire[0], wire))  # noqa: S606
    from airflow import settings

    prepare_database(Path(pools))
    settings.dispose_orm()
    keeper.start("api-server", service(["api-server"]))
    import pipeline.run  # noqa: F401  (now, so that the tasks, forks of forks of this process, share it)

    keeper.start("dag-processor", service(["dag-processor"]))
    # A scheduler that is there first starts tasks that find no server and wait long before they ask again.
    keeper.watch(lambda: not is_free(int(os.environ["AIRFLOW__API__PORT"])))
    if not keeper.stopping:
        keeper.start("scheduler", service(["scheduler", "--skip-serve-logs"]))
        keeper.start("triggerer", service(["triggerer", "--skip-serve-logs"]))
    keeper.watch(lambda: False)
    keeper.stop()


if __name__ == "__main__":
    main()
