"""Looks at the database before anything is served: would it keep tenants apart, and is it of this program's version."""

from __future__ import annotations

import asyncio

from server.db.driver import Connection
from server.db.migrate import check_complete
from server.db.migrations import read_migrations
from server.db.pool import PgDatabase
from server.db.problems import DRIVER_PROBLEMS, DatabaseUnsafe, translate
from server.db.statements import load_statements

_SQL = load_statements("selfcheck.sql")
_LEDGER = load_statements("migrate.sql")


async def check_database(database: PgDatabase) -> None:
    """Return if the database may be used; every one of the checks below.

    Raises:
        DatabaseUnsafe, SchemaBehind, SchemaTooNew, SchemaEdited: as the single checks say.
        Unavailable: the database is away.
    """
    await check_schema(database)
    await check_roles(database)
    await check_walls(database)


async def check_roles(database: PgDatabase) -> list[str]:
    """Return the names of the two roles if neither could step over the walls between tenants.

    Raises:
        DatabaseUnsafe: one is a superuser, bypasses row-level security, or may act as the owner of a table.
    """
    names = []
    for borrow in (database.app_connection, database.worker_connection):
        async with borrow() as connection:
            names.append(await _check_role(connection))
    return names


async def check_walls(database: PgDatabase) -> int:
    """Return how many tables hold tenants' rows if every one of them has its wall.

    Raises:
        DatabaseUnsafe: a table lacks forced row-level security or the restrictive policy.
    """
    async with database.app_connection() as connection:
        open_tables = [str(row["name"]) for row in await connection.fetch(_SQL["open_tables"])]
        if open_tables:
            raise DatabaseUnsafe(
                f"row-level security is not forced on {', '.join(open_tables)}: run the migrations, and undo whatever "
                "was changed by hand"
            )
        return len(await connection.fetch(_SQL["tenant_tables"]))


async def check_schema(database: PgDatabase) -> int:
    """Return the schema's version if this program can work with it.

    Raises:
        SchemaBehind, SchemaTooNew, SchemaEdited: it cannot.
    """
    known = await asyncio.to_thread(read_migrations)
    async with database.app_connection() as connection:
        return check_complete(known, await connection.fetch(_LEDGER["applied"]))


async def known_version() -> int:
    """Return the version of the schema this program was written for."""
    return len(await asyncio.to_thread(read_migrations))


async def read_server_version(database: PgDatabase) -> str:
    """Return PostgreSQL's version."""
    async with database.app_connection() as connection:
        return str(await connection.fetchval(_SQL["version"]))


async def _check_role(connection: Connection) -> str:
    try:
        role = await connection.fetchrow(_SQL["role"])
    except DRIVER_PROBLEMS as exc:
        raise translate(exc) from exc
    if role is None:
        raise DatabaseUnsafe("the database does not say who this program is to it")
    name = str(role["name"])
    faults = {
        "is_superuser": "is a superuser",
        "bypasses": "bypasses row-level security",
        "owns": "may act as an owner",
    }
    found = [text for column, text in faults.items() if role[column]]
    if found:
        raise DatabaseUnsafe(
            f"the role {name} {' and '.join(found)}, so nothing would keep tenants apart: "
            "use tt_app in DATABASE_URL and tt_worker in WORKER_DATABASE_URL"
        )
    return name
