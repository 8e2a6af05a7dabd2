"""Tickets, their handles and their history in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import ActorRef, HandleRow, HistoryRow, Page, TicketRow
from shared.ids import EventId, TicketId, UserId
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

    async def list_of_owner(self, owner: UserId, event: EventId | None, page: Page) -> list[TicketRow]:
        """Return a user's tickets."""
        rows = await self._connection.fetch(_SQL["tickets_of_owner"], owner, event, page.after, page.limit)
        return [read_row(row, TicketRow) for row in rows]

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
        )
        return status == "UPDATE 1"

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
