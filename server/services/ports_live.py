"""What watching an event needs of the database, as a Protocol."""

from __future__ import annotations

from typing import Protocol

from server.services.rows_gates import ConflictRow
from server.services.rows_live import OpenConflicts, ScanSum, TypeSum
from shared.ids import EventId


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
