"""The migration runner: forward only, each file once and in its own transaction, no two runners at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile
from pathlib import Path

import asyncpg
from msgspec import Struct

from server.db.driver import Connection
from server.db.migrations import Migration, Phase, phase_of, read_migrations
from server.db.problems import DRIVER_PROBLEMS, SchemaBehind, SchemaEdited, SchemaTooNew, translate
from server.db.statements import load_statements

_CONNECT_TIMEOUT_S = 30.0
_LOCK_TIMEOUT_S = 300.0


class MigrationReport(Struct, frozen=True, kw_only=True):
    """What a run did: the names of the files it applied, and the version the schema has now."""

    applied: list[str]
    version: int


async def migrate(owner_dsn: str, migrations_dir: Path | None = None, *, phase: Phase = Phase.ALL) -> MigrationReport:
    """Bring the schema up to date and return what was done; safe to repeat and to run twice at once.

    ``phase`` PRE stops before the first pending post file, POST before the first pending pre file.

    Raises:
        SchemaTooNew: the database has post migrations this program does not know.
        SchemaEdited: a file differs from what was applied under its number.
        Unavailable: the database is away.
    """
    known = await asyncio.to_thread(read_migrations, migrations_dir)
    try:
        async with _open(owner_dsn) as owner, _alone(owner):
            await owner.execute(_statement("make_ledger"))
            done = check_ledger(known, await owner.fetch(_statement("applied")))
            pending = list(takewhile(lambda one: phase in (Phase.ALL, one.phase), known[done:]))
            for migration in pending:
                await _apply(owner, migration)
            version = done + len(pending)
            if version:
                await owner.execute(_statement("ledger_readers"))
    except DRIVER_PROBLEMS as exc:
        raise translate(exc) from exc
    return MigrationReport(applied=[one.name for one in pending], version=version)


def check_ledger(known: Sequence[Migration], applied: Sequence[asyncpg.Record]) -> int:
    """Return the version of a database's schema, which has the known migrations in a row from the first.

    It may have more than are known, as long as all of those are pre: they add, and take nothing away that an older program
    needs. So a program of the version before may be started again in the middle of an upgrade.

    Raises:
        SchemaTooNew: a post migration is among those that are not known.
        SchemaEdited: one differs, or one in between is missing.
    """
    for migration, row in zip(known, applied, strict=False):
        if row["version"] != migration.version:
            raise SchemaEdited(f"the database never saw migration {migration.version}: restore it from a backup")
        if row["checksum"] != migration.checksum:
            raise SchemaEdited(
                f"migration {migration.name} is not what the database was made with ({row['name']}): "
                "landed migrations are never edited, put the old file back and add a new one"
            )
    newer = applied[len(known) :]
    ended = [str(row["name"]) for row in newer if phase_of(str(row["name"])) is not Phase.PRE]
    if ended:
        raise SchemaTooNew(
            f"the database has schema version {applied[-1]['version']}, this program knows {len(known)}, and {ended[0]} has "
            "ended the time of this program: install the newer program"
        )
    return len(applied)


def check_complete(known: Sequence[Migration], applied: Sequence[asyncpg.Record]) -> int:
    """Return the schema's version if this program can work with it: every file that must run before it has run.

    A newer schema will do while its post files have not run.

    Raises:
        SchemaBehind: a pre migration is missing.
        SchemaTooNew, SchemaEdited: as for ``check_ledger``.
    """
    done = check_ledger(known, applied)
    missing = [one.name for one in known[done:] if one.phase is Phase.PRE]
    if missing:
        raise SchemaBehind(f"the database lacks {len(missing)} migrations ({missing[0]} …): run `tickettoken migrate`")
    return done


async def _apply(owner: Connection, migration: Migration) -> None:
    try:
        async with owner.transaction():
            await owner.execute(migration.sql)
            await owner.execute(_statement("record"), migration.version, migration.name, migration.checksum)
    except asyncpg.PostgresError as exc:
        raise SchemaEdited(f"migration {migration.name} failed, nothing of it was kept: {exc.args[0]}") from exc


@asynccontextmanager
async def _open(owner_dsn: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(owner_dsn, timeout=_CONNECT_TIMEOUT_S)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _alone(owner: Connection) -> AsyncIterator[None]:
    await owner.execute(_statement("lock"), timeout=_LOCK_TIMEOUT_S)
    try:
        yield
    finally:
        await owner.execute(_statement("unlock"))


def _statement(name: str) -> str:
    return load_statements("migrate.sql")[name]
