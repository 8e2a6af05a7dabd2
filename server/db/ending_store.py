"""The end of events, batch by batch, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import Page, ReservationRow, TicketRow
from server.services.rows_organiser import EndedRow, EndingRow
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import State

_SQL = load_statements("endings.sql")


class EndingStore:
    """Implements ``server.services.ports_organiser.Endings``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, ending: EndingRow, states: Collection[State]) -> None:
        """Begin an ending."""
        await self._connection.execute(
            _SQL["add_ending"],
            ending.event,
            ending.kind,
            ending.reason,
            ending.actor_kind,
            ending.actor_id,
            ending.source,
            sorted(states),
            ending.started_at,
        )

    async def get(self, event: EventId) -> EndingRow | None:
        """Return how far an event's end is."""
        return read_optional(await self._connection.fetchrow(_SQL["get_ending"], event), EndingRow)

    async def take(self, event: EventId) -> EndingRow | None:
        """Take a running ending for this transaction."""
        return read_optional(await self._connection.fetchrow(_SQL["take_ending"], event), EndingRow)

    async def write(self, ending: EndingRow) -> None:
        """Keep how far it is."""
        await self._connection.execute(
            _SQL["write_ending"],
            ending.event,
            ending.state,
            ending.used,
            ending.expired,
            ending.cancelled,
            ending.revoked,
            ending.reservations,
            ending.transfers,
            ending.refunds,
            ending.updated_at,
            ending.finished_at,
        )

    async def lock_pending(self, event: EventId, limit: int) -> list[ReservationRow]:
        """Lock unpaid reservations."""
        rows = await self._connection.fetch(_SQL["lock_pending_reservations"], event, limit)
        return [read_row(row, ReservationRow) for row in rows]

    async def lock_tickets(self, event: EventId, states: Collection[State], limit: int) -> list[TicketRow]:
        """Lock tickets that are in one of these states."""
        rows = await self._connection.fetch(_SQL["lock_tickets_to_end"], event, sorted(states), limit)
        return [read_row(row, TicketRow) for row in rows]

    async def ended(self, event: EventId, source: str, page: Page) -> list[EndedRow]:
        """Return tickets that ended with their event."""
        rows = await self._connection.fetch(_SQL["ended_tickets"], event, source, page.after, page.limit)
        return [read_row(row, EndedRow) for row in rows]

    async def reached(self, tickets: Sequence[TicketId], state: State) -> set[TicketId]:
        """Return those of the tickets that were in a state at some time."""
        rows = await self._connection.fetch(_SQL["reached_state"], tickets, state)
        return {TicketId(row["ticket_id"]) for row in rows}
