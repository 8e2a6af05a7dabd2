"""What looking at admissions that were one too many needs from the outside, as a Protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.services.rows_gates import ConflictRow
from shared.ids import ConflictId, EventId, ScanId, TicketId


class Conflicts(Protocol):
    """Admissions that were one too many."""

    async def of_tickets(self, tickets: Sequence[TicketId]) -> list[ConflictRow]:
        """Return all conflicts of these tickets, withdrawn ones included."""
        ...

    async def keep(self, conflict: ConflictRow) -> None:
        """Keep a conflict or bring the one of the same scan up to date; what a person decided about it stays."""
        ...

    async def keep_all(self, conflicts: Sequence[ConflictRow]) -> None:
        """Do the same with conflicts of different scans at once."""
        ...

    async def withdraw(self, scans: Sequence[ScanId], now: datetime) -> None:
        """Mark the conflicts of these scans as no longer holding."""
        ...

    async def list_of_event(self, event: EventId, after: ScanId | None, limit: int) -> list[ConflictRow]:
        """Return an event's conflicts, newest first, those after the one of the given scan."""
        ...

    async def lock(self, conflict: ConflictId) -> ConflictRow | None:
        """Return one conflict and lock it until the transaction ends."""
        ...

    async def decide(self, conflict: ConflictRow) -> None:
        """Keep state, resolution and note of a locked conflict, and who decided when."""
        ...

    async def ticket_of(self, conflict: ConflictId) -> TicketId | None:
        """Return the ticket a conflict is about."""
        ...

    async def hot_of_tickets(self, tickets: Sequence[TicketId]) -> set[bytes]:
        """Return the handle hashes of these tickets that are on the event's hot list."""
        ...

    async def hot_of_event(self, event: EventId) -> list[bytes]:
        """Return an event's hot list: handle hashes shown on two phones at once."""
        ...

    async def tally(self, event: EventId) -> dict[str, int]:
        """Return how many conflicts hold, by class."""
        ...
