"""Every table with tenants' rows is attacked: without a tenant, as another tenant, by writing across, on a used connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from server.db.pool import PgDatabase, PoolSizes, open_database
from server.db.problems import TenantWallHit
from server.db.statements import load_statements
from server.services.rows import ReservationState
from shared.ids import ReservationId, TenantId
from tests.conftest import Databases
from tests.integration.server.schema.connections import Connection, connected

SAMPLES = (Path(__file__).parent / "sample_rows.sql").read_text(encoding="utf-8")
TENANT_TABLES = load_statements("selfcheck.sql")["tenant_tables"]
REFUSED = {"42501", "TT001"}  # by policy or grant; a ticket's own trigger is quicker than either


class Attack:
    """Two tenants with a row in every table, and a connection of the app role to attack with."""

    def __init__(self, owner: Connection, app: Connection, tables: list[str]) -> None:
        self.owner, self.app, self.tables = owner, app, tables
        self.victim, self.attacker = uuid4(), uuid4()

    async def fill(self) -> None:
        """Give both tenants their rows."""
        for tenant in (self.victim, self.attacker):
            async with self.owner.transaction():
                await enter(self.owner, tenant)
                await self.owner.execute(SAMPLES)

    async def rows_of_victim(self, table: str) -> list[str]:
        """Return the victim's rows as JSON, as its owner sees them."""
        async with self.owner.transaction():
            await enter(self.owner, self.victim)
            return [row[0] for row in await self.owner.fetch(f"SELECT to_jsonb(t)::text FROM {table} AS t")]  # noqa: S608

    async def refused(self, statement: str, *arguments: object) -> bool:
        """Try a statement as the attacker and tell whether the database refused it."""
        try:
            async with self.app.transaction():
                await enter(self.app, self.attacker)
                await self.app.execute(statement, *arguments)
        except asyncpg.PostgresError as problem:
            return problem.sqlstate in REFUSED
        return False


@pytest.fixture
async def attack(database: Databases) -> AsyncIterator[Attack]:
    """Give a filled database under attack."""
    async with connected(database.owner_dsn) as owner, connected(database.app_dsn) as app:
        tables = [row["name"] for row in await owner.fetch(TENANT_TABLES)]
        attack = Attack(owner, app, tables)
        await attack.fill()
        yield attack


async def test_samples_cover_every_tenant_table(attack: Attack) -> None:
    assert len(attack.tables) >= 24
    empty = [table for table in attack.tables if not await attack.rows_of_victim(table)]
    assert empty == []


async def test_without_a_tenant_no_table_shows_a_row(attack: Attack) -> None:
    seen = {table: await attack.app.fetchval(f"SELECT count(*) FROM {table}") for table in attack.tables}  # noqa: S608
    assert seen == dict.fromkeys(attack.tables, 0)


async def test_a_tenant_that_does_not_exist_sees_no_row(attack: Attack) -> None:
    async with attack.app.transaction():
        await enter(attack.app, uuid4())
        seen = {table: await attack.app.fetchval(f"SELECT count(*) FROM {table}") for table in attack.tables}  # noqa: S608
    assert seen == dict.fromkeys(attack.tables, 0)


async def test_a_tenant_sees_its_own_rows_and_no_other(attack: Attack) -> None:
    for table in attack.tables:
        async with attack.app.transaction():
            await enter(attack.app, attack.attacker)
            keys = [row[0] for row in await attack.app.fetch(f"SELECT {key_of(table)} FROM {table}")]  # noqa: S608
        assert keys == [attack.attacker], table


async def test_no_row_can_be_written_into_another_tenant(attack: Attack) -> None:
    for table in attack.tables:
        (row,) = await attack.rows_of_victim(table)
        copy = f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(null::{table}, $1::jsonb)).*"
        assert await attack.refused(copy, row), table


async def test_no_row_can_be_moved_into_another_tenant(attack: Attack) -> None:
    for table in attack.tables:
        move = f"UPDATE {table} SET {key_of(table)} = $1"  # noqa: S608
        assert await attack.refused(move, attack.victim), table


async def test_nothing_of_another_tenant_can_be_changed_or_deleted(attack: Attack) -> None:
    before = {table: await attack.rows_of_victim(table) for table in attack.tables}
    for table in attack.tables:
        key = key_of(table)
        await attack.refused(f"UPDATE {table} SET {key} = {key} WHERE {key} = $1", attack.victim)  # noqa: S608
        await attack.refused(f"DELETE FROM {table} WHERE {key} = $1", attack.victim)  # noqa: S608
    assert {table: await attack.rows_of_victim(table) for table in attack.tables} == before


async def test_truncating_is_refused_everywhere(attack: Attack) -> None:
    assert [table for table in attack.tables if not await attack.refused(f"TRUNCATE {table} CASCADE")] == []


async def test_walls_cannot_be_taken_down_by_the_app(attack: Attack) -> None:
    for statement in (
        "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON tickets",
        "CREATE TABLE elsewhere (id integer)",
    ):
        assert await attack.refused(statement), statement


async def test_asking_without_walls_is_an_error_not_an_answer(attack: Attack) -> None:
    await attack.app.execute("SET row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await attack.app.fetch("SELECT * FROM tickets")


async def test_a_used_connection_remembers_no_tenant(database: Databases, attack: Attack) -> None:
    one = PoolSizes(app=1, worker=1)
    async with open_database(database.app_dsn, database.worker_dsn, one) as db:
        async with db.tenant(TenantId(attack.victim)) as tx:
            assert await tx.orders.get_reservation(ReservationId(attack.victim)) is not None
        assert await visible_tickets(db) == 0
        with pytest.raises(ZeroDivisionError):
            await fail_inside(db, TenantId(attack.victim))
        assert await visible_tickets(db) == 0
        async with db.tenant(TenantId(attack.attacker)) as tx:
            assert await tx.orders.get_reservation(ReservationId(attack.victim)) is None


async def test_the_door_says_when_a_wall_was_hit(database: Databases, attack: Attack) -> None:
    async with open_database(database.app_dsn, database.worker_dsn) as db:
        with pytest.raises(TenantWallHit):
            async with db.tenant(TenantId(attack.attacker)) as tx:
                # the worker's grant, not the app's: the door translates what the database says
                await tx.events._connection.execute("DELETE FROM orders")
        async with db.tenant(TenantId(attack.victim)) as tx:
            reservation = await tx.orders.get_reservation(ReservationId(attack.victim))
            assert reservation is not None
            assert reservation.state is ReservationState.PENDING


async def test_the_worker_cannot_give_a_ticket_away(database: Databases, attack: Attack) -> None:
    async with connected(database.worker_dsn) as worker:
        assert await worker.fetchval("SELECT count(*) FROM tickets") == 2
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.execute("UPDATE tickets SET owner_id = $1", uuid4())
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.execute("SELECT * FROM tenant_keys")


async def enter(connection: Connection, tenant: UUID) -> None:
    """Name the transaction's tenant."""
    await connection.execute("SELECT set_config('app.tenant', $1, true)", str(tenant))


async def visible_tickets(db: PgDatabase) -> int:
    """Count what a pooled connection shows without a tenant."""
    async with db.app_connection() as connection:
        return int(await connection.fetchval("SELECT count(*) FROM tickets"))


async def fail_inside(db: PgDatabase, tenant: TenantId) -> float:
    """Leave a transaction by an error."""
    async with db.tenant(tenant):
        return 1 / 0


def key_of(table: str) -> str:
    """Return the column that says whose a row is."""
    return "id" if table == "tenants" else "tenant_id"
