"""The launcher's hand on the keeper: starts it, hears what it tells, ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

STOP_S = 25  # more than the keeper's own patience with its services


class ServiceEnded(Exception):
    """A process ended that should run on; carries its name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} ended by itself")
        self.name = name


class Processes:
    """The keeper and what it has told so far."""

    def __init__(self, log: Path, pools: Path, wire: list[str], environ: Mapping[str, str], lock: IO[str]) -> None:
        self.said: list[list[str]] = []
        self._rest = b""
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "embedded.keeper", str(log), str(pools), *wire],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,  # Ctrl-C reaches the launcher alone, which stops the others in order
            pass_fds=(lock.fileno(),),  # the run directory stays taken until the last of them is gone
        )
        assert self._keeper.stdout
        os.set_blocking(self._keeper.stdout.fileno(), False)

    def listen(self) -> None:
        """Takes in what the keeper told.

        Raises:
            ServiceEnded: the keeper, or one of its services, is gone.
        """
        assert self._keeper.stdout
        self._rest += self._keeper.stdout.read() or b""
        *lines, self._rest = self._rest.split(b"\n")
        self.said += [line.decode().split() for line in lines]
        for words in self.said:
            if words[0] == "ended":
                raise ServiceEnded(words[1])
        if self._keeper.poll() is not None:
            raise ServiceEnded("keeper")

    def has_told(self, *words: str) -> bool:
        return any(said[: len(words)] == list(words) for said in self.said)

    def stop(self) -> None:
        assert self._keeper.stdin
        self._keeper.stdin.close()
        try:
            self._keeper.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        if self._keeper.poll() is None:
            os.killpg(self._keeper.pid, signal.SIGKILL)
            self._keeper.wait()
