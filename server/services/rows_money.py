"""What the stores hand out and take about money that goes back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from shared.ids import EventId, OrderId, ReservationId, TicketId


class SaleRow(Struct, frozen=True, kw_only=True):
    """What was paid for one ticket, by which order and payment."""

    ticket: TicketId
    order: OrderId
    payment_id: str
    amount_cents: int
    currency: str


class RefundRow(Struct, frozen=True, kw_only=True):
    """A sum that is to be given back; without ``ticket`` it is all of a payment that bought nothing."""

    id: UUID
    payment_id: str
    ticket: TicketId | None
    event: EventId | None
    order: OrderId | None
    reservation: ReservationId | None
    amount_cents: int
    currency: str
    reason: str
    at: datetime
