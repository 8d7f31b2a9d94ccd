"""A disk that is full, or was for a while: nothing is half there, and what failed is done once there is room again."""

import os
import subprocess
from pathlib import Path

from tests.faults import readers
from tests.faults.world import World

SIZE = 24_000_000


def full(world: World, cases: int) -> None:
    """Commits and closings on a small disk that has room for less and less of them."""
    if not _mounted(world.lake.root):
        return
    try:
        world.expect("prepare", world.child(world.close))
        readers.start(world)
        for n in range(cases):
            unit = world.new_unit()
            filler = world.lake.root / "filler"
            _fill(filler, leave=4096 * (n % 24))
            world.acknowledge(unit, world.child(lambda u=unit: world.deliver(u)))
            if n % 3 == 2:
                world.to_next_closing()
                world.child(world.close)
            filler.unlink()
            world.acknowledge(unit, world.expect("with room again", world.child(lambda u=unit: world.deliver(u))))
            if n % 3 == 2:
                world.expect("close with room again", world.child(world.close))
            world.cases["full disk"] += 1
        world.expect("recovery", world.child(world.recover))
    finally:
        world.at_end.append(lambda: subprocess.run(["umount", "-l", world.lake.root], check=False))


def _mounted(place: Path) -> bool:
    """Makes an empty disk of its own where the lake is, if this machine lets us."""
    if os.geteuid():
        return False
    subprocess.run(["rm", "-rf", place], check=True)
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], check=False, capture_output=True)
    return done.returncode == 0


def _fill(filler: Path, leave: int) -> None:
    """Takes all the room there is but some bytes."""
    free = os.statvfs(filler.parent)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, free.f_bavail * free.f_frsize - leave))
