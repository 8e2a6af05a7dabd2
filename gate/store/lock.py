"""One agent to a data directory: a lock file that the operating system releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gate.store.problems import AgentRunning, StoreNotWritable

LOCK_NAME = "agent.lock"


@contextmanager
def hold_directory(directory: Path) -> Iterator[None]:
    """Keep every other agent away from a data directory.

    Raises:
        AgentRunning: another agent holds it.
        StoreNotWritable: the lock file cannot be made.
    """
    path = directory / LOCK_NAME
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StoreNotWritable(
            f"{directory} cannot be written ({exc.strerror}): check who owns it and its mode."
        ) from exc
    try:
        _take(handle, directory)
        yield
    finally:
        os.close(handle)  # releases the lock; the file stays, since removing it would race with the next holder


def _take(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        raise AgentRunning(
            f"Another gate agent (process {holder}) uses {directory}: stop it first, or give this one another --data."
        ) from exc
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
