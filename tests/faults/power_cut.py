"""A power cut: what had not been fsynced is lost, in part or wholly, at any moment of a commit or a closing.

The changes of one undisturbed run are recorded with their bytes. From what was there before and the changes up to some moment a
disk is built as a cut would leave it: a change of a directory lasts for certain once that directory was fsynced, bytes once their
file was; of the rest any part may be there. Such a lake must read as before or as after, and go on.
"""

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from struct import unpack
from typing import Any

from tests.faults.history import History, check, story
from tests.faults.inject import Plan, reaches_libc
from tests.faults.readers import read_once
from tests.faults.world import World, read_of

#: What of the changes that were not made to last is on the disk: nothing, all of it, those up to some moment, any.
LEFT = ("nothing", "all names", "those before", "any")
#: And what the bytes of a file are that was not fsynced.
TORN: tuple[Callable[[bytes], bytes], ...] = (lambda _: b"", lambda b: bytes(len(b)), lambda b: b[: len(b) // 2], lambda b: b)


@dataclass(slots=True)
class File:
    """Bytes as they were written, and as they are for certain."""

    written: bytearray = field(default_factory=bytearray)
    lasting: bytes | None = None


@dataclass(slots=True)
class Change:
    """A name that came, went or moved; from which number of event on it lasts."""

    call: str
    path: str
    to: str = ""
    file: File | None = None
    lasts_from: float = float("inf")


class Disk:
    """Files and directories by path, as changes that can be left out make them."""

    def __init__(self, names: dict[str, File | None]) -> None:
        self.names = dict(names)  # None: a directory

    def make(self, change: Change) -> None:
        """Makes a change, where it can be made without those that were left out."""
        goal = change.to or change.path
        if _parent(goal) not in self.names:
            return
        if change.call == "unlink":
            if not any(path.startswith(change.path + "/") for path in self.names):
                self.names.pop(change.path, None)
        elif change.call == "rename":
            moved = {p: f for p, f in self.names.items() if p == change.path or p.startswith(change.path + "/")}
            for path, file in moved.items():
                del self.names[path]
                self.names[change.to + path.removeprefix(change.path)] = file
        else:
            self.names.setdefault(change.path, change.file)


class Recording:
    """A lake before something was done to it, and every change that this made."""

    def __init__(self, root: Path, log: Path, before: dict[str, bytes | None]) -> None:
        self._root, self.changes = root, list[Change]()
        self._before = {p: None if b is None else File(bytearray(b), b) for p, b in before.items()}
        self.events = list(_events(log))

    def at(self, moment: int, left: str, chance: random.Random) -> dict[str, bytes | None]:
        """The disk as a power cut after so many events may leave it."""
        disk, changes, files = self._replay(moment)
        until = chance.randint(0, len(changes))
        keep = {"nothing": lambda _: False, "all names": lambda _: True, "those before": lambda i: i < until,
                "any": lambda _: chance.random() < 0.5}[left]  # fmt: skip
        for i, change in enumerate(changes):
            if change.lasts_from <= moment or keep(i):
                disk.make(change)
        torn = {id(f): chance.choice(TORN)(bytes(f.written)) if f.lasting is None else f.lasting for f in files}
        return {path: None if f is None else torn.get(id(f), f.lasting or b"") for path, f in disk.names.items()}

    def _replay(self, moment: int) -> tuple[Disk, list[Change], list[File]]:
        before = {p: f and File(bytearray(f.written), f.lasting) for p, f in self._before.items()}
        now, changes = Disk(before), list[Change]()
        for number, (call, path, to, at, data) in enumerate(self.events[:moment], 1):
            file = now.names.get(path)
            if call in ("create", "truncate", "mkdir") and path not in now.names:
                changes.append(Change(call, path, file=None if call == "mkdir" else File()))
                now.make(changes[-1])
            elif call in ("rename", "unlink"):
                changes.append(Change(call, path, to))
                now.make(changes[-1])
            elif call == "truncate" and file:
                file.written.clear()
            elif call == "resize" and file:
                file.written[:] = file.written[:at].ljust(at, b"\0")
            elif call == "write" and file:
                file.written[:] = file.written.ljust(at, b"\0")
                file.written[at : at + len(data)] = data
            elif call == "fsync" and file:
                file.lasting = bytes(file.written)
            elif call == "fsync":
                for i, change in enumerate(changes):
                    if path == _parent(change.to or change.path):
                        _lasts(changes[: i + 1], number)
        files = [f for f in (*before.values(), *(c.file for c in changes)) if f]
        return Disk(before), changes, files


def _lasts(changes: list[Change], number: int) -> None:
    """The last of these changes lasts from an event on; if it moved something, that is there, whatever became of its old name."""
    last = changes[-1]
    last.lasts_from = min(last.lasts_from, number)
    needed = {last.path} if last.call == "rename" else set()
    if needed and _parent(last.path) != _parent(last.to):
        needed.add(_parent(last.path))
    for i in range(len(changes) - 2, -1, -1):
        if (changes[i].to or changes[i].path) in needed and changes[i].lasts_from > number:
            _lasts(changes[: i + 1], number)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _events(log: Path) -> Iterator[tuple[str, str, str, int, bytes]]:
    content, at = log.read_bytes(), 0
    while at < len(content):
        call = content[at : at + 12].rstrip(b"\0").decode()
        path, to, position, size = unpack("4q", content[at + 12 : at + 44])
        parts, at = [], at + 44
        for length in (path, to, size):
            parts.append(content[at : at + length])
            at += length
        yield call, parts[0].decode(), parts[1].decode(), position, parts[2]


def cuts(world: World, cases: int) -> None:
    """A commit and a closing, cut off at moments all along them; after each the lake is read, brought to its end, read again."""
    if not reaches_libc():
        return
    for _ in range(3):
        for _ in range(2):
            unit = world.new_unit()
            world.acknowledge(unit, world.expect("deliver", world.child(lambda u=unit: world.deliver(u))))
        world.to_next_closing()
        world.expect("close", world.child(world.close))
    for kind in ("pull", "tag"):
        unit = world.new_unit(kind)
        _cut_all(world, f"commit of {kind}", lambda u=unit: world.deliver(u), cases // 3, unit.number)
    world.to_next_closing()
    _cut_all(world, "closing", world.close, cases - 2 * (cases // 3))


def _cut_all(world: World, what: str, work: Callable[[], Any], cases: int, unit: int | None = None) -> None:
    """Cuts work off from its end backwards, after steps that matter; once it has ended, its unit is acknowledged."""
    root = world.lake.root
    before = _content(root)
    log = Path(tempfile.mkstemp(dir=world.root)[1])
    with log.open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        done = world.expect(what, world.child(work, Plan(log=file.fileno())))
    recording = Recording(root, log, before)
    after = _content(root)
    events = recording.events
    moments = [len(events), *(i for i in range(len(events), 0, -1) if events[i - 1][0] in ("rename", "unlink", "fsync", "mkdir"))]
    for case in range(cases):
        if world.failures:
            break
        moment = moments[case // 2 * len(moments) // ((cases + 1) // 2)]
        left = LEFT[(case + case // len(LEFT)) % len(LEFT)]
        _lay_out(root, recording.at(moment, left, world.random))
        told = f"{what}, cut after {moment} of {len(events)} changes, of the rest {left}"
        if unit is not None and moment == len(events):
            world.acknowledged[unit] = 0.0
        _read(world, told)
        if unit is not None:
            world.acknowledged.pop(unit, None)
        world.expect(f"recovery, {told}", world.child(world.recover))
        world.expect(f"repeated, {told}", world.child(work))
        _read(world, f"{told}, repeated")
        world.cases["power cut"] += 1
    _lay_out(root, after)
    if unit is not None and done.how == "ok":
        world.acknowledged[unit] = done.value


def _read(world: World, told: str) -> None:
    """Reads everything: what was acknowledged is there, once and whole, and so is what was about to be, or it is not."""
    ended = world.expect(f"read, {told}", world.child(lambda: read_once(world)))
    if ended.how == "ok":
        history = History({u.number: u.stage for u in world.units}, world.acknowledged, {}, [read_of(ended.value)], 1e9)
        world.failures += [f"{told}: {story(history, v)}" for v in check(history)]
        world.reads += 1


def _content(root: Path) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {str(root): None}
    found |= {str(p): p.read_bytes() if p.is_file() else None for p in root.rglob("*")}
    return found


def _lay_out(root: Path, names: dict[str, bytes | None]) -> None:
    shutil.rmtree(root)
    for path in sorted(names):
        content = names[path]
        if content is None:
            Path(path).mkdir()
        else:
            Path(path).write_bytes(content)
