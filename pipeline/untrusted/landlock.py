"""Landlock, through the kernel's own calls: a process gives up what it may open, for good. Source: landlock(7). Linux alone."""

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_PR_SET_NO_NEW_PRIVS = 38
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
#: Rights over files that each version of the interface knows: 13 first, then refer, truncate, ioctl.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_TCP = 0b11  # bind, connect: from version 4 on
_SCOPES = 0b11  # abstract unix sockets, signals: from version 6 on


def version() -> int:
    """The version of the interface that this kernel has; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_call(_CREATE, None, 0, 1)))


def confine(readable: Iterable[Path]) -> None:
    """From now on this thread, and whatever it starts, can open these files and directories to read them, and nothing else.

    Raises:
        OSError: the kernel refused.
    """
    known = version()
    files = (1 << _FILE_RIGHTS[min(known, 5)]) - 1
    attributes = struct.pack("=QQQ", files, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0)
    attributes = attributes[: 24 if known >= 6 else 16 if known >= 4 else 8]
    rules = _checked(_call(_CREATE, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes), 0))
    for path in readable:
        with suppress(FileNotFoundError):
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rights = _READ_FILE | _READ_DIR if path.is_dir() else _READ_FILE
            _checked(_call(_ADD, rules, 1, ctypes.create_string_buffer(struct.pack("=Qi", rights, handle), 12), 0))
            os.close(handle)
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(_call(_RESTRICT, rules, 0))
    os.close(rules)


def _call(number: int, *arguments: object) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    as_long = (ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    return int(libc.syscall(ctypes.c_long(number), *as_long))


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "this process could not be confined")
    return result
