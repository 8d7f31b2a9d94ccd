"""The cluster test's own parts: that it ends what it starts, says what failed, and sees a difference where there is one."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.run import batch_id_of, run_once, settle, work_shard
from pipeline.settings import Settings
from pipeline.wire import catalogue
from tests.cluster.compose import Service
from tests.cluster.contents import contents, differences
from tests.cluster.processes import Cluster, ServiceFailed, ending
from tests.wire.visit import Clock, running


def service(name: str, script: str, health: str = "true", after: dict[str, str] | None = None, copies: int = 1) -> Service:
    return Service(name, ["sh", "-c", script], ["sh", "-c", health], {}, after or {}, copies)


def cluster(place: Path, *described: Service) -> Cluster:
    return Cluster({one.name: one for one in described}, place, os.environ, None, {})


def test_a_service_waits_for_what_it_comes_after(tmp_path: Path) -> None:
    marks = f"cd {tmp_path};"
    redis = service("redis", f"{marks} sleep 0.3; touch ready; sleep 60", health=f"test -e {tmp_path}/ready")
    init = service("init", f"{marks} test -e ready && sleep 0.3 && touch done", after={"redis": "service_healthy"})
    worker = service("worker", f"{marks} ls > seen; sleep 60", after={"init": "service_completed_successfully"}, copies=2)
    with ending(cluster(tmp_path, redis, init, worker)) as started:
        for one in (redis, init, worker):
            started.start(one)
        assert list(started.running) == ["redis", "init", "worker-1", "worker-2"]
        until_true(lambda: (tmp_path / "seen").exists() and "done" in (tmp_path / "seen").read_text())
        started.listen()


def test_all_are_ended_with_their_children_also_those_that_do_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.cluster.processes.GRACE_S", 0.3)
    deaf = service("worker", f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; wait")
    started = cluster(tmp_path, deaf)
    with pytest.raises(KeyError), ending(started):
        started.start(deaf)
        until_true(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text().strip())
        raise KeyError  # whatever goes wrong meanwhile
    assert started.running["worker"].returncode == -9
    child = int((tmp_path / "child").read_text())
    until_true(lambda: not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text())


def test_one_that_ended_by_itself_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = service("scheduler", "echo it cannot be; exit 3")
    with ending(cluster(tmp_path, broken)) as started:
        started.start(broken)
        started.running["scheduler"].wait()
        with pytest.raises(ServiceFailed, match=r"scheduler ended with 3; the end of .*scheduler\.log:\n  it cannot be"):
            started.listen()


def test_one_that_never_gets_healthy_is_named(tmp_path: Path) -> None:
    sick, after = service("redis", "sleep 60", health="false"), service("init", "true", after={"redis": "service_healthy"})
    with ending(cluster(tmp_path, sick, after)) as started:
        started.start(sick)
        with pytest.raises(ServiceFailed, match="redis is not service_healthy after 0 s"):
            started.start(after, patience_s=0)


def until_true(ask: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not ask():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[Settings]:
    """Three lakes: the wire in one shard; in four of which the last went first; and with one feed alone."""
    place = tmp_path_factory.mktemp("lakes")
    clock = Clock(datetime.now(UTC) - timedelta(minutes=10))
    with running(place / "wire", clock) as wire:
        clock.now += timedelta(minutes=10)
        (place / "feeds.toml").write_text(catalogue(wire.port))
        (place / "fewer.toml").write_text("[[feed]]".join(catalogue(wire.port).split("[[feed]]")[:2]))
        one = Settings(lake=place / "one", catalogue=place / "feeds.toml", wire=f"127.0.0.1:{wire.port}", spacing_s=0)
        four, fewer = replace(one, lake=place / "four"), replace(one, lake=place / "fewer", catalogue=place / "fewer.toml")
        for alone in (one, fewer):
            run_once(alone, lambda _line: None)
        batch = batch_id_of(datetime.now(UTC))
        for stage in ("pull", "read", "tag"):
            for shard in (3, 2, 1, 0):
                work_shard(four, stage, batch, shard, lambda _line: None)
            settle(four, stage, batch, lambda _line: None)
    return [one, four, fewer]


def test_shards_and_their_order_make_no_difference(settings: list[Settings]) -> None:
    one, four = (contents(each.lake) for each in settings[:2])
    assert differences(one, four) == []
    assert all(rows.total() for rows in one.values())


def test_feeds_that_are_missing_are_seen_in_every_view(settings: list[Settings]) -> None:
    found = differences(contents(settings[0].lake), contents(settings[2].lake))
    assert {line.partition(":")[0] for line in found if line.startswith("<")} == {
        f"< {view}" for view in ("feeds", "articles", "companies", "mentions", "sentiments", "evidence", "outcomes")
    }
