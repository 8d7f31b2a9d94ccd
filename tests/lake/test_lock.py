"""The lock: who writes a stage, told by name; it ends with its process."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.errors import LakeBusy, LakeError
from pipeline.lake.durable import write_file
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold, refuse_if_held

MINE, OTHER = BatchRef("20261123T014200Z", "pull"), BatchRef("20261123T014700Z", "pull")

HOLD_FOR_EVER = """
import sys, time
from pipeline.s3 import place_of
from pipeline.lake.layout import BatchRef, Lake
from pipeline.lake.lock import hold
with hold(Lake(place_of(sys.argv[1])), BatchRef("20261123T014700Z", "pull"), "shard-1-of-4"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def lake(place: Path) -> Lake:
    made = Lake(place)
    made.open_for_writing()
    return made


def test_steps_of_one_batch_share_the_stage_and_another_batch_is_refused(lake: Lake) -> None:
    with hold(lake, MINE, "shard-0"), hold(lake, MINE, "shard-1"):
        with (
            pytest.raises(LakeBusy, match=rf"stage pull .* batch {MINE.batch_id}, shard-0 by process {os.getpid()} on "),
            hold(lake, OTHER, "shard-0"),
        ):
            pass
        with pytest.raises(LakeBusy, match="shard-1"), hold(lake, MINE, "shard-1"):
            pass
        with hold(lake, BatchRef(OTHER.batch_id, "read"), "shard-0"):
            pass


@pytest.mark.both_stores
def test_the_stage_stays_with_its_batch_between_two_steps_until_the_last(lake: Lake) -> None:
    with hold(lake, MINE, "shard-0"):
        pass
    with pytest.raises(LakeBusy, match="whose next task may still come, until"):
        refuse_if_held(lake, "pull")
    with hold(lake, MINE, "commit", last=True):
        pass
    refuse_if_held(lake, "pull")
    with hold(lake, OTHER, "shard-0"):
        pass


def test_while_another_step_works_there_is_no_lease_that_would_outlive_it(lake: Lake) -> None:
    with hold(lake, MINE, "run", last=True):
        with hold(lake, MINE, "shard-0"):
            pass
        state = json.loads((lake.root / "locks" / "pull.json").read_text())
        assert (list(state["holders"]), state["lease_until"]) == (["run"], None)
    refuse_if_held(lake, "pull")


def test_a_step_that_fails_leaves_no_lease(lake: Lake) -> None:
    with pytest.raises(ZeroDivisionError), hold(lake, MINE, "shard-0"):
        raise ZeroDivisionError
    refuse_if_held(lake, "pull")


@pytest.mark.both_stores
def test_a_killed_holder_is_gone_at_once(lake: Lake) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD_FOR_EVER, str(lake.root)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(LakeBusy, match=rf"shard-1-of-4 by process {holder.pid} on "):
            refuse_if_held(lake, "pull")
        holder.kill()
        holder.wait()
        refuse_if_held(lake, "pull")
        with hold(lake, MINE, "shard-0", last=True):
            pass


def test_a_holder_on_another_machine_counts_by_its_heartbeat(lake: Lake) -> None:
    path = lake.root / "locks" / "pull.json"

    def held(beat: datetime) -> None:
        far = {
            "pid": os.getpid(),
            "host": "elsewhere",
            "where": "another boot",
            "started": "1",
            "since": beat.isoformat(),
            "beat": beat.isoformat(),
        }
        write_file(path, json.dumps({"batch": OTHER.batch_id, "holders": {"shard-0": far}, "lease_until": None}).encode())

    held(datetime.now(UTC) - timedelta(seconds=30))
    with pytest.raises(LakeBusy, match="on elsewhere"), hold(lake, MINE, "shard-0"):
        pass
    held(datetime.now(UTC) - timedelta(seconds=61))
    with hold(lake, MINE, "shard-0"):
        pass


def test_a_damaged_lock_is_named_with_the_remedy(lake: Lake) -> None:
    path = lake.root / "locks" / "pull.json"
    write_file(path, b"")
    with pytest.raises(
        LakeError, match=r"pull\.json is damaged .*; make sure that nobody writes to this lake, and delete that file"
    ):
        refuse_if_held(lake, "pull")


def test_a_step_that_fails_keeps_the_lease_its_batch_had(lake: Lake) -> None:
    with hold(lake, MINE, "shard-0"):
        pass
    with pytest.raises(ZeroDivisionError), hold(lake, MINE, "shard-1"):
        raise ZeroDivisionError
    with pytest.raises(LakeBusy):
        refuse_if_held(lake, "pull")


def test_the_heartbeat_goes_on_while_the_step_works(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.lake.lock.HEARTBEAT", timedelta(milliseconds=50))
    path = lake.root / "locks" / "pull.json"
    with hold(lake, MINE, "shard-0"):
        first = json.loads(path.read_text())["holders"]["shard-0"]["beat"]
        for _ in range(60):
            time.sleep(0.1)
            if json.loads(path.read_text())["holders"]["shard-0"]["beat"] > first:
                break
        else:
            pytest.fail("no second heartbeat in 6 s")
