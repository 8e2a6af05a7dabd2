"""Who owns a cluster: one supervisor at a time, told by a file lock that ends with its holder."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from server.embedded.problems import DataDirectoryInUse

_GRACE_S = 0.5
_STOPPING_S = 60.0
_PAUSE_S = 0.05


class Ownership:
    """The held lock; what its file says is only a help for the others' message."""

    def __init__(self, file: IO[str], owner_pid: int) -> None:
        self._file = file
        self._owner_pid = owner_pid
        self._say(stopping=False)

    def announce_stop(self) -> None:
        """Tell those who wait that the cluster will be free soon."""
        self._say(stopping=True)

    def _say(self, *, stopping: bool) -> None:
        self._file.seek(0)
        self._file.truncate()
        json.dump({"owner": self._owner_pid, "stopping": stopping}, self._file)
        self._file.flush()


@contextmanager
def own(path: Path, owner_pid: int) -> Iterator[Ownership]:
    """Hold the cluster for the process `owner_pid`; wait for a previous owner that has ended or is ending.

    Raises:
        DataDirectoryInUse: a living process owns it and shows no sign of stopping.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        _take(file, path.parent)
        yield Ownership(file, owner_pid)


def _take(file: IO[str], home: Path) -> None:
    started = time.monotonic()
    while not _try_lock(file):
        owner, ending = _read(file)
        waited_s = time.monotonic() - started
        # A killed owner can look alive for a moment, until its supervisor has noticed.
        if waited_s > (_STOPPING_S if ending else _GRACE_S):
            raise DataDirectoryInUse(
                f"the data directory is in use by pid {owner} ({home}): stop that program, or name another directory"
            )
        time.sleep(_PAUSE_S)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: IO[str]) -> tuple[int, bool]:
    """Return the owner's pid and whether it is on its way out; a half-written file counts as a change going on."""
    file.seek(0)
    try:
        told = json.loads(file.read())
        owner, stopping = int(told["owner"]), bool(told["stopping"])
    except (ValueError, KeyError, TypeError):
        return 0, True
    return owner, stopping or not _alive(owner)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
