"""What the use cases need to give money back, as a Protocol; its rows are in `server.services.rows_money`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from server.services.rows import Page
from server.services.rows_money import RefundRow, SaleRow
from shared.ids import EventId, TicketId


class Refunds(Protocol):
    """Sums that are to be given back, each once."""

    async def add(self, rows: Sequence[RefundRow]) -> set[UUID]:
        """Keep sums of one payment; return the ids of those that were not there, by ticket or by payment."""
        ...

    async def sales(self, tickets: Collection[TicketId]) -> list[SaleRow]:
        """Return what was paid for tickets; nothing for those that were free, given away, or reversed by a bank."""
        ...

    async def list(self, event: EventId | None, page: Page) -> list[RefundRow]:
        """Return what is to be given back, of one event or of all, the newest first."""
        ...

    async def settle(self, payment_id: str) -> None:
        """Note that nobody needs to look after a payment any more."""
        ...
