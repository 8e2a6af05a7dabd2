"""A private PostgreSQL starts, keeps its data, and says clearly why it cannot start."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import stat
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from server.embedded.messages import RunningPostgres
from server.embedded.placement import OUTSIDE
from server.embedded.postgres import PrivatePostgres
from server.embedded.problems import (
    ClusterDamaged,
    ClusterTooNew,
    ClusterTooOld,
    DataDirectoryInUse,
    DataDirectoryUnusable,
)


async def ask(running: RunningPostgres, query: str) -> object:
    """Run one query as superuser and return its first value."""
    connection = await asyncpg.connect(running.dsn())
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_restart_keeps_the_data(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir) as first:
        await ask(first, "CREATE TABLE kept AS SELECT 42 AS value")
    async with PrivatePostgres(data_dir) as second:
        assert await ask(second, "SELECT value FROM kept") == 42
        assert second.password == first.password


async def test_default_is_durable_and_listens_on_loopback_with_passwords(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir) as running:
        shown = [await ask(running, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]
        assert shown == ["on", "on", "on"]
        assert await ask(running, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(running, "SHOW unix_socket_directories") == ""
        methods = "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules"
        assert await ask(running, methods) == ["scram-sha-256"]
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(running.dsn_for("postgres", "wrong", "postgres"))


async def test_unsafe_fast_is_not_durable(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        assert await ask(running, "SHOW fsync") == "off"


async def test_nothing_answers_after_the_context_ends(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        address = urlsplit(running.dsn())
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.hostname, address.port)


async def test_password_file_and_log_are_private(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        files = [data_dir / "superuser-password.json", Path(running.log)]
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
        assert running.password not in repr(running)


async def test_second_start_names_the_process_in_the_way(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        with pytest.raises(DataDirectoryInUse, match=rf"in use by pid {os.getpid()} "):
            await asyncio.to_thread(PrivatePostgres(data_dir, unsafe_fast=True).start)
        assert await ask(running, "SELECT 1") == 1


async def test_two_directories_serve_side_by_side(data_dir: Path) -> None:
    async with (
        PrivatePostgres(data_dir, unsafe_fast=True) as one,
        PrivatePostgres(data_dir.with_name("other"), unsafe_fast=True) as other,
    ):
        await ask(one, "CREATE TABLE only_in_one ()")
        assert await ask(other, "SELECT to_regclass('only_in_one')") is None


async def test_long_path_works(data_dir: Path) -> None:
    deep = data_dir.joinpath(*("a-rather-long-name-of-a-directory" for _ in range(6)))
    async with PrivatePostgres(deep, unsafe_fast=True) as running:
        assert await ask(running, "SELECT 1") == 1


async def test_place_below_a_private_directory_works_and_keeps_its_mode(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    data_dir = private / "data"
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        assert await ask(running, "SELECT 1") == 1
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    home = (data_dir / "pg").resolve().parent
    # As root the cluster had to go where an unprivileged account can follow.
    assert home.parent == OUTSIDE if os.geteuid() == 0 else home == data_dir
    shutil.rmtree(home)


async def test_deleted_data_directory_starts_anew_wherever_its_cluster_lay(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    homes = []
    for _ in range(2):
        async with PrivatePostgres(private / "data", unsafe_fast=True) as running:
            assert await ask(running, "SELECT to_regclass('old')") is None
            await ask(running, "CREATE TABLE old ()")
        homes.append((private / "data" / "pg").resolve().parent)
        shutil.rmtree(private / "data")
    for home in homes:
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.parametrize(("major", "problem"), [("99", ClusterTooNew), ("9", ClusterTooOld)])
async def test_cluster_of_another_version_is_refused(data_dir: Path, major: str, problem: type[Exception]) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True):
        pass
    (data_dir / "pg" / "PG_VERSION").write_text(f"{major}\n")
    with pytest.raises(problem, match=f"was made by PostgreSQL {major},"):
        await asyncio.to_thread(PrivatePostgres(data_dir).start)


async def test_directory_without_a_cluster_in_it_is_refused(data_dir: Path) -> None:
    (data_dir / "pg").mkdir(parents=True)
    with pytest.raises(ClusterDamaged, match="not a PostgreSQL data directory"):
        await asyncio.to_thread(PrivatePostgres(data_dir).start)


async def test_lost_password_file_is_refused(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True):
        pass
    (data_dir / "superuser-password.json").unlink()
    with pytest.raises(ClusterDamaged, match="nobody can log in"):
        await asyncio.to_thread(PrivatePostgres(data_dir).start)


async def test_data_directory_that_is_a_file_is_refused(data_dir: Path) -> None:
    data_dir.write_text("not a directory")
    with pytest.raises(DataDirectoryUnusable, match="name another"):
        await asyncio.to_thread(PrivatePostgres(data_dir).start)


async def test_interrupted_first_start_heals(data_dir: Path) -> None:
    unfinished = data_dir / "pg-unfinished" / "pg"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        assert await ask(running, "SELECT 1") == 1
    assert not unfinished.exists()


async def test_cancelled_start_leaves_the_directory_free(data_dir: Path) -> None:
    async with asyncio.timeout(60):
        starting = asyncio.ensure_future(PrivatePostgres(data_dir, unsafe_fast=True).__aenter__())
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        assert await ask(running, "SELECT 1") == 1


async def test_loss_of_the_server_is_told_and_its_data_survives(data_dir: Path) -> None:
    private = PrivatePostgres(data_dir)
    async with private as running:
        await ask(running, "CREATE TABLE kept AS SELECT 7 AS value")
        main_process = int((data_dir / "pg" / "postmaster.pid").read_text().split()[0])
        os.kill(main_process, signal.SIGKILL)
        async with asyncio.timeout(30):
            await private.wait_lost()
    async with PrivatePostgres(data_dir) as again:
        assert await ask(again, "SELECT value FROM kept") == 7
