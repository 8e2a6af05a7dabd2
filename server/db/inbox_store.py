"""Messages that had their effect, and what payments they told of, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import OrderRow, TicketRow
from server.services.rows_facts import InboxRow, PaymentRow
from shared.ids import OrderId, ReservationId

_SQL = load_statements("inbox.sql")


class InboxStore:
    """Implements ``server.services.ports_facts.Inbox``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tenant_exists(self) -> bool:
        """Tell whether the transaction's tenant is one of ours."""
        return bool(await self._connection.fetchval(_SQL["tenant_exists"]))

    async def claim(self, message_id: str) -> bool:
        """Take a message for the transaction."""
        return bool(await self._connection.fetchval(_SQL["claim"], message_id))

    async def get(self, message_id: str) -> InboxRow | None:
        """Return a message that had its effect."""
        return read_optional(await self._connection.fetchrow(_SQL["get"], message_id), InboxRow)

    async def keep(self, message: InboxRow) -> None:
        """Remember a message."""
        await self._connection.execute(
            _SQL["keep"], message.message_id, message.event, message.body_hash, message.outcome, message.received_at
        )

    async def lock_payment(self, payment_id: str) -> PaymentRow | None:
        """Return a payment and lock it, or its absence."""
        await self._connection.execute(_SQL["lock_payment"], payment_id)
        return await self.get_payment(payment_id)

    async def get_payment(self, payment_id: str) -> PaymentRow | None:
        """Return a payment."""
        return read_optional(await self._connection.fetchrow(_SQL["get_payment"], payment_id), PaymentRow)

    async def keep_payment(self, payment: PaymentRow, now: datetime) -> None:
        """Keep what a payment is now."""
        await self._connection.execute(
            _SQL["keep_payment"],
            payment.payment_id,
            payment.state,
            payment.amount_cents,
            payment.currency,
            payment.reservation,
            payment.told_at,
            now,
        )

    async def order(self, order: OrderId) -> OrderRow | None:
        """Return an order."""
        return read_optional(await self._connection.fetchrow(_SQL["order"], order), OrderRow)

    async def order_of(self, reservation: ReservationId) -> OrderRow | None:
        """Return the order a reservation became."""
        return read_optional(await self._connection.fetchrow(_SQL["order_of"], reservation), OrderRow)

    async def order_paid_with(self, payment_id: str) -> OrderRow | None:
        """Return the order a payment bought."""
        return read_optional(await self._connection.fetchrow(_SQL["order_paid_with"], payment_id), OrderRow)

    async def lock_tickets(self, order: OrderId) -> list[TicketRow]:
        """Return an order's tickets and lock them."""
        return [read_row(row, TicketRow) for row in await self._connection.fetch(_SQL["lock_tickets"], order)]
