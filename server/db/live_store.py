"""Sums over an event's evening in PostgreSQL."""

from __future__ import annotations

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows_gates import ConflictRow
from server.services.rows_live import OpenConflicts, ScanSum, TypeSum
from shared.ids import EventId

_SQL = load_statements("live.sql")


class LiveStore:
    """Implements ``server.services.ports_live.Live``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def scan_sums(self, event: EventId) -> list[ScanSum]:
        """Return the sums of the event's scans."""
        return [read_row(row, ScanSum) for row in await self._connection.fetch(_SQL["scan_sums"], event)]

    async def type_sums(self, event: EventId) -> list[TypeSum]:
        """Return the sums of the event's tickets by type."""
        return [read_row(row, TypeSum) for row in await self._connection.fetch(_SQL["type_sums"], event)]

    async def open_conflicts(self, event: EventId) -> list[OpenConflicts]:
        """Return how many conflicts nobody has settled."""
        return [read_row(row, OpenConflicts) for row in await self._connection.fetch(_SQL["open_conflicts"], event)]

    async def newest_open(self, event: EventId, limit: int) -> list[ConflictRow]:
        """Return the newest conflicts nobody has settled."""
        return [read_row(row, ConflictRow) for row in await self._connection.fetch(_SQL["newest_open"], event, limit)]
