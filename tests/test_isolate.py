"""Workers are real processes here: they spin, swallow memory, crash, and lose their parent."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import WorkerKilled
from pipeline.isolate import Workers


@pytest.fixture(autouse=True)
def shared_nurseries() -> None:
    """None is shared here: what is tested is when processes begin and end."""


def double(number: int) -> int:
    return number * 2


def spin_in_c(_: int) -> bool:
    # Backtracks for ages inside one call into C, so no Python signal handler would ever run.
    return bool(re.fullmatch(r"(a|aa)+b", "a" * 60))


def spin_unless_even(number: int) -> int:
    while number % 2:
        pass
    return number


def swallow(megabytes: int) -> int:
    return len(bytearray(megabytes * 2**20))


def crash(_: int) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fail(text: str) -> None:
    raise ValueError(text)


class Awkward(Exception):
    def __init__(self, *, needed: str) -> None:
        super().__init__(needed)


def fail_awkwardly() -> None:
    raise Awkward(needed="x")


def whoami(_: int) -> int:
    return os.getpid()


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def shout(text: str) -> str:
    print(text)
    return text


def shown(results: Iterator[object]) -> list[object]:
    return [str(result) if isinstance(result, WorkerKilled) else result for result in results]


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped by an init does not."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def await_end(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return [pid for pid in pids if alive(pid)]


def test_results_come_in_the_order_of_the_calls() -> None:
    with Workers() as workers:
        assert list(workers.map(sleep, [(0.3,), (0.0,), (0.1,), (0.0,)])) == [0.3, 0.0, 0.1, 0.0]
        assert list(workers.map(double, ((n,) for n in range(200)))) == [n * 2 for n in range(200)]


def test_first_result_comes_within_seconds_and_workers_are_kept() -> None:
    with Workers(count=1) as workers:
        begun = time.monotonic()
        first = next(workers.map(whoami, [(1,)]))
        assert time.monotonic() - begun < 5
        assert [*workers.map(whoami, [(1,), (2,)])] == [first, first]


def test_calls_are_read_only_a_little_ahead() -> None:
    read = []

    def calls() -> Iterator[tuple[int]]:
        for number in range(1000):
            read.append(number)
            yield (number,)

    with Workers(count=2) as workers:
        results = workers.map(double, calls())
        assert next(results) == 0
        assert len(read) <= 10
        results.close()  # type: ignore[attr-defined]
        assert list(workers.map(double, [(4,)])) == [8]


@pytest.mark.parametrize("stuck", [spin_in_c, spin_unless_even])
def test_a_call_over_its_time_is_killed_and_named(stuck: object) -> None:
    with Workers(count=1, seconds=0.5) as workers:
        assert shown(workers.map(stuck, [(1,)])) == ["worker passed its limit of 0.5 s"]  # type: ignore[arg-type]


def test_the_calls_beside_a_killed_one_are_answered() -> None:
    with Workers(count=2, seconds=0.4) as workers:
        answers = shown(workers.map(spin_unless_even, [(0,), (1,), (2,), (4,), (3,), (6,)]))
    killed = "worker passed its limit of 0.4 s"
    assert answers == [0, killed, 2, 4, killed, 6]


def test_waiting_for_the_consumer_is_not_counted() -> None:
    with Workers(count=1, seconds=0.3) as workers:
        results = workers.map(bytes, [(5_000_000,), (5_000_000,)])
        sizes = []
        for result in results:
            assert isinstance(result, bytes)
            sizes.append(len(result))
            time.sleep(0.5)
    assert sizes == [5_000_000, 5_000_000]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not enforce the limit")
def test_a_call_over_its_memory_is_named() -> None:
    with Workers(count=1, memory_mb=300) as workers:
        assert shown(workers.map(swallow, [(10,), (1000,), (10,)])) == [
            10 * 2**20,
            "worker passed its limit of 300 MB",
            10 * 2**20,
        ]


def test_a_crash_is_named() -> None:
    with Workers(count=1) as workers:
        assert shown(workers.map(crash, [(1,)])) == ["worker ended by SIGSEGV (its limits: 20 s or 2048 MB)"]


def test_bugs_are_raised_with_the_place_they_happened_in() -> None:
    with Workers() as workers:
        with pytest.raises(ValueError, match="odd") as caught:
            list(workers.map(fail, [("odd",)]))
        assert "in fail" in "".join(caught.value.__notes__)
        with pytest.raises(RuntimeError, match="Awkward"):
            list(workers.map(fail_awkwardly, [()]))
        assert list(workers.map(double, [(1,)])) == [2]


def test_an_idle_worker_that_died_is_replaced() -> None:
    with Workers(count=1) as workers:
        (pid,) = workers.map(whoami, [(1,)])
        os.kill(pid, signal.SIGKILL)  # type: ignore[arg-type]
        await_end([pid])  # type: ignore[list-item]
        assert list(workers.map(double, [(1,)])) == [2]


def test_works_in_a_thread_of_a_process_that_has_others() -> None:
    answers: list[object] = []

    def use() -> None:
        with Workers() as workers:
            answers.extend(workers.map(double, [(1,), (2,)]))

    threads = [threading.Thread(target=use) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [2, 2, 2, 4, 4, 4]  # type: ignore[type-var]


def use_workers() -> None:
    with Workers() as workers:
        sys.exit(list(workers.map(double, [(1,), (2,)])) != [2, 4])


def test_works_in_a_daemonic_process() -> None:
    # Executors may run tasks in such a process, which multiprocessing lets have no children.
    process = multiprocessing.get_context("spawn").Process(target=use_workers, daemon=True)
    process.start()
    process.join(30)
    assert process.exitcode == 0


def test_leaves_no_process_behind() -> None:
    with Workers() as workers:
        pids = set(workers.map(whoami, [(n,) for n in range(20)]))
    assert await_end(list(pids)) == []  # type: ignore[arg-type]


def test_what_a_library_prints_stays_out_of_the_output(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers() as workers:
        assert list(workers.map(shout, [("noise",)])) == ["noise"]
    assert capfd.readouterr().out == ""


PARENT = """
import sys
from pipeline.isolate import Workers
from tests.test_isolate import whoami, spin_unless_even
if __name__ == "__main__":
    with Workers(count=2, seconds=60) as workers:
        results = workers.map(whoami, [(1,)])
        print(*results, flush=True)
        list(workers.map(spin_unless_even, [(1,), (1,)]))
"""


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def below(pid: int) -> list[int]:
    """The nursery of a process, and its workers."""
    return [process for child in children(pid) for process in (child, *children(child))]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_busy_worker_outlives_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    with subprocess.Popen([sys.executable, str(script)], env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        deadline = time.monotonic() + 10
        while len(below(parent.pid)) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        workers = below(parent.pid)
        assert len(workers) == 3
        parent.send_signal(how)
        parent.wait(10)
        assert await_end(workers) == []
