"""A reservation as its holder sees it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from server.services.rows import ReservationLine, ReservationRow, ReservationState, TicketRow
from shared.ids import EventId, ReservationId, TicketId, TicketTypeId


class HeldLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is held of one ticket type, and its price in cents."""

    ticket_type_id: TicketTypeId
    quantity: int
    price_per_ticket: int


class HeldSeat(Struct, frozen=True, kw_only=True, rename="camel"):
    """One seat that is held."""

    ticket_id: TicketId
    ticket_type_id: TicketTypeId
    seat: str


class Reserved(Struct, frozen=True, kw_only=True, rename="camel"):
    """A reservation; ``seats`` names the places of types that are sold by seat, which are counted in ``tickets`` too."""

    reservation_id: ReservationId
    event_id: EventId
    tickets: list[HeldLine]
    seats: list[HeldSeat] = []
    total_cents: int
    currency: str
    expires_at: datetime
    status: ReservationState


def view_reservation(
    reservation: ReservationRow, lines: Sequence[ReservationLine], seats: Sequence[TicketRow]
) -> Reserved:
    """Return what its holder may know of a reservation."""
    return Reserved(
        reservation_id=reservation.id,
        event_id=reservation.event,
        tickets=[
            HeldLine(ticket_type_id=line.ticket_type, quantity=line.quantity, price_per_ticket=line.price_cents)
            for line in lines
        ],
        seats=[
            HeldSeat(ticket_id=one.id, ticket_type_id=one.ticket_type, seat=one.seat)
            for one in sorted(seats, key=lambda one: (len(one.seat), one.seat))
        ],
        total_cents=reservation.total_cents,
        currency=reservation.currency,
        expires_at=reservation.expires_at,
        status=reservation.state,
    )
