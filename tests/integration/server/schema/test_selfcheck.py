"""A server does not start on a database that would not keep tenants apart, or is of another version."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from server.db import selfcheck
from server.db.pool import PgDatabase, open_database
from server.db.problems import DatabaseUnsafe, SchemaBehind, SchemaEdited, SchemaTooNew
from shared.problems import Denied, Unavailable
from tests.conftest import Databases
from tests.integration.server.schema.connections import connected, in_database


@pytest.fixture
async def db(database: Databases) -> AsyncIterator[PgDatabase]:
    """Give the database as a server opens it."""
    async with open_database(database.app_dsn, database.worker_dsn) as opened:
        yield opened


async def test_a_migrated_database_is_accepted(db: PgDatabase) -> None:
    await selfcheck.check_database(db)
    assert await selfcheck.check_roles(db) == ["tt_app", "tt_worker"]
    assert await selfcheck.check_walls(db) >= 24


@pytest.mark.parametrize("role", ["app", "worker"])
async def test_a_superuser_is_refused_as_either_role(role: str, database: Databases, postgres: str) -> None:
    admin = in_database(postgres, database.app_dsn)
    urls = {"app": database.app_dsn, "worker": database.worker_dsn} | {role: admin}
    async with open_database(urls["app"], urls["worker"]) as db:
        with pytest.raises(DatabaseUnsafe, match="is a superuser"):
            await selfcheck.check_database(db)


async def test_the_owner_is_refused_as_app_role(database: Databases) -> None:
    async with open_database(database.owner_dsn, database.worker_dsn) as db:
        with pytest.raises(DatabaseUnsafe, match="may act as an owner"):
            await selfcheck.check_database(db)


@pytest.mark.parametrize(
    "damage",
    [
        "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE tickets NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON tickets",
        "ALTER POLICY own_tenant ON tickets TO tt_worker",
        "ALTER POLICY own_tenant ON tickets USING (true)",
        "ALTER POLICY own_tenant ON tickets WITH CHECK (tenant_id IS NOT NULL)",
        "ALTER TABLE tenants DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE later (tenant_id uuid, id uuid)",
    ],
)
async def test_a_missing_wall_is_noticed_and_named(damage: str, db: PgDatabase, database: Databases) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute(damage)
    table = damage.rsplit(" ON ", maxsplit=1)[-1].split(maxsplit=1)[0] if " ON " in damage else damage.split()[2]
    with pytest.raises(DatabaseUnsafe, match=f"is not forced on {table}"):
        await selfcheck.check_database(db)


async def test_a_schema_that_lacks_migrations_is_refused(db: PgDatabase, database: Databases) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute("DELETE FROM schema_migrations WHERE version > 2")
    with pytest.raises(SchemaBehind, match="tickettoken migrate"):
        await selfcheck.check_database(db)


@pytest.mark.parametrize("name", ["9001_post_tidy", "later"])
async def test_a_schema_whose_post_files_have_run_is_refused(db: PgDatabase, database: Databases, name: str) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute("INSERT INTO schema_migrations VALUES (9000, '9000_pre_more', sha256(''))")
        await owner.execute("INSERT INTO schema_migrations VALUES (9001, $1, sha256(''))", name)
    with pytest.raises(SchemaTooNew, match=f"{name} has ended the time of this program: install the newer program"):
        await selfcheck.check_database(db)


async def test_a_schema_in_the_middle_of_an_upgrade_will_do(db: PgDatabase, database: Databases) -> None:
    known = await selfcheck.known_version()
    async with connected(database.owner_dsn) as owner:
        for number in (1, 2):
            name = f"{known + number:04}_pre_more"
            await owner.execute("INSERT INTO schema_migrations VALUES ($1, $2, sha256(''))", known + number, name)
    await selfcheck.check_database(db)
    assert await selfcheck.check_schema(db) == known + 2


async def test_a_hole_in_the_ledger_is_refused(db: PgDatabase, database: Databases) -> None:
    async with connected(database.owner_dsn) as owner:
        await owner.execute("DELETE FROM schema_migrations WHERE version = 2")
    with pytest.raises(SchemaEdited, match="never saw migration 2"):
        await selfcheck.check_database(db)


async def test_a_database_that_was_never_migrated_is_told_so(postgres: str) -> None:
    async with open_database(postgres, postgres) as db:
        with pytest.raises(SchemaBehind, match="tickettoken migrate"):
            await selfcheck.check_schema(db)


async def test_a_wrong_password_is_told_without_showing_it(database: Databases) -> None:
    wrong = database.app_dsn.replace("test-app", "not-the-password")
    with pytest.raises(Denied, match="check user and password") as caught:
        async with open_database(wrong, database.worker_dsn):
            pass
    assert "not-the-password" not in str(caught.value)


async def test_a_server_that_is_away_is_told_so() -> None:
    nowhere = "postgresql://tt_app:secret@127.0.0.1:1/tickettoken"
    with pytest.raises(Unavailable, match="does not answer") as caught:
        async with open_database(nowhere, nowhere):
            pass
    assert "secret" not in str(caught.value)
