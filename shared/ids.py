"""Identifiers: distinct types so that arguments cannot be swapped, and UUIDv7 made from given time and randomness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NewType
from uuid import UUID

from shared.clock import unix_ms

TenantId = NewType("TenantId", UUID)
VenueId = NewType("VenueId", UUID)
EventId = NewType("EventId", UUID)
TicketTypeId = NewType("TicketTypeId", UUID)
TicketId = NewType("TicketId", UUID)
ReservationId = NewType("ReservationId", UUID)
OrderId = NewType("OrderId", UUID)
TransferId = NewType("TransferId", UUID)
GateId = NewType("GateId", UUID)
IncarnationId = NewType("IncarnationId", UUID)
ScanId = NewType("ScanId", UUID)
ConflictId = NewType("ConflictId", UUID)
CommandId = NewType("CommandId", UUID)
UserId = NewType("UserId", UUID)
ApiKeyId = NewType("ApiKeyId", UUID)
SupervisorId = NewType("SupervisorId", UUID)
StaffId = NewType("StaffId", UUID)
SessionId = NewType("SessionId", UUID)

RandomBytes = Callable[[int], bytes]
"""A source of n unpredictable bytes, such as os.urandom."""


def uuid7(now: datetime, random_bytes: RandomBytes) -> UUID:
    """Return a time-ordered UUID version 7 (RFC 9562, section 5.7)."""
    noise = int.from_bytes(random_bytes(10), "big")
    value = (unix_ms(now) & (1 << 48) - 1) << 80
    value |= 0x7 << 76
    value |= (noise >> 68) << 64
    value |= 0b10 << 62
    value |= noise & (1 << 62) - 1
    return UUID(int=value)
