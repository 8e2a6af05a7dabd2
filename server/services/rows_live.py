"""What the stores hand out for watching an event while its doors are open: sums by minute, gate, reason and ticket type."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from shared.ids import GateId, TicketTypeId


class ScanSum(Struct, frozen=True, kw_only=True):
    """The scans of one minute, gate or reason, or (all three None) of the whole event; what was taken back counts nowhere."""

    minute: datetime | None
    gate: GateId | None
    reason: str | None
    entries: int
    exits: int
    refused: int
    last_at: datetime


class TypeSum(Struct, frozen=True, kw_only=True):
    """The tickets of one type: those that may come in, those that came, and people inside with one."""

    id: TicketTypeId
    name: str
    zones: int
    expected: int
    arrived: int
    inside: int


class OpenConflicts(Struct, frozen=True, kw_only=True):
    """How many conflicts of a severity nobody has settled."""

    severity: str
    count: int
