"""Finding a ticket by what somebody says of it, and everything that was scanned of it, in PostgreSQL."""

from __future__ import annotations

from uuid import UUID

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows import TicketRow
from server.services.rows_gates import ScanRow
from shared.ids import EventId, TicketId

_SQL = load_statements("look_up.sql")


class LookUpStore:
    """Implements ``server.services.ports_live.LookUp``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find_tickets(self, event: EventId, text: str, ticket: UUID | None, limit: int) -> list[TicketRow]:
        """Return an event's tickets that fit a text."""
        rows = await self._connection.fetch(_SQL["find_tickets"], event, text, ticket, limit)
        return [read_row(row, TicketRow) for row in rows]

    async def scans_of_ticket(self, ticket: TicketId, limit: int) -> list[ScanRow]:
        """Return a ticket's scans, the newest first."""
        return [read_row(row, ScanRow) for row in await self._connection.fetch(_SQL["scans_of_ticket"], ticket, limit)]
