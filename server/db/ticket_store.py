"""Tickets, their handles and their history in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import ActorRef, HandleRow, HistoryRow, TicketRow
from server.services.rows_attendee import HeldTicket, Past, TicketSearch
from shared.ids import EventId, TicketId, TicketTypeId
from shared.problems import Internal
from shared.tickets.lifecycle import Actor, State

_SQL = load_statements("tickets.sql")


class TicketStore:
    """Implements ``server.services.ports.Tickets``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, tickets: Sequence[TicketRow]) -> None:
        """Keep new tickets."""
        await self._connection.execute(
            _SQL["add_tickets"],
            [one.id for one in tickets],
            [one.event for one in tickets],
            [one.ticket_type for one in tickets],
            [one.order for one in tickets],
            [one.owner for one in tickets],
            [one.holder_name for one in tickets],
            [one.seat for one in tickets],
            [one.state for one in tickets],
            [one.generation for one in tickets],
            [one.version for one in tickets],
            [one.valid_from for one in tickets],
            [one.valid_until for one in tickets],
            [one.master for one in tickets],
        )

    async def get(self, ticket: TicketId) -> TicketRow | None:
        """Return a ticket."""
        return read_optional(await self._connection.fetchrow(_SQL["get_ticket"], ticket), TicketRow)

    async def lock(self, ticket: TicketId) -> TicketRow | None:
        """Return and lock a ticket."""
        return read_optional(await self._connection.fetchrow(_SQL["lock_ticket"], ticket), TicketRow)

    async def get_all(self, tickets: Sequence[TicketId]) -> list[TicketRow]:
        """Return these tickets."""
        return [read_row(row, TicketRow) for row in await self._connection.fetch(_SQL["get_tickets"], tickets)]

    async def lock_free(self, seats: Sequence[TicketId]) -> list[TicketRow]:
        """Return and lock those of these seats that are free."""
        return [read_row(row, TicketRow) for row in await self._connection.fetch(_SQL["lock_free_seats"], seats)]

    async def pick_free(self, event: EventId, ticket_type: TicketTypeId, quantity: int) -> list[TicketRow]:
        """Return and lock the first free seats of a type."""
        rows = await self._connection.fetch(_SQL["pick_free_seats"], event, ticket_type, quantity)
        return [read_row(row, TicketRow) for row in rows]

    async def held(self, ticket: TicketId) -> HeldTicket | None:
        """Return a ticket as its owner's list shows it."""
        return read_optional(await self._connection.fetchrow(_SQL["held_ticket"], ticket), HeldTicket)

    async def search(self, search: TicketSearch) -> list[HeldTicket]:
        """Return a user's tickets."""
        place = (search.owner, search.event, search.below, search.skip, search.limit)
        if search.state is None:
            rows = await self._connection.fetch(_SQL["search_tickets"], *place)
        else:
            rows = await self._connection.fetch(_SQL["search_tickets_in_state"], *place, search.state)
        return [read_row(row, HeldTicket) for row in rows]

    async def past(self, ticket: TicketId) -> Past:
        """Return what a ticket's life had in it."""
        row = await self._connection.fetchrow(_SQL["past_of_ticket"], ticket)
        if row is None:
            raise Internal("The database gave no answer about a ticket's past.")
        return read_row(row, Past)

    async def step(self, before: TicketRow, after: TicketRow, now: datetime) -> bool:
        """Write ``after`` if the stored ticket still is ``before``."""
        status = await self._connection.execute(
            _SQL["step_ticket"],
            before.id,
            before.state,
            before.version,
            after.state,
            after.generation,
            after.owner,
            after.holder_name,
            after.seat,
            after.locked,
            after.valid_from,
            after.valid_until,
            now,
            after.master,
            after.order,
        )
        return status == "UPDATE 1"

    async def step_all(self, before: Sequence[TicketRow], after: Sequence[TicketRow], now: datetime) -> int:
        """Write each of ``after`` whose stored ticket still is ``before``."""
        status = await self._connection.execute(
            _SQL["step_tickets"],
            [one.id for one in before],
            [one.state for one in before],
            [one.version for one in before],
            [one.state for one in after],
            [one.generation for one in after],
            [one.order for one in after],
            [one.owner for one in after],
            [one.holder_name for one in after],
            [one.seat for one in after],
            [one.locked for one in after],
            [one.valid_from for one in after],
            [one.valid_until for one in after],
            [one.master for one in after],
            now,
        )
        return int(status.removeprefix("UPDATE "))

    async def add_handles(self, handles: Sequence[HandleRow]) -> None:
        """Keep the hashes of new generations."""
        await self._connection.execute(
            _SQL["add_handles"],
            [one.event for one in handles],
            [one.handle_hash for one in handles],
            [one.ticket for one in handles],
            [one.generation for one in handles],
            [one.master for one in handles],
        )

    async def find_handle(self, event: EventId, handle_hash: bytes) -> HandleRow | None:
        """Return which ticket and generation a hash stands for."""
        row = await self._connection.fetchrow(_SQL["find_handle"], event, handle_hash)
        return read_optional(row, HandleRow)

    async def add_history(self, rows: Sequence[HistoryRow]) -> None:
        """Keep steps of tickets' lives."""
        await self._connection.execute(
            _SQL["add_history"],
            [one.ticket for one in rows],
            [one.version for one in rows],
            [one.from_state for one in rows],
            [one.to_state for one in rows],
            [one.generation for one in rows],
            [one.actor.kind for one in rows],
            [one.actor.id for one in rows],
            [one.reason for one in rows],
            [one.source for one in rows],
            [one.at for one in rows],
        )

    async def history(self, ticket: TicketId) -> list[HistoryRow]:
        """Return a ticket's steps."""
        return [_read_step(row) for row in await self._connection.fetch(_SQL["history_of_ticket"], ticket)]

    async def steps_before(self, ticket: TicketId, version: int, limit: int) -> list[HistoryRow]:
        """Return a ticket's latest steps to versions below one."""
        rows = await self._connection.fetch(_SQL["steps_before"], ticket, version, limit)
        return [_read_step(row) for row in rows]


def _read_step(row: asyncpg.Record) -> HistoryRow:
    return HistoryRow(
        ticket=TicketId(row["ticket"]),
        version=row["version"],
        from_state=None if row["from_state"] is None else State(row["from_state"]),
        to_state=State(row["to_state"]),
        generation=row["generation"],
        actor=ActorRef(kind=Actor(row["actor_kind"]), id=row["actor_id"]),
        reason=row["reason"],
        source=row["source"],
        at=row["at"],
    )
