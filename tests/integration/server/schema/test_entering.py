"""A transaction is in its tenant from its first statement on, or does not go on at all."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from server.db.entering import check_sent, send_along
from server.db.pool import PgDatabase, PoolSizes, open_database
from shared.ids import TenantId
from shared.problems import Internal
from tests.conftest import Databases

TENANT = "SELECT current_tenant()"


async def test_each_transaction_of_one_connection_is_in_its_own_tenant_and_the_next_in_none(
    database: Databases,
) -> None:
    sizes = PoolSizes(app=1, worker=1)
    async with open_database(database.app_dsn, database.worker_dsn, sizes) as db:
        for tenant in (TenantId(uuid4()), TenantId(uuid4())):
            async with db.tenant(tenant) as tx, tx.savepoint():
                assert await tx._connection.fetchval(TENANT) == tenant
            async with db.still(tenant) as tx:
                assert await tx._connection.fetchval(TENANT) == tenant
            async with db.app_connection() as connection:
                assert await connection.fetchval(TENANT) is None
        await asyncio.gather(*(_look(db, TenantId(uuid4())) for _ in range(8)))


async def _look(db: PgDatabase, tenant: TenantId) -> None:
    async with db.tenant(tenant) as tx:
        assert await tx._connection.fetchval(TENANT) == tenant


async def test_a_transaction_that_began_without_its_tenant_does_not_go_on(database: Databases) -> None:
    async with (
        open_database(database.app_dsn, database.worker_dsn) as db,
        db.app_connection() as connection,
    ):
        send_along(connection, TENANT)
        with pytest.raises(Internal):
            check_sent(connection)
        async with connection.transaction():
            check_sent(connection)
