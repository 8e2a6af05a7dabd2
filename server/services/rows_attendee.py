"""What the stores hand out and take for attendees: their tickets as a list shows them, both sides of transfers, what was paid."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.services.rows import TransferState
from shared.ids import EventId, TicketId, TicketTypeId, TransferId, UserId
from shared.tickets.lifecycle import State

TOP = UUID(int=2**128 - 1)
"""Above every id."""


class TicketSearch(Struct, frozen=True, kw_only=True):
    """Which of an owner's tickets, newest first: ids below ``below``, leaving out ``skip`` of them."""

    owner: UserId
    event: EventId | None = None
    state: State | None = None
    below: UUID = TOP
    skip: int = 0
    limit: int


class HeldTicket(Struct, frozen=True, kw_only=True):
    """A ticket with what its event and its type say of it, and what its codes are made with."""

    id: TicketId
    event: EventId
    event_name: str
    ticket_type: TicketTypeId
    ticket_type_name: str
    state: State
    locked: bool
    seat: str
    valid_from: datetime | None
    valid_until: datetime | None
    doors: datetime
    starts: datetime
    ends: datetime
    master: int
    generation: int


class TransferSearch(Struct, frozen=True, kw_only=True):
    """Which of somebody's transfers, newest first: ids below ``below``."""

    user: UserId
    email: str | None
    below: UUID = TOP
    limit: int

    def __repr__(self) -> str:
        """Keep the address out of logs."""
        return f"TransferSearch(user={self.user})"


class ListedTransfer(Struct, frozen=True, kw_only=True):
    """A transfer with the names of what is handed over."""

    id: TransferId
    ticket: TicketId
    event: EventId
    event_name: str
    ticket_type_name: str
    recipient_email: str
    message: str
    state: TransferState
    expires_at: datetime
    created_at: datetime
    ended_at: datetime | None

    def __repr__(self) -> str:
        """Keep the address and the message out of logs."""
        return f"ListedTransfer(id={self.id}, ticket={self.ticket}, state={self.state})"


class HandOvers(Struct, frozen=True, kw_only=True):
    """How often a ticket changed hands, and when it did last."""

    times: int
    last: datetime | None


class Sale(Struct, frozen=True, kw_only=True):
    """What was paid for one ticket, and by which payment; ``payment_id`` is None where nothing was."""

    payment_id: str | None
    amount_cents: int
    currency: str


class Past(Struct, frozen=True, kw_only=True):
    """What a ticket's life had in it: whether somebody went in with it, and whether it was minted."""

    entered: bool
    minted: bool
