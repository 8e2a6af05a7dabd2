"""What the use cases need of stored tickets and transfers, as Protocols; `server.services.ports` hands them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from server.services.rows import (
    HandleRow,
    HistoryRow,
    TicketRow,
    TransferRow,
    TransferState,
)
from server.services.rows_attendee import HandOvers, HeldTicket, ListedTransfer, Past, TicketSearch, TransferSearch
from shared.ids import EventId, TicketId, TicketTypeId, TransferId, UserId


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

    async def get_all(self, tickets: Sequence[TicketId]) -> list[TicketRow]:
        """Return these tickets without locking them, in the order of their ids."""
        ...

    async def lock_free(self, seats: Sequence[TicketId]) -> list[TicketRow]:
        """Return and lock those of these seats that are free, in the order of their ids; pass over what others hold."""
        ...

    async def pick_free(self, event: EventId, ticket_type: TicketTypeId, quantity: int) -> list[TicketRow]:
        """Return and lock up to so many free seats of a type, the first ones first; pass over what others hold."""
        ...

    async def held(self, ticket: TicketId) -> HeldTicket | None:
        """Return a ticket as its owner's list shows it."""
        ...

    async def search(self, search: TicketSearch) -> list[HeldTicket]:
        """Return a user's tickets, newest first."""
        ...

    async def past(self, ticket: TicketId) -> Past:
        """Return what a ticket's life had in it."""
        ...

    async def step(self, before: TicketRow, after: TicketRow, now: datetime) -> bool:
        """Write ``after`` if the stored ticket still has the state and version of ``before``; tell whether it had."""
        ...

    async def step_all(self, before: Sequence[TicketRow], after: Sequence[TicketRow], now: datetime) -> int:
        """Write each of ``after`` whose stored ticket still has the state and version of ``before``; return how many had."""
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

    async def steps_before(self, ticket: TicketId, version: int, limit: int) -> list[HistoryRow]:
        """Return a ticket's steps to versions below one, the latest first."""
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

    async def end_pending(self, ticket: TicketId, state: TransferState, now: datetime) -> None:
        """End a ticket's pending offer, if there is one."""
        ...

    async def hand_overs(self, ticket: TicketId) -> HandOvers:
        """Return how often a ticket changed hands, and when it did last."""
        ...

    async def sent(self, search: TransferSearch) -> list[ListedTransfer]:
        """Return the offers a user has made, newest first."""
        ...

    async def received(self, search: TransferSearch) -> list[ListedTransfer]:
        """Return the offers made to a user's address or taken by them, newest first; none that somebody else took."""
        ...

    async def lock_sender(self, sender: UserId) -> None:
        """Let one transaction at a time count what this user has sent."""
        ...

    async def count_sent(self, sender: UserId, since: datetime) -> int:
        """Return how many offers a user has made since a moment."""
        ...
