"""Conflicts in PostgreSQL: one per surplus admission, whatever the order in which the admissions came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows_gates import ConflictRow
from shared.ids import ConflictId, EventId, ScanId, TicketId

_SQL = load_statements("conflict.sql")


class ConflictStore:
    """Implements ``server.services.ports_conflicts.Conflicts``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of_tickets(self, tickets: Sequence[TicketId]) -> list[ConflictRow]:
        """Return all conflicts of these tickets."""
        return [read_row(row, ConflictRow) for row in await self._connection.fetch(_SQL["of_tickets"], tickets)]

    async def keep(self, conflict: ConflictRow) -> None:
        """Keep a conflict or bring the one of the same scan up to date."""
        await self._connection.execute(_SQL["keep"], *_values(conflict))

    async def keep_all(self, conflicts: Sequence[ConflictRow]) -> None:
        """Keep several conflicts on one round trip."""
        if conflicts:
            await self._connection.executemany(_SQL["keep"], [_values(conflict) for conflict in conflicts])

    async def withdraw(self, scans: Sequence[ScanId], now: datetime) -> None:
        """Mark the conflicts of these scans as no longer holding."""
        await self._connection.execute(_SQL["withdraw"], scans, now)

    async def list_of_event(self, event: EventId, after: ScanId | None, limit: int) -> list[ConflictRow]:
        """Return an event's conflicts, newest first."""
        rows = await self._connection.fetch(_SQL["list_of_event"], event, after, limit)
        return [read_row(row, ConflictRow) for row in rows]

    async def lock(self, conflict: ConflictId) -> ConflictRow | None:
        """Return one conflict, locked."""
        return read_optional(await self._connection.fetchrow(_SQL["lock"], conflict), ConflictRow)

    async def decide(self, conflict: ConflictRow) -> None:
        """Keep what a person decided."""
        await self._connection.execute(
            _SQL["decide"],
            conflict.id,
            conflict.state,
            conflict.resolution,
            conflict.decided_by,
            conflict.note,
            conflict.updated_at,
        )

    async def ticket_of(self, conflict: ConflictId) -> TicketId | None:
        """Return the ticket a conflict is about."""
        found: TicketId | None = await self._connection.fetchval(_SQL["ticket_of"], conflict)
        return found

    async def hot_of_tickets(self, tickets: Sequence[TicketId]) -> set[bytes]:
        """Return the handle hashes of these tickets that are on the hot list."""
        return {row["handle_hash"] for row in await self._connection.fetch(_SQL["hot_of_tickets"], tickets)}

    async def hot_of_event(self, event: EventId) -> list[bytes]:
        """Return an event's hot list."""
        return [row["handle_hash"] for row in await self._connection.fetch(_SQL["hot_of_event"], event)]

    async def tally(self, event: EventId) -> dict[str, int]:
        """Return how many conflicts hold, by class."""
        rows = await self._connection.fetch(_SQL["tally"], event)
        return {row["kind"]: row["conflicts"] for row in rows}


def _values(conflict: ConflictRow) -> tuple[object, ...]:
    return (
        conflict.id,
        conflict.event,
        conflict.ticket,
        conflict.scan,
        conflict.earlier,
        conflict.kind,
        conflict.severity,
        conflict.state,
        conflict.evidence,
        conflict.updated_at,
    )
