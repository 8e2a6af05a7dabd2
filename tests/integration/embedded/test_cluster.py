"""A prepared cluster gives each role its own way in, the same after every start."""

from __future__ import annotations

import stat
from pathlib import Path

import asyncpg
import pytest

from server.db import bootstrap
from server.embedded.cluster import prepare_cluster
from server.embedded.postgres import PrivatePostgres
from shared.problems import Denied, NotFound, Unavailable


async def make_roles(owner_dsn: str) -> None:
    """Do what the first migration does for the roles."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        for role in ("tt_app", "tt_worker"):
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
                await connection.execute(f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS")
    finally:
        await connection.close()


async def user_of(dsn: str) -> tuple[object, object]:
    """Log in and tell who and where one is."""
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow("SELECT current_user, current_database()")
        assert row is not None
        return row[0], row[1]
    finally:
        await connection.close()


async def test_every_role_can_log_in_and_again_after_a_restart(data_dir: Path) -> None:
    addresses = []
    for _ in range(2):
        async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
            cluster = await prepare_cluster(running, data_dir, bootstrap, make_roles)
            dsns = (cluster.owner_dsn, cluster.app_dsn, cluster.worker_dsn)
            seen = [await user_of(dsn) for dsn in dsns]
            assert seen == [(role, "tickettoken") for role in ("tt_owner", "tt_app", "tt_worker")]
            addresses.append([dsn.rpartition("@")[0] for dsn in dsns])
    assert addresses[0] == addresses[1]
    assert stat.S_IMODE((data_dir / "role-passwords.json").stat().st_mode) == 0o600


async def test_owner_makes_roles_and_tables_but_is_bound_by_row_security(data_dir: Path) -> None:
    async with PrivatePostgres(data_dir, unsafe_fast=True) as running:
        cluster = await prepare_cluster(running, data_dir, bootstrap, make_roles)
        owner = await asyncpg.connect(cluster.owner_dsn)
        rights = await owner.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
        assert rights is not None
        assert tuple(rights) == (False, False, True, False)
        await owner.execute("CREATE TABLE mine ()")
        await owner.close()


async def test_clone_has_the_tables_of_its_template(postgres: str) -> None:
    await bootstrap.create_owner(postgres, "test-owner")
    await bootstrap.create_database(postgres, "tt_clone_source")
    source = await asyncpg.connect(postgres.rpartition("/")[0] + "/tt_clone_source")
    await source.execute("CREATE TABLE copied ()")
    await source.close()
    assert await bootstrap.create_database(postgres, "tt_clone", "tt_clone_source")
    assert not await bootstrap.create_database(postgres, "tt_clone", "tt_clone_source")
    clone = await asyncpg.connect(postgres.rpartition("/")[0] + "/tt_clone")
    assert await clone.fetchval("SELECT to_regclass('copied')::text") == "copied"
    await bootstrap.drop_database(postgres, "tt_clone")
    assert clone.is_closed()
    await bootstrap.drop_database(postgres, "tt_clone_source")


async def test_password_with_quotes_reaches_the_role_unchanged(postgres: str) -> None:
    admin = await asyncpg.connect(postgres)
    await admin.execute("CREATE ROLE tt_quoted LOGIN")
    password = 'it\'s "quoted" \\ %I 100%'
    await bootstrap.set_role_passwords(postgres, {"tt_quoted": password})
    login = await asyncpg.connect(postgres, user="tt_quoted", password=password)
    assert await login.fetchval("SELECT current_user") == "tt_quoted"
    await login.close()
    await admin.execute("DROP ROLE tt_quoted")
    await admin.close()


async def test_missing_role_is_named(postgres: str) -> None:
    with pytest.raises(NotFound, match="no role tt_nobody_at_all: run the migrations first"):
        await bootstrap.set_role_passwords(postgres, {"tt_nobody_at_all": "x"})


async def test_wrong_administrator_password_is_denied(postgres: str) -> None:
    wrong = postgres.replace("://postgres:", "://postgres:wrong")
    with pytest.raises(Denied, match="InvalidPasswordError"):
        await bootstrap.create_owner(wrong, "x")


async def test_absent_server_is_unavailable(unused_tcp_port: int) -> None:
    with pytest.raises(Unavailable, match="check that it runs"):
        await bootstrap.create_owner(f"postgresql://postgres:x@127.0.0.1:{unused_tcp_port}/postgres", "x")
