"""What the use cases need of stored tickets and transfers, as Protocols; `server.services.ports` hands them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.services.rows import (
    HandleRow,
    HistoryRow,
    Page,
    TicketRow,
    TransferRow,
    TransferState,
)
from shared.ids import EventId, TicketId, TransferId, UserId


class Tickets(Protocol):
    """Tickets, their handles and their history."""

    async def add(self, tickets: Sequence[TicketRow]) -> None:
        """Keep new tickets."""
        ...

    async def get(self, ticket: TicketId) -> TicketRow | None:
        """Return a ticket without locking it."""
        ...

    async def lock(self, ticket: TicketId) -> TicketRow | None:
        """Return a ticket and lock it until the transaction ends."""
        ...

    async def list_of_owner(self, owner: UserId, event: EventId | None, page: Page) -> list[TicketRow]:
        """Return a user's tickets, newest first."""
        ...

    async def step(self, before: TicketRow, after: TicketRow, now: datetime) -> bool:
        """Write ``after`` if the stored ticket still has the state and version of ``before``; tell whether it had."""
        ...

    async def add_handles(self, handles: Sequence[HandleRow]) -> None:
        """Keep the hashes of new generations; known ones stay."""
        ...

    async def find_handle(self, event: EventId, handle_hash: bytes) -> HandleRow | None:
        """Return which ticket and generation a hash stands for."""
        ...

    async def add_history(self, rows: Sequence[HistoryRow]) -> None:
        """Keep steps of tickets' lives."""
        ...

    async def history(self, ticket: TicketId) -> list[HistoryRow]:
        """Return a ticket's steps, the first one first."""
        ...


class Transfers(Protocol):
    """Offers to hand tickets over."""

    async def add(self, transfer: TransferRow) -> None:
        """Keep an offer.

        Raises:
            TransferPending: the ticket is on offer already.
        """
        ...

    async def get(self, transfer: TransferId) -> TransferRow | None:
        """Return an offer without locking it."""
        ...

    async def lock(self, transfer: TransferId) -> TransferRow | None:
        """Return an offer and lock it until the transaction ends."""
        ...

    async def end_overdue(self, ticket: TicketId, now: datetime) -> None:
        """Mark a ticket's pending offer expired if its time is over."""
        ...

    async def end(self, transfer: TransferRow, state: TransferState, to_user: UserId | None, now: datetime) -> None:
        """Change a locked offer's state for good."""
        ...

    async def count_accepted(self, ticket: TicketId) -> int:
        """Return how often a ticket was handed over."""
        ...

    async def count_sent(self, sender: UserId, since: datetime) -> int:
        """Return how many offers a user has made since a moment."""
        ...
