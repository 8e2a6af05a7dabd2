"""The database's side of a backup: may it be read whole, may this one be filled, and is what came out of it sound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from msgspec import Struct

from server.db.bootstrap import OWNER_ROLE, create_database
from server.db.driver import Connection
from server.db.migrate import check_ledger
from server.db.migrations import read_migrations
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.statements import load_statements
from shared.problems import Conflict, Denied, InputUnusable, NotFound

_TIMEOUT_S = 30.0
_ROLES = (OWNER_ROLE, "tt_app", "tt_worker")


class TargetNotEmpty(Conflict):
    """A backup is only ever put into an empty database."""

    code = "target_not_empty"


class Stock(Struct, frozen=True, kw_only=True):
    """What a database holds, in short."""

    server_major: int
    schema_version: int
    tenants: int


async def look_at_source(admin_dsn: str) -> Stock:
    """Return what a database holds that is to be backed up.

    Raises:
        Denied: the role would not see all of it.
        SchemaTooNew, SchemaEdited: this program does not know what it would back up.
        Unavailable: the database is away.
    """
    async with _session(admin_dsn) as admin:
        if not await admin.fetchval(_statement("sees_everything")):
            raise Denied("only a superuser sees every tenant's rows: name one in ADMIN_DATABASE_URL")
        return await _take_stock(admin)


async def prepare_target(admin_dsn: str) -> int:
    """Make the database a backup is to be put into, unless it is there; return the server's major version.

    Raises:
        NotFound: the program's roles are missing.
        TargetNotEmpty: there are tables in it.
        InputUnusable: the address names no database.
        Unavailable: the server is away.
    """
    name = urlsplit(admin_dsn).path.lstrip("/")
    if not name:
        raise InputUnusable("ADMIN_DATABASE_URL names no database: end it with /tickettoken")
    server = urlunsplit(urlsplit(admin_dsn)._replace(path="/postgres"))
    async with _session(server) as admin:
        missing = await admin.fetch(load_statements("bootstrap.sql")["missing_roles"], list(_ROLES))
        if missing:
            raise NotFound(
                f"the server has no role {', '.join(row['wanted'] for row in missing)}: make the three roles first, with the "
                "passwords that are in the settings"
            )
    await create_database(server, name)
    async with _session(admin_dsn) as admin:
        if await admin.fetchval(_statement("tables")):
            raise TargetNotEmpty(f"the database {name} has tables: a backup is only put into an empty one")
        return int(await admin.fetchval(_statement("server_version")))


async def check_target(admin_dsn: str) -> Stock:
    """Return what was put into a database, after it has learnt its own sizes and that no stream of a broker is its own.

    Raises:
        SchemaTooNew, SchemaEdited: the backup is of another program's database.
    """
    async with _session(admin_dsn) as admin:
        await admin.execute(_statement("renew_streams"))
        await admin.execute(_statement("refresh_statistics"))
        return await _take_stock(admin)


async def _take_stock(admin: Connection) -> Stock:
    known = await asyncio.to_thread(read_migrations)
    applied = await admin.fetch(load_statements("migrate.sql")["applied"])
    return Stock(
        server_major=await admin.fetchval(_statement("server_version")),
        schema_version=check_ledger(known, applied),
        tenants=await admin.fetchval(_statement("tenants")),
    )


def _statement(name: str) -> str:
    return load_statements("backup.sql")[name]


@asynccontextmanager
async def _session(dsn: str) -> AsyncIterator[Connection]:
    try:
        connection = await asyncpg.connect(dsn, timeout=_TIMEOUT_S)
        try:
            yield connection
        finally:
            await connection.close()
    except DRIVER_PROBLEMS as exc:
        raise translate(exc) from exc
