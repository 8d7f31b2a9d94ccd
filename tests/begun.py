"""`newsmill` and modules of tests as processes that need not import anything: forked from one that has imported all of it.

`python -m tests.begun` is that process; `python tests/begun.py SOCKET WORD…` has it run a command in place of this process.
A command that is forked has its own arguments, environment, directory and standard files, and ends as any interpreter does.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def server() -> Path:
    """The socket of this test process's own server, which ends with it."""
    place = Path(tempfile.mkdtemp(prefix="begun-")) / "socket"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.begun", str(place)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout and process.stdout.readline() == b"ready\n"
    _KEPT.append(process)
    return place


_KEPT: list["subprocess.Popen[bytes]"] = []


def begin(place: str, words: list[str], environ: dict[str, str], files: tuple[int, int, int]) -> socket.socket:
    """Has a command begun; the connection gives its process number, and how it ended, as a line each."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(place)
    told = json.dumps([words, environ, str(Path.cwd())]).encode()
    socket.send_fds(line, [len(told).to_bytes(4, "big")], list(files))
    line.sendall(told)
    return line


def run(*words: str, stdin: str, environ: dict[str, str], timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    """As subprocess.run, for a command of newsmill, or (`-m`, its name, words) for a module."""
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        given.write(stdin)
        given.seek(0)
        with begin(str(server()), list(words), environ, (given.fileno(), out.fileno(), err.fileno())) as line:
            line.settimeout(timeout)
            said = line.makefile("r")
            pid = int(said.readline())
            try:
                status = int(said.readline())
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(words, os.waitstatus_to_exitcode(status), out.read(), err.read())


def shim(path: Path) -> Path:
    """Makes a program of it, for shells."""
    path.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {Path(__file__)} {server()} "$@"\n')
    path.chmod(0o755)
    return path


def _serve(place: str) -> None:
    """Returns in a process of its own for each command, which is to be run; else never."""
    import selectors

    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as either:
        listening.bind(place)
        listening.listen(64)
        print("ready", flush=True)
        either.register(listening, selectors.EVENT_READ)
        either.register(0, selectors.EVENT_READ)
        while True:
            if any(key.fileobj == 0 for key, _ in either.select()):
                os._exit(0)  # the test process has ended
            line, _ = listening.accept()
            if os.fork() == 0:
                break
            line.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG) != (0, 0):
                    """One more has ended."""
    length, files, _, _ = socket.recv_fds(line, 4, 3)
    told = line.makefile("rb").read(int.from_bytes(length, "big"))
    if command := os.fork():
        line.sendall(f"{command}\n".encode())
        for file in files:
            os.close(file)
        line.sendall(f"{os.waitpid(command, 0)[1]}\n".encode())
        os._exit(0)
    line.close()
    _become(json.loads(told), files)


def _become(told: tuple[list[str], dict[str, str], str], files: list[int]) -> None:
    words, environ, directory = told
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    tempfile.tempdir = None
    sys.argv = ["newsmill", *words]
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", errors="backslashreplace", buffering=1)
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]


if __name__ == "__main__" and __spec__:  # python -m tests.begun
    import contextlib
    import gc
    import io
    import runpy

    import pipeline.read
    import pipeline.run
    import pipeline.start
    import pipeline.tag

    place = sys.argv.pop()
    for words in ((), ("sql",)):  # what explaining itself imports and compiles
        sys.argv[1:] = [*words, "--help"]
        with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
            pipeline.start.main()
    gc.freeze()
    _serve(place)
    if sys.argv[1:2] == ["-m"]:
        module, sys.argv[1:] = sys.argv[2], sys.argv[3:]
        runpy.run_module(module, run_name="__main__")
    else:
        pipeline.start.main()
elif __name__ == "__main__":
    with begin(sys.argv[1], sys.argv[2:], dict(os.environ), (0, 1, 2)) as connection:
        ended = connection.makefile("r")
        ended.readline()
        code = os.waitstatus_to_exitcode(int(ended.readline()))
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)
