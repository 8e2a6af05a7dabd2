"""What an earlier PostgreSQL may have left on a cluster: its status file, and processes whose supervisor was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from msgspec import Struct

from server.embedded.problems import PostgresFailed

STOP_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
"""How PostgreSQL is stopped, with the seconds each signal has: disconnect and write out; stop at once; by force."""

_PAUSE_S = 0.02


class ServerStatus(Struct, frozen=True, kw_only=True):
    """What the status file of a cluster says."""

    pid: int | None = None
    ready: bool = False


def read_status(cluster: Path) -> ServerStatus:
    """Read postmaster.pid: line 1 is the process, line 8 its state (PostgreSQL source, pidfile.h)."""
    try:
        lines = _status_file(cluster).read_text().splitlines()
        return ServerStatus(pid=int(lines[0]), ready=len(lines) > 7 and lines[7].strip() == "ready")
    except (OSError, ValueError, IndexError):
        return ServerStatus()


def end_left_over(cluster: Path) -> None:
    """End every process that still serves this cluster and remove a status file nobody stands behind.

    The caller owns the cluster's lock, so nobody can be using those processes rightfully. A status file outliving its
    process must go because the number in it may belong to somebody else by now, and PostgreSQL would believe it.

    Raises:
        PostgresFailed: a process does not end.
    """
    for number, patience_s in STOP_STEPS:
        if not _serving(cluster):
            break
        _send(number, cluster)
        _await_end(cluster, patience_s)
    left = _serving(cluster)
    if left:
        raise PostgresFailed(f"an earlier PostgreSQL (pid {min(left)}) still holds {cluster}: end it, then try again")
    _status_file(cluster).unlink(missing_ok=True)


def _send(number: signal.Signals, cluster: Path) -> None:
    serving = _serving(cluster)
    main = read_status(cluster).pid
    # Only the main process knows what a gentle signal means for all; the last one is for whoever is left.
    targets = serving if number is signal.SIGKILL else serving & {main}
    for pid in targets:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _await_end(cluster: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    while _serving(cluster) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def _serving(cluster: Path) -> set[int]:
    """Return the processes that work in this cluster's directory, which every PostgreSQL process makes its own."""
    if sys.platform == "linux":
        return {
            int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, cluster)
        }
    table = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False)  # noqa: S607
    lines = [line.split(None, 1) for line in table.stdout.splitlines()]
    return {int(pid) for pid, command in lines if "postgres" in command and str(cluster) in command}


def _works_in(entry: Path, cluster: Path) -> bool:
    try:
        return (entry / "cwd").readlink() == cluster
    except OSError:
        # Ended meanwhile, or another user's: then it is not PostgreSQL of ours.
        return False


def _status_file(cluster: Path) -> Path:
    return cluster / "postmaster.pid"
