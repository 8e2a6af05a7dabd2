"""What organisers shape, in PostgreSQL: events, ticket types, zones, seats, and lists of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows import EventRow, Page, TicketRow, TicketTypeRow
from server.services.rows_organiser import NamedTicket, SeatRow, SeatState, TenantRow, TicketFilter, ZoneRow
from shared.ids import EventId, TicketId, TicketTypeId

_SQL = load_statements("organiser.sql")


class OrganiserStore:
    """Implements ``server.services.ports_organiser.Organising``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get_tenant(self) -> TenantRow | None:
        """Return this transaction's tenant."""
        rows = await self._connection.fetch(_SQL["get_tenant"])
        return read_row(rows[0], TenantRow) if rows else None

    async def list_events(self, page: Page) -> list[EventRow]:
        """Return events in any state."""
        rows = await self._connection.fetch(_SQL["list_all_events"], page.after, page.limit)
        return [read_row(row, EventRow) for row in rows]

    async def change_event(self, event: EventRow, *, tell_gates: bool) -> None:
        """Write an event as it is to be; its version counts up."""
        await self._connection.execute(
            _SQL["change_event"],
            event.id,
            event.name,
            event.state,
            event.policy,
            event.sale_starts,
            event.sale_ends,
            event.max_per_user,
            event.reveal_at,
            int(tell_gates),
            event.transfer_rules,
            event.refund_rules,
            event.nft,
        )

    async def change_type(self, ticket_type: TicketTypeRow) -> None:
        """Write a ticket type as it is to be; its version counts up."""
        await self._connection.execute(
            _SQL["change_ticket_type"],
            ticket_type.id,
            ticket_type.name,
            ticket_type.price_cents,
            ticket_type.zones,
            ticket_type.entries,
            ticket_type.code_policy,
            ticket_type.max_per_order,
            ticket_type.total,
            ticket_type.available,
        )

    async def mark_seated(self, ticket_type: TicketTypeId) -> None:
        """Make a new ticket type one of seats."""
        await self._connection.execute(_SQL["mark_seated"], ticket_type)

    async def add_stock(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Put new places on sale."""
        await self._connection.execute(_SQL["move_stock"], ticket_type, quantity, quantity, 0, 0)

    async def sell_free(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from available to sold."""
        await self._connection.execute(_SQL["move_stock"], ticket_type, 0, -quantity, 0, quantity)

    async def add_zone(self, event: EventId, zone: ZoneRow) -> bool:
        """Name a bit."""
        return await self._connection.fetchval(_SQL["add_zone"], event, zone.bit, zone.name) is not None

    async def rename_zone(self, event: EventId, zone: ZoneRow) -> bool:
        """Give a bit another name."""
        return await self._connection.fetchval(_SQL["rename_zone"], event, zone.bit, zone.name) is not None

    async def zones(self, event: EventId) -> list[ZoneRow]:
        """Return the names of an event's zones."""
        return [read_row(row, ZoneRow) for row in await self._connection.fetch(_SQL["zones_of_event"], event)]

    async def add_seats(self, seats: Sequence[SeatRow]) -> set[str]:
        """Keep seats of one type."""
        first = seats[0]
        rows = await self._connection.fetch(
            _SQL["add_seats"], first.event, first.ticket_type, [one.id for one in seats], [one.label for one in seats]
        )
        return {row["label"] for row in rows}

    async def rename_seat(self, event: EventId, label: str, new: str) -> bool:
        """Give a seat another label."""
        return await self._connection.fetchval(_SQL["rename_seat"], event, label, new) is not None

    async def drop_seat(self, event: EventId, label: str) -> None:
        """Forget a seat."""
        await self._connection.execute(_SQL["drop_seat"], event, label)

    async def seats(self, event: EventId, ticket_type: TicketTypeId | None, page: Page) -> list[SeatState]:
        """Return seats and whether they are free."""
        rows = await self._connection.fetch(_SQL["seats_of_event"], event, ticket_type, page.after, page.limit)
        return [read_row(row, SeatState) for row in rows]

    async def list_tickets(self, event: EventId, wanted: TicketFilter, page: Page) -> list[NamedTicket]:
        """Return an event's tickets."""
        rows = await self._connection.fetch(
            _SQL["tickets_of_event"],
            event,
            wanted.state,
            wanted.ticket_type,
            wanted.owner,
            wanted.locked,
            wanted.external_id,
            page.after,
            page.limit,
        )
        return [NamedTicket(ticket=read_row(row, TicketRow), external_id=row["external_id"]) for row in rows]

    async def external_id(self, ticket: TicketId) -> str | None:
        """Return under which name a ticket was imported."""
        name: str | None = await self._connection.fetchval(_SQL["external_id"], ticket)
        return name

    async def end_offers(self, tickets: Sequence[UUID], now: datetime) -> int:
        """Take back pending offers of these tickets."""
        return len(await self._connection.fetch(_SQL["end_offers"], tickets, now))
