"""What the stores hand out and take for organisers: zones, seats, an event's end, files of tickets."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from server.services.rows import TicketRow
from shared.ids import EventId, TenantId, TicketId, TicketTypeId, UserId
from shared.tickets.lifecycle import Actor, State


class TenantRow(Struct, frozen=True, kw_only=True):
    """An organiser."""

    id: TenantId
    name: str
    created_at: datetime


class ZoneRow(Struct, frozen=True, kw_only=True):
    """The name of one bit of an event's zone masks."""

    bit: int
    name: str


class SeatRow(Struct, frozen=True, kw_only=True):
    """A seat."""

    id: UUID
    event: EventId
    ticket_type: TicketTypeId
    label: str


class SeatState(Struct, frozen=True, kw_only=True):
    """A seat, and the ticket by which it can be had; None while it is somebody's."""

    id: UUID
    ticket_type: TicketTypeId
    label: str
    free: TicketId | None


class TicketFilter(Struct, frozen=True, kw_only=True):
    """Which of an event's tickets to list; what is None does not matter."""

    state: State | None = None
    ticket_type: TicketTypeId | None = None
    owner: UserId | None = None
    locked: bool | None = None
    external_id: str | None = None


class NamedTicket(Struct, frozen=True, kw_only=True):
    """A ticket, and the name it had where it was imported from."""

    ticket: TicketRow
    external_id: str | None


class EndingKind(StrEnum):
    """How an event ends."""

    CLOSE = "close"
    CANCEL = "cancel"


class EndingState(StrEnum):
    """How far the end is."""

    RUNNING = "running"
    DONE = "done"


class EndingRow(Struct, frozen=True, kw_only=True):
    """The end of an event: ``total`` tickets to go through, and how many became what so far."""

    event: EventId
    kind: EndingKind
    state: EndingState
    reason: str
    actor_kind: Actor
    actor_id: str
    source: str
    total: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    used: int = 0
    expired: int = 0
    cancelled: int = 0
    revoked: int = 0
    reservations: int = 0
    transfers: int = 0
    refunds: int = 0


class EndedRow(Struct, frozen=True, kw_only=True):
    """A ticket that ended with its event: what it was and became, and what is paid back for it."""

    ticket: TicketId
    ticket_type: TicketTypeId
    seat: str
    owner: UserId | None
    was: State
    state: State
    at: datetime
    payment_id: str | None
    amount_cents: int | None
    currency: str | None


class ImportState(StrEnum):
    """Where a file of tickets is: it is checked as a whole before its first ticket is made."""

    RECEIVING = "receiving"
    STAGED = "staged"
    HOLDING = "holding"
    """Its seats are being taken, portion by portion."""
    RELEASING = "releasing"
    """One of its seats was somebody's by then: what it took is being given back."""
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"


class ImportRow(Struct, frozen=True, kw_only=True):
    """A file of tickets and how far it is."""

    id: UUID
    event: EventId
    state: ImportState
    actor_id: str
    received: int
    known: int
    applied: int
    faults: int
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    held: int = 0


class StagedTicket(Struct, frozen=True, kw_only=True):
    """One row of a file that can be used; ``n`` is its number in the file, the header being row 1."""

    n: int
    external_id: str
    ticket_type: TicketTypeId
    holder_name: str
    seat: str
    owner: UserId | None
    valid_from: datetime | None
    valid_until: datetime | None

    def __repr__(self) -> str:
        """Keep the holder's name out of logs."""
        return f"StagedTicket(n={self.n})"


class ImportFault(Struct, frozen=True, kw_only=True):
    """Why one row of a file cannot be used."""

    n: int
    field: str
    code: str
    message: str


class ImportedTicket(Struct, frozen=True, kw_only=True):
    """Which ticket a row of a file has become."""

    event: EventId
    external_id: str
    ticket: TicketId
    import_id: UUID
