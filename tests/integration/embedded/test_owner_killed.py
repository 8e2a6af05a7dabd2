"""However its program or its supervisor dies, PostgreSQL does not stay, and the next start is clean."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import msgspec
import pytest

from server.embedded.messages import Answer, Request, RunningPostgres
from server.embedded.postgres import PrivatePostgres

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, sys
from pathlib import Path
from server.embedded.postgres import PrivatePostgres
running = PrivatePostgres(Path(sys.argv[1])).start()
print(json.dumps({"port": running.port, "dsn": running.dsn()}), flush=True)
sys.stdin.read()
"""


def wait_released(lock: Path) -> None:
    """Block until the supervisor, which ends after its server, has let go of the cluster."""
    with lock.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


async def program_with_database(data_dir: Path) -> tuple[asyncio.subprocess.Process, str]:
    """Start a program that owns a database and return it with the superuser's URL."""
    pipe = asyncio.subprocess.PIPE
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(data_dir), stdin=pipe, stdout=pipe, cwd=ROOT
    )
    assert program.stdout is not None
    async with asyncio.timeout(60):
        told = json.loads(await program.stdout.readline())
    return program, str(told["dsn"])


async def test_killed_program_leaves_nothing_running_and_loses_nothing(data_dir: Path) -> None:
    program, dsn = await program_with_database(data_dir)
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE kept AS SELECT 5 AS value")
    ended = asyncio.Event()
    connection.add_termination_listener(lambda _: ended.set())
    program.kill()
    async with asyncio.timeout(30):
        await ended.wait()
        await asyncio.to_thread(wait_released, data_dir / "owner.lock")
        await program.wait()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(dsn)
    async with PrivatePostgres(data_dir) as running:
        again = await asyncpg.connect(running.dsn())
        assert await again.fetchval("SELECT value FROM kept") == 5
        await again.close()


async def test_start_right_after_a_kill_waits_for_the_old_supervisor(data_dir: Path) -> None:
    program, dsn = await program_with_database(data_dir)
    old = int((data_dir / "pg" / "postmaster.pid").read_text().split()[0])
    program.kill()
    async with asyncio.timeout(60), PrivatePostgres(data_dir) as running:
        assert int((data_dir / "pg" / "postmaster.pid").read_text().split()[0]) != old
        connection = await asyncpg.connect(running.dsn())
        await connection.close()
    await program.wait()
    assert running.dsn().rpartition("@")[0] == dsn.rpartition("@")[0]


async def test_killed_supervisor_does_not_keep_the_next_start_away(data_dir: Path) -> None:
    request = Request(
        data_dir=str(data_dir), owner_pid=os.getpid(), unsafe_fast=True, max_connections=20, timeout_s=30.0
    )
    with subprocess.Popen(
        [sys.executable, "-m", "server.embedded.supervisor", msgspec.json.encode(request).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as supervisor:
        assert supervisor.stdout is not None
        answer: Answer = msgspec.json.decode(supervisor.stdout.readline(), type=Answer)
        assert isinstance(answer, RunningPostgres)
        supervisor.send_signal(signal.SIGKILL)
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        assert running.port != answer.port
        connection = await asyncpg.connect(running.dsn())
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(answer.dsn())


async def test_status_file_that_names_a_stranger_is_not_believed(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True):
        pass
    # After a restart of the machine the old number can belong to anybody, here to this test.
    status = data_dir / "pg" / "postmaster.pid"
    status.write_text(f"{os.getpid()}\n{data_dir / 'pg'}\n0\n5432\n\n127.0.0.1\n\nready\n")
    os.chown(status, (data_dir / "pg").stat().st_uid, (data_dir / "pg").stat().st_gid)
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        connection = await asyncpg.connect(running.dsn())
        assert await connection.fetchval("SELECT 1") == 1
        await connection.close()
