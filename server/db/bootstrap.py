"""What only the superuser can do: make the owning role and the database, and give the program's roles passwords."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg

from server.db.statements import load_statements
from shared.problems import Conflict, Denied, NotFound, TicketTokenError, Unavailable

OWNER_ROLE = "tt_owner"
DATABASE = "tickettoken"

_TIMEOUT_S = 30.0


async def create_owner(admin_dsn: str, password: str) -> None:
    """Make the role that owns the schema, or give an existing one this password; safe to repeat.

    The role may log in and make roles; it is no superuser and row-level security binds it.
    """
    async with _administer(admin_dsn) as admin:
        await _command(admin, "owner_command", OWNER_ROLE, password)


async def create_database(admin_dsn: str, name: str = DATABASE, template: str = "template1") -> bool:
    """Make a database owned by the owning role; return False if it was there already.

    A clone of another database takes its schema and data, not the rights granted on the database itself.
    """
    async with _administer(admin_dsn) as admin:
        if await admin.fetchval(_statement("database_exists"), name):
            return False
        await _command(admin, "create_database_command", name, OWNER_ROLE, template)
        return True


async def drop_database(admin_dsn: str, name: str) -> None:
    """Remove a database and end its sessions; without one do nothing."""
    async with _administer(admin_dsn) as admin:
        await _command(admin, "drop_database_command", name)


async def set_role_passwords(admin_dsn: str, passwords: Mapping[str, str]) -> None:
    """Give each named role its password.

    Raises:
        NotFound: a role does not exist, so the migrations have not run.
    """
    async with _administer(admin_dsn) as admin:
        missing = [str(row["wanted"]) for row in await admin.fetch(_statement("missing_roles"), list(passwords))]
        if missing:
            raise NotFound(f"the database has no role {', '.join(missing)}: run the migrations first")
        for role, password in passwords.items():
            await _command(admin, "password_command", role, password)


def _statement(name: str) -> str:
    return load_statements("bootstrap.sql")[name]


async def _command(admin: asyncpg.Connection[asyncpg.Record], statement: str, *names: str) -> None:
    command = await admin.fetchval(_statement(statement), *names)
    await admin.execute(command)


@asynccontextmanager
async def _administer(admin_dsn: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Open a superuser's session for one job; driver errors leave it as our own problems."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            admin = await asyncpg.connect(admin_dsn)
            try:
                yield admin
            finally:
                await admin.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise _translate(exc) from exc


def _translate(problem: Exception) -> TicketTokenError:
    # The driver's own text may quote the command, and with it a password; its class says enough.
    kind = type(problem).__name__
    match problem:
        case asyncpg.InvalidAuthorizationSpecificationError() | asyncpg.InsufficientPrivilegeError():
            return Denied(
                f"the database refused its administrator ({kind}): check user, password and rights in the URL"
            )
        case asyncpg.ObjectInUseError() | asyncpg.DuplicateDatabaseError() | asyncpg.DuplicateObjectError():
            return Conflict(f"the database is being set up by somebody else ({kind}): try again")
        case _:
            return Unavailable(f"the database's administration failed ({kind}): check that it runs and answers")
