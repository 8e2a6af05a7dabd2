"""What watching an event needs of the database, as a Protocol."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from server.services.rows import TicketRow
from server.services.rows_gates import ConflictRow, ScanRow
from server.services.rows_live import OpenConflicts, ScanSum, TypeSum
from shared.ids import EventId, TicketId


class Live(Protocol):
    """Sums over everything the server knows of an event's evening."""

    async def scan_sums(self, event: EventId) -> list[ScanSum]:
        """Return the sums of the event's scans: by minute, by gate, by reason, and one over all."""
        ...

    async def type_sums(self, event: EventId) -> list[TypeSum]:
        """Return the sums of the event's tickets by type, types without a ticket included."""
        ...

    async def open_conflicts(self, event: EventId) -> list[OpenConflicts]:
        """Return how many conflicts nobody has settled, by severity."""
        ...

    async def newest_open(self, event: EventId, limit: int) -> list[ConflictRow]:
        """Return the newest conflicts nobody has settled."""
        ...


class LookUp(Protocol):
    """Finding a ticket, and what was scanned of it."""

    async def find_tickets(self, event: EventId, text: str, ticket: UUID | None, limit: int) -> list[TicketRow]:
        """Return an event's tickets with this id, this number elsewhere, this seat, or this in the holder's name."""
        ...

    async def scans_of_ticket(self, ticket: TicketId, limit: int) -> list[ScanRow]:
        """Return a ticket's scans, the newest first."""
        ...
