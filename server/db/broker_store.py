"""What gates shall find at the message broker, in PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from server.db.driver import Connection, read_optional, read_row
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.statements import load_statements
from server.services.rows_broker import AccountRow, QuarantineRow, StreamRow
from shared.ids import EventId, GateId

if TYPE_CHECKING:  # the door hands these stores out
    from server.db.pool import PgDatabase

MOST_QUARANTINED = 1000

_SQL = load_statements("broker.sql")
_WORKER_SQL = load_statements("broker_worker.sql")


class BrokerStore:
    """Implements ``server.services.ports_broker.BrokerWishes``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def want_account(self, gate: GateId, password_hash: str) -> None:
        """Have the broker know this gate by this password."""
        await self._connection.execute(_SQL["want_account"], gate, password_hash)

    async def want_stream(self, event: EventId) -> None:
        """Have the event's feed in a stream."""
        await self._connection.execute(_SQL["want_stream"], event)

    async def stream(self, event: EventId) -> StreamRow | None:
        """Return an event's stream."""
        return read_optional(await self._connection.fetchrow(_SQL["stream"], event), StreamRow)

    async def fed_at(self, event: EventId, seq: int) -> datetime | None:
        """Return when an entry was numbered."""
        moment: datetime | None = await self._connection.fetchval(_SQL["fed_at"], event, seq)
        return moment

    async def quarantine(self, gate: GateId, body: bytes, reason: str) -> bool:
        """Keep a batch that cannot be taken, unless there is no room."""
        digest = hashlib.sha256(body).digest()
        await self._connection.execute(_SQL["quarantine"], gate, digest, reason, body, MOST_QUARANTINED)
        return bool(await self._connection.fetchval(_SQL["is_quarantined"], gate, digest))

    async def count_quarantined(self, event: EventId) -> dict[GateId, int]:
        """Return how many batches of each gate are kept apart."""
        rows = await self._connection.fetch(_SQL["count_quarantined"], event)
        return {GateId(row["gate"]): row["batches"] for row in rows}

    async def quarantined(self, gate: GateId, limit: int) -> list[QuarantineRow]:
        """Return a gate's batches that could not be taken."""
        rows = await self._connection.fetch(_SQL["quarantined"], gate, limit)
        return [read_row(row, QuarantineRow) for row in rows]


class BrokerBookStore:
    """Implements ``server.services.ports_broker.BrokerBook`` on a connection of the worker role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def accounts(self) -> list[AccountRow]:
        """Return every account."""
        return [read_row(row, AccountRow) for row in await self._connection.fetch(_WORKER_SQL["accounts"])]

    async def mark_applied(self, account: AccountRow) -> None:
        """Note what the broker was told."""
        await self._connection.execute(
            _WORKER_SQL["mark_applied"], account.tenant, account.gate, account.password_hash, account.event
        )

    async def mark_removed(self, account: AccountRow, now: datetime) -> None:
        """Note that the account is gone."""
        await self._connection.execute(_WORKER_SQL["mark_removed"], account.tenant, account.gate, now)

    async def streams(self) -> list[StreamRow]:
        """Return every stream."""
        return [read_row(row, StreamRow) for row in await self._connection.fetch(_WORKER_SQL["streams"])]

    async def due_streams(self, now: datetime) -> list[StreamRow]:
        """Return the streams that lack something."""
        return [read_row(row, StreamRow) for row in await self._connection.fetch(_WORKER_SQL["due_streams"], now)]

    async def mark_declared(self, stream: StreamRow, now: datetime) -> None:
        """Note that the stream is there."""
        await self._connection.execute(_WORKER_SQL["mark_declared"], stream.tenant, stream.event, now)

    async def mark_lost(self, stream: StreamRow) -> None:
        """Note that the stream is gone."""
        await self._connection.execute(_WORKER_SQL["mark_lost"], stream.tenant, stream.event)

    async def mark_broken(self, stream: StreamRow) -> None:
        """Note that the stream cannot be started, and another is to take its place."""
        await self._connection.execute(_WORKER_SQL["mark_broken"], stream.tenant, stream.event)

    async def mark_published(self, stream: StreamRow, seq: int) -> None:
        """Note up to where the stream has the feed."""
        await self._connection.execute(_WORKER_SQL["mark_published"], stream.tenant, stream.event, seq)

    async def mark_snapshot(self, stream: StreamRow, snapshot: str, seq: int, begun_at: datetime) -> None:
        """Note the newest snapshot in the stream."""
        await self._connection.execute(
            _WORKER_SQL["mark_snapshot"], stream.tenant, stream.event, snapshot, seq, begun_at
        )


class PgLeaderSession:
    """Implements ``server.services.ports_broker.LeaderSession``: the lock is the session's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._leads = False
        # Several tasks ask, and a session answers one question at a time.
        self._lock = asyncio.Lock()

    async def lead(self) -> bool:
        """Try to become the leader, or make sure that the session is still there.

        Raises:
            Unavailable: the session is lost.
        """
        try:
            async with self._lock:
                if self._leads:
                    await self._connection.execute(_WORKER_SQL["still_there"])
                else:
                    self._leads = bool(await self._connection.fetchval(_WORKER_SQL["lead"]))
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc
        return self._leads


@asynccontextmanager
async def open_leader_session(database: PgDatabase) -> AsyncIterator[PgLeaderSession]:
    """Open a session for the one process that keeps the broker in line.

    Raises:
        Unavailable: the database is away.
    """
    async with database.worker_session() as connection:
        yield PgLeaderSession(connection)
