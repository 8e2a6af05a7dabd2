"""The PostgreSQL process: making a cluster, starting it, knowing when it answers, stopping it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from msgspec import Struct

from server.embedded.account import give
from server.embedded.binaries import Binaries
from server.embedded.leftover import STOP_STEPS, end_left_over, read_status
from server.embedded.placement import Placement, make_private_directory
from server.embedded.problems import ClusterDamaged, PostgresFailed

HOST = "127.0.0.1"

_LOCALE = "C" if sys.platform == "darwin" else "C.UTF-8"
_SETTINGS = (
    f"listen_addresses={HOST}",
    # No unix socket: its path is limited to about 100 bytes, the data directory's is not.
    "unix_socket_directories=",
    "timezone=UTC",
    "log_timezone=UTC",
    "cluster_name=tickettoken",
    "jit=off",
)
_UNSAFE_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB")
_TAIL_CHARACTERS = 600
_INITDB_TIMEOUT_S = 120.0
_PAUSE_S = 0.02


class ServerPlan(Struct, frozen=True, kw_only=True):
    """Everything needed to make and run one cluster."""

    placement: Placement
    binaries: Binaries
    log: Path
    unsafe_fast: bool
    max_connections: int
    timeout_s: float


def major_version(cluster: Path) -> int | None:
    """Return the PostgreSQL major version of a cluster, None if there is no cluster yet.

    Raises:
        ClusterDamaged: the directory is there but is not a cluster.
    """
    if not cluster.exists():
        return None
    try:
        return int((cluster / "PG_VERSION").read_text().split(".")[0])
    except (OSError, ValueError) as exc:
        raise ClusterDamaged(
            f"{cluster} is not a PostgreSQL data directory: restore it from a backup, or move it away to start anew"
        ) from exc


def make_cluster(plan: ServerPlan, password: str) -> None:
    """Run initdb aside and move the complete cluster into place, so that an interruption leaves none.

    Raises:
        PostgresFailed: initdb failed; the message ends with what it said last.
    """
    place = plan.placement
    shutil.rmtree(place.workshop, ignore_errors=True)
    make_private_directory(place.workshop, place.account)
    password_file = place.workshop / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password + "\n")
    give(password_file, place.account)
    fresh = place.workshop / "pg"
    options = ["--auth=scram-sha-256", "--encoding=UTF8", f"--locale={_LOCALE}", "--username=postgres"]
    options += ["--no-sync"] if plan.unsafe_fast else []
    command = [str(plan.binaries.bin_dir / "initdb"), *options, f"--pwfile={password_file}", f"--pgdata={fresh}"]
    with plan.log.open("ab") as log:
        beginning = log.tell()
        initdb = _spawn(command, plan, log)
        try:
            status = initdb.wait(_INITDB_TIMEOUT_S)
        except subprocess.TimeoutExpired as exc:
            initdb.kill()
            raise PostgresFailed(f"initdb did not end in {_INITDB_TIMEOUT_S:.0f} s: see {plan.log}") from exc
    if status != 0:
        raise PostgresFailed(f"a new database could not be made (log: {plan.log}): {_tail(plan.log, beginning)}")
    fresh.rename(place.cluster)
    shutil.rmtree(place.workshop)


def start_server(plan: ServerPlan) -> tuple[subprocess.Popen[bytes], int]:
    """Start PostgreSQL on a free loopback port and return the process and the port once it takes queries.

    Raises:
        PostgresFailed: it ended, or was not ready in time; the message ends with what it said last.
    """
    end_left_over(plan.placement.cluster)
    for attempt in (1, 2, 3):
        port = _free_port()
        beginning = plan.log.stat().st_size if plan.log.exists() else 0
        with plan.log.open("ab") as log:
            process = _spawn(_server_command(plan, port), plan, log)
        if _wait_ready(process, plan):
            return process, port
        stop_server(process)
        said = _tail(plan.log, beginning)
        # The port was free a moment ago; somebody else may have been quicker.
        if "could not bind" not in said or attempt == 3:
            raise PostgresFailed(f"PostgreSQL {plan.binaries.version} did not start (log: {plan.log}): {said}")
    raise PostgresFailed(f"PostgreSQL found no free port on {HOST}: see {plan.log}")


def stop_server(process: subprocess.Popen[bytes]) -> None:
    """Stop PostgreSQL: disconnect clients and write out, then without writing out, then by force."""
    for number, patience_s in STOP_STEPS:
        if process.poll() is not None:
            return
        process.send_signal(number)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            continue


def _wait_ready(process: subprocess.Popen[bytes], plan: ServerPlan) -> bool:
    deadline = time.monotonic() + plan.timeout_s
    while time.monotonic() < deadline and process.poll() is None:
        status = read_status(plan.placement.cluster)
        if status.ready and status.pid == process.pid:
            return True
        time.sleep(_PAUSE_S)
    return False


def _server_command(plan: ServerPlan, port: int) -> list[str]:
    settings = [*_SETTINGS, f"port={port}", f"max_connections={plan.max_connections}"]
    settings += _UNSAFE_SETTINGS if plan.unsafe_fast else ()
    server = [str(plan.binaries.bin_dir / "postgres"), "-D", str(plan.placement.cluster)]
    for setting in settings:
        server += ["-c", setting]
    return server


def _spawn(command: list[str], plan: ServerPlan, log: IO[bytes]) -> subprocess.Popen[bytes]:
    # Where the kernel offers it, PostgreSQL is told to stop when the supervisor is killed.
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    identity = plan.placement.account.identity if plan.placement.account is not None else {}
    return subprocess.Popen(
        [setpriv, "--pdeathsig", "INT", *command] if setpriv else command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=plan.placement.home,
        # A fresh environment: PGDATA, PGPORT and the like of the caller must not reach the server.
        env={"PATH": "/usr/bin:/bin", "HOME": str(plan.placement.home), "LC_ALL": _LOCALE},
        **identity,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _tail(log: Path, beginning: int) -> str:
    with log.open("rb") as file:
        file.seek(beginning)
        said = file.read().decode(errors="replace").strip()
    return re.sub(r"\s+", " ", said[-_TAIL_CHARACTERS:]) or "it said nothing"
