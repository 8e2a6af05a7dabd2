"""What the use cases need of stock, reservations and orders, as Protocols; `server.services.ports` hands them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.services.rows import (
    OrderRow,
    ReservationLine,
    ReservationRow,
    ReservationState,
    TicketRow,
    TicketTypeRow,
)
from server.services.rows_attendee import Sale
from shared.ids import EventId, ReservationId, TicketId, TicketTypeId, UserId


class Stock(Protocol):
    """Ticket types and how many are left."""

    async def add(self, ticket_type: TicketTypeRow) -> None:
        """Keep a ticket type; one with this id stays as it is."""
        ...

    async def get(self, ticket_type: TicketTypeId) -> TicketTypeRow | None:
        """Return a ticket type."""
        ...

    async def of_event(self, event: EventId) -> list[TicketTypeRow]:
        """Return an event's ticket types by product number."""
        ...

    async def of_events(self, events: Sequence[EventId]) -> list[TicketTypeRow]:
        """Return the ticket types of several events, each event's by product number."""
        ...

    async def lock(self, ticket_types: Sequence[TicketTypeId]) -> list[TicketTypeRow]:
        """Return these types and lock them until the transaction ends, always in the order of their ids."""
        ...

    async def hold(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from available to reserved; the type is locked by the caller."""
        ...

    async def release(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved back to available."""
        ...

    async def sell(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved to sold."""
        ...

    async def take_back(self, ticket_type: TicketTypeId, quantity: int, *, restock: bool) -> None:
        """Move stock from sold back to available, or take it away for good without ``restock``."""
        ...


class Orders(Protocol):
    """Reservations and orders."""

    async def lock_user(self, event: EventId, user: UserId) -> None:
        """Let one transaction at a time count what this user holds of this event."""
        ...

    async def add_reservation(self, reservation: ReservationRow, lines: Sequence[ReservationLine]) -> None:
        """Keep a reservation and its lines."""
        ...

    async def get_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return a reservation without locking it."""
        ...

    async def lock_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return a reservation and lock it until the transaction ends."""
        ...

    async def lock_expired(self, event: EventId, now: datetime, limit: int) -> list[ReservationRow]:
        """Lock and return pending reservations of an event whose time is over, passing over those locked by others."""
        ...

    async def lines(self, reservations: Sequence[ReservationId]) -> list[tuple[ReservationId, ReservationLine]]:
        """Return the lines of reservations, each with whose it is, by reservation and ticket type."""
        ...

    async def add_seats(self, reservation: ReservationId, seats: Sequence[TicketId]) -> None:
        """Keep which seats a reservation holds."""
        ...

    async def seats(self, reservations: Sequence[ReservationId]) -> list[TicketRow]:
        """Return the seats that locked pending reservations hold, and lock them in the order of their ids."""
        ...

    async def seats_of(self, reservation: ReservationId) -> list[TicketRow]:
        """Return the seats a reservation has or had, as they are now, by label."""
        ...

    async def sale_of(self, ticket: TicketRow) -> Sale | None:
        """Return what was paid for a ticket; None for one that was given away."""
        ...

    async def set_state(self, reservation: ReservationId, state: ReservationState) -> None:
        """Change a locked reservation's state."""
        ...

    async def holds(self, event: EventId, user: UserId, now: datetime) -> bool:
        """Tell whether the user has a pending reservation of this event that is still good."""
        ...

    async def count_bought(self, event: EventId, user: UserId) -> int:
        """Return how many tickets of this event the user has bought so far and not given back."""
        ...

    async def add_order(self, order: OrderRow) -> None:
        """Keep an order.

        Raises:
            PaymentReused: the payment bought something already.
        """
        ...
