"""Reservations and orders in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.problems import PaymentReused, ReservationSpent
from server.services.rows import OrderRow, ReservationLine, ReservationRow, ReservationState, TicketRow
from server.services.rows_attendee import Sale
from shared.ids import EventId, ReservationId, TicketId, UserId

_SQL = load_statements("orders.sql")


class OrderStore:
    """Implements ``server.services.ports.Orders``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock_user(self, event: EventId, user: UserId) -> None:
        """Let one transaction at a time count what this user holds of this event."""
        await self._connection.execute(_SQL["lock_user"], event, user)

    async def add_reservation(self, reservation: ReservationRow, lines: Sequence[ReservationLine]) -> None:
        """Keep a reservation and its lines."""
        await self._connection.execute(
            _SQL["add_reservation"],
            reservation.id,
            reservation.event,
            reservation.user,
            reservation.state,
            reservation.total_cents,
            reservation.currency,
            reservation.expires_at,
        )
        await self._connection.execute(
            _SQL["add_reservation_lines"],
            reservation.id,
            [line.ticket_type for line in lines],
            [line.quantity for line in lines],
            [line.price_cents for line in lines],
        )

    async def get_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return a reservation."""
        row = await self._connection.fetchrow(_SQL["get_reservation"], reservation)
        return read_optional(row, ReservationRow)

    async def lock_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return and lock a reservation."""
        row = await self._connection.fetchrow(_SQL["lock_reservation"], reservation)
        return read_optional(row, ReservationRow)

    async def lock_expired(self, event: EventId, now: datetime, limit: int) -> list[ReservationRow]:
        """Lock and return reservations whose time is over."""
        rows = await self._connection.fetch(_SQL["lock_expired_reservations"], event, now, limit)
        return [read_row(row, ReservationRow) for row in rows]

    async def lines(self, reservations: Sequence[ReservationId]) -> list[tuple[ReservationId, ReservationLine]]:
        """Return the lines of reservations."""
        rows = await self._connection.fetch(_SQL["lines_of_reservations"], reservations)
        return [(ReservationId(row["reservation_id"]), read_row(row, ReservationLine)) for row in rows]

    async def add_seats(self, reservation: ReservationId, seats: Sequence[TicketId]) -> None:
        """Keep which seats a reservation holds."""
        await self._connection.execute(_SQL["add_reservation_seats"], reservation, seats)

    async def seats(self, reservations: Sequence[ReservationId]) -> list[TicketRow]:
        """Return and lock the seats of reservations."""
        rows = await self._connection.fetch(_SQL["seats_of_reservations"], reservations)
        return [read_row(row, TicketRow) for row in rows]

    async def seats_of(self, reservation: ReservationId) -> list[TicketRow]:
        """Return the seats a reservation has or had."""
        rows = await self._connection.fetch(_SQL["seats_of_reservation"], reservation)
        return [read_row(row, TicketRow) for row in rows]

    async def sale_of(self, ticket: TicketRow) -> Sale | None:
        """Return what was paid for a ticket."""
        row = await self._connection.fetchrow(_SQL["sale_of_ticket"], ticket.order, ticket.ticket_type)
        return read_optional(row, Sale)

    async def set_state(self, reservation: ReservationId, state: ReservationState) -> None:
        """Change a locked reservation's state."""
        await self._connection.execute(_SQL["set_reservation_state"], reservation, state)

    async def holds(self, event: EventId, user: UserId, now: datetime) -> bool:
        """Tell whether the user has a good pending reservation."""
        return bool(await self._connection.fetchval(_SQL["user_holds"], user, event, now))

    async def count_bought(self, event: EventId, user: UserId) -> int:
        """Return how many tickets of this event the user has bought and not given back."""
        return int(await self._connection.fetchval(_SQL["count_bought"], user, event))

    async def add_order(self, order: OrderRow) -> None:
        """Keep an order."""
        try:
            await self._connection.execute(
                _SQL["add_order"],
                order.id,
                order.reservation,
                order.user,
                order.payment_id,
                order.total_cents,
                order.currency,
                order.created_at,
            )
        except asyncpg.UniqueViolationError as exc:
            if exc.constraint_name == "orders_tenant_id_payment_id_key":
                raise PaymentReused("This payment has bought tickets already: pay anew.") from exc
            raise ReservationSpent("This reservation was bought already: look under your tickets.") from exc
