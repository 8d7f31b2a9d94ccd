"""`make cluster-test`: the services of docker-compose.yml as processes, and the sample wire through them.

Their commands, environments and health checks are the file's; only hosts, ports, paths and users are replaced. Two Celery workers
take the wire, whose clock stands still, through all three DAGs. Then the same wire goes through `make run`'s launcher and through
one `newsmill run`, and the three lakes must hold the same.

Exit codes: 0 the same; 1 something failed or differs; 2 refused before anything was started; 130 stopped.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from rich.console import Console

from embedded.airflow_api import AirflowApi
from embedded.dot_env import drawn, required
from embedded.first_batch import DAGS, FirstBatch, FirstBatchFailed, Watch, last_lines
from embedded.ports import LOOPBACK
from embedded.steps import Steps
from pipeline.run import run_once
from pipeline.settings import Settings
from pipeline.wire import catalogue
from tests.airflow.ports import free_port
from tests.cluster.compose import services
from tests.cluster.contents import contents, differences
from tests.cluster.postgres import NotInstalled, new_cluster, owner, programs
from tests.cluster.processes import Cluster, ServiceFailed, ending
from tests.wire.visit import Clock, running

CHECKOUT = Path(__file__).resolve().parents[2]
PLACE, ONE_MACHINE = CHECKOUT / "run" / "cluster", CHECKOUT / "run" / "one-machine"
#: In the order in which compose would start them, dependencies first.
STARTED = ("postgres", "redis", "push", "init", "api-server", "dag-processor", "triggerer", "scheduler", "worker")
#: One batch, begun by hand: no tick of the schedule comes between. Two slots a worker: four shards need both.
SETTINGS = {"NEWSMILL_PULL_CRON": "0 0 1 1 *", "NEWSMILL_SPACING_S": "0", "WORKER_SLOTS": "2", "WORKERS": "2"}
FAR_ALONG = timedelta(minutes=10)  # everything written for the wire is out by then
LIMIT_S = 240.0


class Failed(Exception):
    """What is not as it should be, in words."""


class Stopped(Exception):
    """The user, or the system, asked for the end."""


def places(ports: dict[str, int]) -> dict[str, str]:
    """What stands in the compose file, and what stands there instead."""
    return {
        "/opt/newsmill/config/feeds.toml": str(PLACE / "feeds.toml"),
        "/opt/newsmill": str(CHECKOUT),
        "/var/lib/newsmill": str(PLACE / "newsmill"),
        "/var/lib/airflow-users": str(PLACE / "users"),
        "/var/lib/airflow": str(PLACE / "home"),
        "/var/log/airflow": str(PLACE / "task-logs"),
        "dir /data": f"dir {PLACE / 'redis'}",
        "@postgres:": f"@{LOOPBACK}:",
        "@redis:": f"@{LOOPBACK}:",
        "//api-server:": f"//{LOOPBACK}:",
        "0.0.0.0": LOOPBACK,
        **{standard: str(port) for standard, port in ports.items()},
    }


def inherited() -> dict[str, str]:
    """The environment below the services' own, as an image gives it: programs to be found, nothing of our settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "NEWSMILL"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), str(programs()), os.environ["PATH"]])
    direct = f"{LOOPBACK},localhost"
    return kept | {"PATH": path, "PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1", "NO_PROXY": direct, "no_proxy": direct}


def empty() -> None:
    """Directories with nothing of an earlier test."""
    for root in (PLACE, ONE_MACHINE):
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
    for directory in ("newsmill", "users", "task-logs", "redis", "log"):
        (PLACE / directory).mkdir()


def lead_to(wire_port: int) -> None:
    """What both Airflows need to find the wire."""
    for place in (PLACE / "newsmill", ONE_MACHINE):
        (place / "wire-address").write_text(f"{LOOPBACK}:{wire_port}\n")
    for file in (PLACE / "feeds.toml", PLACE / "one-machine.toml"):
        file.write_text(catalogue(wire_port))


class Parts:
    """The list of steps on the terminal, with the seconds each took."""

    def __init__(self, console: Console) -> None:
        self.steps = Steps(console, ["services", *DAGS, "checks", "make run", "newsmill run", "compared"])

    @contextmanager
    def part(self, title: str) -> Iterator[list[str]]:
        """Notes go into the list that the block is given."""
        notes: list[str] = []
        began = time.monotonic()
        self.steps.begin(title)
        yield notes
        self.steps.end(title, ", ".join([f"{time.monotonic() - began:.1f} s", *notes]))


def through_the_cluster(parts: Parts) -> Path:
    """The wire through the services of the compose file; returns their lake.

    Raises:
        Failed, FirstBatchFailed, ServiceFailed
    """
    compose = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
    variables = {name: drawn(name) for name in (*required(compose), "NEWSMILL_PUSH_SECRET")} | SETTINGS
    ports = {standard: free_port() for standard in ("5432", "6379", "8080", "8790", "8974")}
    described, base = services(compose, variables, places(ports)), inherited()
    described["postgres"], postgres_place = new_cluster(described["postgres"], ports["5432"], base)
    # as containers have it: a host name and a home of its own for each
    names = [*STARTED[:-1], "worker-1", "worker-2"]
    own = {name: {"HOSTNAME": name, "AIRFLOW_HOME": str(PLACE / "home" / name)} for name in names}
    try:
        with ending(Cluster(described, PLACE / "log", base, owner(), own)) as cluster:
            with parts.part("services") as notes:
                for name in STARTED:
                    cluster.start(described[name])
                notes.append(f"{len(cluster.running)} processes started")
            api = AirflowApi(f"http://{LOOPBACK}:{ports['8080']}", variables["ADMIN_PASSWORD"])
            watch = Watch(cluster.listen, LIMIT_S)
            watch.until("logging in", api.log_in)
            FirstBatch(api, watch, parts.steps, PLACE / "task-logs").follow()
            with parts.part("checks") as notes:
                notes += [*healthy(cluster), *shared_work(cluster), *logs_shown(api)]
    finally:
        shutil.rmtree(postgres_place, ignore_errors=True)
    return PLACE / "newsmill" / "lake"


def healthy(cluster: Cluster) -> list[str]:
    """Every health check of the file passes."""
    checked = [(service, name) for service in cluster.services.values() if service.health for name in cluster.copies(service)]
    for service, name in checked:
        if not cluster.is_healthy(service, name):
            raise cluster.failure(name, f"fails its health check: {' '.join(service.health)}")
    return [f"{len(checked)} of {len(checked)} healthy"]


def shared_work(cluster: Cluster) -> list[str]:
    """Both workers ended tasks, and said so in their logs."""
    ended = {
        name: (cluster.log / f"{name}.log").read_text().count(" succeeded in ") for name in cluster.running if "worker" in name
    }
    if not all(ended.values()):
        raise Failed(f"not every worker did work: {ended}")
    return [f"{name} ended {count} tasks" for name, count in ended.items()]


def logs_shown(api: AirflowApi) -> list[str]:
    """What a worker wrote can be read where Airflow's pages read it."""
    (run,) = api._call("GET", f"/api/v2/dags/{DAGS[0]}/dagRuns")["dag_runs"]
    path = f"/api/v2/dags/{DAGS[0]}/dagRuns/{run['dag_run_id']}/taskInstances/announce/logs/1"
    if not re.search(r"(\d+) came in = \1 parsed", str(api._call("GET", path))):
        raise Failed(f"the log of {DAGS[0]}.announce cannot be read through the API")
    return ["a worker's log read through the API"]


def through_one_machine(port: int) -> Path:
    """The wire through the launcher of `make run`; returns its lake."""
    log, variables = PLACE / "log" / "make-run.log", inherited() | SETTINGS
    command = [
        sys.executable,
        "-m",
        "embedded",
        "--once",
        "--feeds",
        str(PLACE / "one-machine.toml"),
        "--port",
        str(port),
        "--limit",
        "240",
    ]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdout=out, stderr=out, env=variables, cwd=CHECKOUT, start_new_session=True) as run,
    ):
        try:
            code = run.wait()
        finally:
            run.terminate()
    if code:
        raise Failed("\n  ".join([f"make run ended with {code}; the end of {log}:", *last_lines(log, 25)]))
    return ONE_MACHINE / "lake"


def through_newsmill_run(wire_port: int) -> Path:
    """The wire through one batch without Airflow; returns its lake."""
    lake = PLACE / "run-once"
    settings = Settings(lake=lake, catalogue=PLACE / "feeds.toml", wire=f"{LOOPBACK}:{wire_port}", spacing_s=0)
    with (PLACE / "log" / "newsmill-run.log").open("w") as log:
        run_once(settings, lambda line: print(line, file=log))
    return lake


def compare(lakes: dict[str, Path]) -> list[str]:
    """Says what was compared, and how many rows of each.

    Raises:
        Failed: a row is in one lake and not in another, or a view is empty.
    """
    held = {name: contents(lake) for name, lake in lakes.items()}
    first, *others = held
    for other in others:
        if found := differences(held[first], held[other]):
            raise Failed("\n  ".join([f"{len(found)} rows differ, < {first}, > {other}:", *(line[:300] for line in found[:12])]))
    counts = {view: rows.total() for view, rows in held[first].items()}
    if not all(counts.values()):
        raise Failed(f"nothing to compare in {', '.join(view for view, count in counts.items() if not count)}")
    return [f"{count} {view}" for view, count in counts.items()] + [f"the same in {len(held)} lakes"]


def test(console: Console) -> None:
    """All of it, in order."""
    programs()
    parts, clock = Parts(console), Clock(datetime.now(UTC) - FAR_ALONG)
    empty()
    with running(PLACE / "wire", clock) as wire, parts.steps:
        clock.now += FAR_ALONG  # and there it stands
        lead_to(wire.port)
        lakes = {"cluster": through_the_cluster(parts)}
        with parts.part("make run"):
            lakes["make run"] = through_one_machine(free_port())
        with parts.part("newsmill run"):
            lakes["newsmill run"] = through_newsmill_run(wire.port)
        with parts.part("compared") as notes:
            notes.extend(compare(lakes))


def stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


def main() -> int:
    console = Console(soft_wrap=True, highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        test(console)
    except NotInstalled as missing:
        console.print(str(missing), markup=False)
        return 2
    except Stopped:
        return 130
    except (Failed, FirstBatchFailed, ServiceFailed) as failed:
        console.print(f"{failed}\nlogs: {PLACE / 'log'} and {PLACE / 'task-logs'}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
