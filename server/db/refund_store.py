"""Sums that are to be given back, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows import Page
from server.services.rows_money import RefundRow, SaleRow
from shared.ids import EventId, TicketId

_SQL = load_statements("refunds.sql")


class RefundStore:
    """Implements ``server.services.ports_money.Refunds``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, rows: Sequence[RefundRow]) -> set[UUID]:
        """Keep sums of one payment."""
        first = rows[0]
        kept = await self._connection.fetch(
            _SQL["add"],
            [one.id for one in rows],
            [one.ticket for one in rows],
            [one.amount_cents for one in rows],
            first.payment_id,
            first.event,
            first.order,
            first.reservation,
            first.currency,
            first.reason,
            first.at,
        )
        return {row["id"] for row in kept}

    async def sales(self, tickets: Collection[TicketId]) -> list[SaleRow]:
        """Return what was paid for tickets."""
        return [read_row(row, SaleRow) for row in await self._connection.fetch(_SQL["sales"], list(tickets))]

    async def list(self, event: EventId | None, page: Page) -> list[RefundRow]:
        """Return what is to be given back."""
        rows = await self._connection.fetch(_SQL["list"], event, page.after, page.limit)
        return [read_row(row, RefundRow) for row in rows]

    async def settle(self, payment_id: str) -> None:
        """Note that nobody needs to look after a payment any more."""
        await self._connection.execute(_SQL["settle"], payment_id)
