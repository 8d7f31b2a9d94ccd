"""Some of every fault, with a fixed seed; `make faults` does all of it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_some_of_every_fault_and_nothing_is_lost_doubled_partial_or_early() -> None:
    command = [sys.executable, "-m", "tests.faults", "--short", "--seed", "7"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {what.strip(): int(n.replace(",", "")) for what, n in re.findall(r"│ (.+?) +│ ([\d,]+) +│", done.stdout)}
    assert {counts[kind] for kind in ("lost", "doubled", "partial", "early", "error", "failures")} == {0}
    assert counts["kills"] >= 10 and counts["reads"] >= 100, counts
    assert counts.get("power cut") == 6 or "no C compiler" in done.stdout, counts
