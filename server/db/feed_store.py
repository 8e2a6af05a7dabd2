"""The numbered feed and its snapshots in PostgreSQL, and the reading of everything a gate must know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import msgpack

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import TicketRow, TicketTypeRow
from server.services.rows_gates import SnapshotRow, WorldAdmission, WorldTicket
from shared.ids import EventId
from shared.sync.feed import FeedEntry, TombstoneEntry

_SQL = load_statements("feed.sql")
_decoder: msgpack.Decoder[FeedEntry] = msgpack.Decoder(FeedEntry)


class FeedStore:
    """Implements ``server.services.ports_gates.Feed``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def head(self, event: EventId) -> int:
        """Return the highest number given so far."""
        return int(await self._connection.fetchval(_SQL["head"], event))

    async def mark_at(self, event: EventId, seq: int) -> bytes | None:
        """Return the mark of a position."""
        mark: bytes | None = await self._connection.fetchval(_SQL["mark_at"], event, seq)
        return mark

    async def oldest(self, event: EventId) -> int | None:
        """Return the lowest number still kept."""
        seq: int | None = await self._connection.fetchval(_SQL["oldest"], event)
        return seq

    async def after(self, event: EventId, seq: int, limit: int) -> list[FeedEntry]:
        """Return the entries that follow a position."""
        rows = await self._connection.fetch(_SQL["after"], event, seq, limit)
        return [_decoder.decode(row["body"]) for row in rows]

    async def newest_snapshot(self, event: EventId) -> SnapshotRow | None:
        """Return the kept snapshot that is furthest along."""
        return read_optional(await self._connection.fetchrow(_SQL["newest_snapshot"], event), SnapshotRow)

    async def add_chunk(self, snapshot: UUID, n: int, body: bytes) -> None:
        """Keep one chunk."""
        await self._connection.execute(_SQL["add_chunk"], snapshot, n, body)

    async def add_snapshot(self, event: EventId, snapshot: SnapshotRow, now: datetime) -> None:
        """Keep a snapshot's manifest."""
        await self._connection.execute(_SQL["add_snapshot"], event, snapshot.id, snapshot.seq, snapshot.manifest, now)

    async def chunk(self, event: EventId, snapshot: UUID, n: int) -> bytes | None:
        """Return one chunk."""
        body: bytes | None = await self._connection.fetchval(_SQL["chunk"], event, snapshot, n)
        return body

    async def drop_snapshots(self, event: EventId, before: datetime) -> int:
        """Delete old snapshots."""
        return len(await self._connection.fetch(_SQL["drop_snapshots"], event, before))

    async def world_tickets(self, event: EventId, size: int) -> AsyncIterator[list[WorldTicket]]:
        """Yield every ticket a gate must know."""
        records = await self._connection.fetch(_SQL["ticket_types"], event)
        types = {kind.id: kind for kind in (read_row(record, TicketTypeRow) for record in records)}
        async for rows in self._stream("world_tickets", event, size):
            tickets = [read_row(row, TicketRow) for row in rows]
            yield [WorldTicket(ticket=ticket, ticket_type=types[ticket.ticket_type]) for ticket in tickets]

    async def world_tombstones(self, event: EventId, size: int) -> AsyncIterator[list[TombstoneEntry]]:
        """Yield every replaced generation."""
        async for rows in self._stream("world_tombstones", event, size):
            yield [TombstoneEntry(seq=0, handle_hash=row["handle_hash"], version=row["version"]) for row in rows]

    async def world_admissions(self, event: EventId, size: int) -> AsyncIterator[list[WorldAdmission]]:
        """Yield every admission that fits a ticket."""
        async for rows in self._stream("world_admissions", event, size):
            yield [read_row(row, WorldAdmission) for row in rows]

    async def _stream(self, statement: str, event: EventId, size: int) -> AsyncIterator[list[asyncpg.Record]]:
        cursor = await self._connection.cursor(_SQL[statement], event)
        while rows := await cursor.fetch(size):
            yield rows
