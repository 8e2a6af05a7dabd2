"""What can go wrong with the gate's files, told so that a person at a lane knows what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.problems import Conflict, DataDamaged, Internal, TicketTokenError, Unavailable


class StoreDamaged(DataDamaged):
    """A database file is not readable as one."""

    code = "store_damaged"


class DiskFull(Unavailable):
    """There is no room left to record a scan."""

    code = "disk_full"


class StoreNotWritable(Unavailable):
    """The data directory or a file in it cannot be written."""

    code = "store_not_writable"


class StoreFailing(Unavailable):
    """The disk does not do what it is asked."""

    code = "store_failing"


class AgentRunning(Conflict):
    """Another gate agent works on the same data directory."""

    code = "agent_running"


@contextmanager
def translated(path: Path, remedy: str) -> Iterator[None]:
    """Turn SQLite's errors into this program's; ``remedy`` says what to do about a damaged file."""
    try:
        yield
    except sqlite3.Error as exc:
        raise explain(exc, path, remedy) from exc


def explain(exc: sqlite3.Error, path: Path, remedy: str) -> TicketTokenError:
    """Return the problem that an SQLite error means for the person at the gate.

    Result codes as in https://www.sqlite.org/rescode.html; the low byte is the primary one.
    """
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreDamaged(f"{path} is damaged. {remedy}")
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(f"The disk with {path} is full: free some space. The gate goes on by itself; nothing was lost.")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return StoreNotWritable(
            f"{path} cannot be written: check who owns it, its mode and that the disk is not read-only."
        )
    if code == sqlite3.SQLITE_IOERR:
        return StoreFailing(
            f"The disk with {path} fails or is full: check its space and cable. The gate goes on by itself."
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreFailing(f"{path} is held by another program: close it. The gate goes on by itself.")
    return Internal(f"{path} refused a statement of this program ({exc}): report this with the log.")
