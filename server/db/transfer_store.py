"""Offers to hand tickets over, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.problems import TransferPending
from server.services.rows import TransferRow, TransferState
from server.services.rows_attendee import HandOvers, ListedTransfer, TransferSearch
from shared.ids import TicketId, TransferId, UserId

_SQL = load_statements("transfers.sql")


class TransferStore:
    """Implements ``server.services.ports.Transfers``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, transfer: TransferRow) -> None:
        """Keep an offer."""
        try:
            await self._connection.execute(
                _SQL["add_transfer"],
                transfer.id,
                transfer.ticket,
                transfer.from_user,
                transfer.recipient_email,
                transfer.message,
                transfer.state,
                transfer.expires_at,
                transfer.created_at,
            )
        except asyncpg.UniqueViolationError as exc:
            raise TransferPending("This ticket is on offer already: wait for the answer or take it back.") from exc

    async def get(self, transfer: TransferId) -> TransferRow | None:
        """Return an offer."""
        return read_optional(await self._connection.fetchrow(_SQL["get_transfer"], transfer), TransferRow)

    async def lock(self, transfer: TransferId) -> TransferRow | None:
        """Return and lock an offer."""
        return read_optional(await self._connection.fetchrow(_SQL["lock_transfer"], transfer), TransferRow)

    async def end_overdue(self, ticket: TicketId, now: datetime) -> None:
        """Mark a ticket's overdue offer expired."""
        await self._connection.execute(_SQL["end_overdue_transfer"], ticket, now)

    async def end(self, transfer: TransferRow, state: TransferState, to_user: UserId | None, now: datetime) -> None:
        """Change a locked offer's state for good."""
        await self._connection.execute(_SQL["end_transfer"], transfer.id, state, to_user, now)

    async def end_pending(self, ticket: TicketId, state: TransferState, now: datetime) -> None:
        """End a ticket's pending offer."""
        await self._connection.execute(_SQL["end_pending_transfer"], ticket, state, now)

    async def hand_overs(self, ticket: TicketId) -> HandOvers:
        """Return how often a ticket changed hands, and when it did last."""
        row = await self._connection.fetchrow(_SQL["hand_overs"], ticket)
        return read_optional(row, HandOvers) or HandOvers(times=0, last=None)

    async def sent(self, search: TransferSearch) -> list[ListedTransfer]:
        """Return the offers a user has made."""
        rows = await self._connection.fetch(_SQL["sent_transfers"], search.user, search.below, search.limit)
        return [read_row(row, ListedTransfer) for row in rows]

    async def received(self, search: TransferSearch) -> list[ListedTransfer]:
        """Return the offers made to a user's address or taken by them."""
        rows = await self._connection.fetch(
            _SQL["received_transfers"], search.user, search.email, search.below, search.limit
        )
        return [read_row(row, ListedTransfer) for row in rows]

    async def lock_sender(self, sender: UserId) -> None:
        """Let one transaction at a time count what this user has sent."""
        await self._connection.execute(_SQL["lock_sender"], sender)

    async def count_sent(self, sender: UserId, since: datetime) -> int:
        """Return how many offers a user has made since a moment."""
        return int(await self._connection.fetchval(_SQL["count_sent_transfers"], sender, since))
