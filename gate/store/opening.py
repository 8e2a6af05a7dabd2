"""Opening a database of the gate: durable settings, the schema made or checked, damage and newer versions told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
from msgspec import Struct

from gate.store.problems import StoreDamaged, StoreNotWritable, translated
from gate.store.statements import load_statements
from shared.problems import TooNew

Row = tuple[Any, ...]
"""A row as SQLite gives it; the columns' types are known only to the statement, and the schema is STRICT."""

BUSY_S = 5.0


class FileKind(Struct, frozen=True, kw_only=True):
    """One of the gate's two database files; ``remedy`` tells a person what to do when it is damaged.

    ``version`` counts its schemas: a block named ``upgrade_to_N`` makes N of N - 1.
    """

    sql: str
    application_id: int
    version: int
    remedy: str


class Database:
    """One connection with its file's statements; errors come out as this program's own."""

    def __init__(self, path: Path, kind: FileKind, connection: aiosqlite.Connection) -> None:
        self.path = path
        self._kind = kind
        self._connection = connection
        self._statements: Mapping[str, str] = {**load_statements("opening.sql"), **load_statements(kind.sql)}
        self._writing = asyncio.Lock()

    async def fetch(self, name: str, values: Mapping[str, object] | None = None) -> list[Row]:
        """Run a named statement and return its rows; outside ``transaction`` it is a transaction of its own."""
        with translated(self.path, self._kind.remedy):
            return list(await self._connection.execute_fetchall(self._statements[name], values or {}))  # type: ignore[arg-type] # the stub knows only positional values

    async def put_many(self, name: str, rows: Iterable[Row]) -> None:
        """Run a named statement once for each row."""
        with translated(self.path, self._kind.remedy):
            async with self._connection.executemany(self._statements[name], rows):
                return

    async def run_script(self, name: str) -> None:
        """Run a named block of several statements."""
        with translated(self.path, self._kind.remedy):
            async with self._connection.executescript(self._statements[name]):
                return

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make everything inside one transaction, of which a connection has one at a time."""
        async with self._writing:
            await self.fetch("begin")
            try:
                yield
                await self.fetch("commit")
            except BaseException:
                # Does nothing when the transaction is over; a commit that was on its way is not undone.
                await asyncio.shield(self._connection.rollback())
                raise

    async def close(self) -> None:
        """Close the connection; closing twice is fine."""
        await self._connection.close()


async def open_database(path: Path, kind: FileKind, *, check: bool = True) -> Database:
    """Open or make one of the gate's databases; ``check`` looks at its pages first.

    Raises:
        StoreDamaged: not a database, not this one, or broken pages.
        TooNew: written by a newer version of this program.
        StoreNotWritable: directory or file cannot be written.
    """
    await asyncio.to_thread(_load_once, kind)
    with translated(path, kind.remedy):
        connection = await aiosqlite.connect(path, isolation_level=None, timeout=BUSY_S)
    database = Database(path, kind, connection)
    try:
        await _prepare(database, kind, check=check)
    except BaseException:
        await asyncio.shield(database.close())
        raise
    return database


async def _prepare(database: Database, kind: FileKind, *, check: bool) -> None:
    found = (await database.fetch("read_version"))[0]
    application_id, version, tables = int(found[0]), int(found[1]), int(found[2])
    if tables and application_id != kind.application_id:
        raise StoreDamaged(f"{database.path} is not the file of that name that a gate writes. {kind.remedy}")
    if version > kind.version:
        raise TooNew(
            f"{database.path} was written by a newer version of this program (schema {version}, this one knows "
            f"{kind.version}): install that version again; nothing was changed."
        )
    if (await database.fetch("set_wal"))[0][0] != "wal":
        raise StoreNotWritable(f"{database.path} lies on a disk without shared memory files: move the data directory.")
    await database.fetch("set_full")
    await database.fetch("set_journal_limit")
    if not tables:
        await database.run_script("create_schema")
        return
    if check and (await database.fetch("check_quickly"))[0][0] != "ok":
        raise StoreDamaged(f"{database.path} is damaged. {kind.remedy}")
    for step in range(version + 1, kind.version + 1):
        await database.run_script(f"upgrade_to_{step}")


def _load_once(kind: FileKind) -> None:
    load: Callable[[str], object] = load_statements
    load("opening.sql")
    load(kind.sql)
