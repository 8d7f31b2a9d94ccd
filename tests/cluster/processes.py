"""The cluster's processes: starts them in the order that the compose file asks for, checks their health, ends them all. I/O."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from embedded.first_batch import last_lines
from tests.cluster.compose import Service

HEALTHY_WITHIN_S = 150.0
GRACE_S = 12.0  # the triggerer takes ten seconds for itself
#: In this order: whoever asks before whoever answers, and Postgres last, by the signal its image names.
ENDING = (("worker", "scheduler", "dag-processor", "triggerer"), ("api-server", "init", "redis", "push"), ("postgres",))


class ServiceFailed(Exception):
    """A service did not start, or ended by itself; the message holds the end of its log."""


@dataclass
class Cluster:
    """What runs, by name (`worker-1`, `worker-2`). `user` is who Postgres runs as, where we are root, which it refuses."""

    services: Mapping[str, Service]
    log: Path
    base: Mapping[str, str]
    user: str | None
    environments: Mapping[str, Mapping[str, str]]  # what a copy has for itself, as a container has: its host name and home
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def copies(self, service: Service) -> list[str]:
        return [service.name] if service.copies == 1 else [f"{service.name}-{n}" for n in range(1, service.copies + 1)]

    def environment(self, service: Service, name: str) -> dict[str, str]:
        return {**self.base, **service.environment, **self.environments.get(name, {})}

    def start(self, service: Service, patience_s: float = HEALTHY_WITHIN_S) -> None:
        """Starts a service once those it comes after are as far as the file says."""
        until = time.monotonic() + patience_s
        for other, condition in service.after.items():
            while not self._reached(self.services[other], condition):
                self.listen()
                if time.monotonic() > until:
                    raise self.failure(other, f"is not {condition} after {patience_s:.0f} s")
                time.sleep(0.5)
        for name in self.copies(service):
            with (self.log / f"{name}.log").open("wb") as log:
                self.running[name] = subprocess.Popen(
                    service.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self.environment(service, name),
                    user=self.user if service.name == "postgres" else None,
                    start_new_session=True,  # Ctrl-C reaches the harness alone, which ends the others in order
                )

    def _reached(self, service: Service, condition: str) -> bool:
        if condition == "service_completed_successfully":
            return self.running[service.name].poll() == 0
        return all(self.is_healthy(service, name) for name in self.copies(service))

    def is_healthy(self, service: Service, name: str) -> bool:
        """Whether the file's own health check passes."""
        check = subprocess.run(
            service.health, env=self.environment(service, name), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        return check.returncode == 0

    def listen(self) -> None:
        """Raises ServiceFailed where one ended that should run on, or `init` failed."""
        for name, process in self.running.items():
            if (code := process.poll()) is not None and (name != "init" or code):
                raise self.failure(name, f"ended with {code}")

    def failure(self, name: str, what: str) -> ServiceFailed:
        log = self.log / f"{name}.log"
        return ServiceFailed("\n  ".join([f"{name} {what}; the end of {log}:", *last_lines(log, 25)]))

    def stop(self) -> None:
        for names in ENDING:
            processes = [process for name, process in self.running.items() if name.rstrip("-0123456789") in names]
            for process in processes:
                _signal(process, signal.SIGINT if "postgres" in names else signal.SIGTERM)
            until = time.monotonic() + GRACE_S
            while time.monotonic() < until and any(process.poll() is None for process in processes):
                time.sleep(0.1)
            for process in processes:
                _signal_group(process, signal.SIGKILL)  # also what a service left of its children
                process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: what macOS says of a group of the dead
        os.killpg(process.pid, number)


@contextmanager
def ending(cluster: Cluster) -> Iterator[Cluster]:
    """Everything is ended with the block; while that is done, no signal breaks it off."""
    try:
        yield cluster
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        cluster.stop()
        for number, handler in before.items():
            signal.signal(number, handler)
