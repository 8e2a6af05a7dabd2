"""Ticket types and their stock in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import TicketTypeRow
from shared.ids import EventId, TicketTypeId

_SQL = load_statements("stock.sql")


class StockStore:
    """Implements ``server.services.ports.Stock``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, ticket_type: TicketTypeRow) -> None:
        """Keep a ticket type."""
        await self._connection.execute(
            _SQL["add_ticket_type"],
            ticket_type.id,
            ticket_type.event,
            ticket_type.product,
            ticket_type.name,
            ticket_type.price_cents,
            ticket_type.currency,
            ticket_type.zones,
            ticket_type.entries,
            ticket_type.code_policy,
            ticket_type.max_per_order,
            ticket_type.total,
            ticket_type.available,
            ticket_type.reserved,
            ticket_type.sold,
        )

    async def get(self, ticket_type: TicketTypeId) -> TicketTypeRow | None:
        """Return a ticket type."""
        return read_optional(await self._connection.fetchrow(_SQL["get_ticket_type"], ticket_type), TicketTypeRow)

    async def of_event(self, event: EventId) -> list[TicketTypeRow]:
        """Return an event's ticket types."""
        rows = await self._connection.fetch(_SQL["ticket_types_of_event"], event)
        return [read_row(row, TicketTypeRow) for row in rows]

    async def of_events(self, events: Sequence[EventId]) -> list[TicketTypeRow]:
        """Return the ticket types of several events."""
        rows = await self._connection.fetch(_SQL["ticket_types_of_events"], events)
        return [read_row(row, TicketTypeRow) for row in rows]

    async def lock(self, ticket_types: Sequence[TicketTypeId]) -> list[TicketTypeRow]:
        """Return and lock ticket types in the order of their ids."""
        rows = await self._connection.fetch(_SQL["lock_ticket_types"], ticket_types)
        return [read_row(row, TicketTypeRow) for row in rows]

    async def hold(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from available to reserved."""
        await self._connection.execute(_SQL["hold_stock"], ticket_type, quantity)

    async def release(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved to available."""
        await self._connection.execute(_SQL["release_stock"], ticket_type, quantity)

    async def sell(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved to sold."""
        await self._connection.execute(_SQL["sell_stock"], ticket_type, quantity)

    async def take_back(self, ticket_type: TicketTypeId, quantity: int, *, restock: bool) -> None:
        """Move stock from sold back to available, or take it away for good."""
        await self._connection.execute(_SQL["take_back_stock"], ticket_type, quantity, restock)
