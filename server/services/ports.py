"""What the use cases need from the outside, as Protocols; the rows these speak of are in `server.services.rows`.

A Unit is one transaction of one tenant. Nothing in it can see or touch another tenant's rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from server.services.ports_keys import KeyCare, Keys
from server.services.ports_tickets import Tickets, Transfers
from server.services.rows import (
    ActorRef,
    EpochRow,
    EventRow,
    EventState,
    HandleRow,
    HistoryRow,
    KeyKind,
    OrderRow,
    Page,
    ReservationLine,
    ReservationRow,
    ReservationState,
    StoredAnswer,
    TenantKeyRow,
    TicketRow,
    TicketTypeRow,
    TransferRow,
    TransferState,
    VenueRow,
)
from shared.ids import EventId, ReservationId, TenantId, TicketTypeId, UserId

if TYPE_CHECKING:  # the gates' ports may in turn speak of the rows re-exported here
    from server.services.ports_gates import Conflicts, Feed, Gates, Outbox, Scans

__all__ = [
    "ActorRef",
    "Database",
    "EpochRow",
    "EventRow",
    "EventState",
    "Events",
    "HandleRow",
    "HistoryRow",
    "Idempotency",
    "KeyKind",
    "Keys",
    "OrderRow",
    "Orders",
    "Page",
    "ReservationLine",
    "ReservationRow",
    "ReservationState",
    "Stock",
    "StoredAnswer",
    "TenantKeyRow",
    "TicketRow",
    "TicketTypeRow",
    "Tickets",
    "TransferRow",
    "TransferState",
    "Transfers",
    "Unit",
    "VenueRow",
]


class Database(Protocol):
    """The tenant door."""

    def tenant(self, tenant: TenantId) -> AbstractAsyncContextManager[Unit]:
        """Open one transaction that sees this tenant's rows alone; it commits on a clean exit, else rolls back.

        Raises:
            Unavailable: the database is away, too slow, or two transactions blocked each other.
        """
        ...


class Unit(Protocol):
    """The stores of one transaction."""

    @property
    def tenant(self) -> TenantId:
        """Return whose transaction this is."""
        ...

    @property
    def events(self) -> Events: ...
    @property
    def stock(self) -> Stock: ...
    @property
    def orders(self) -> Orders: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def transfers(self) -> Transfers: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def key_care(self) -> KeyCare: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def scans(self) -> Scans: ...
    @property
    def conflicts(self) -> Conflicts: ...

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Open a part of the transaction that can fail alone."""
        ...

    def on_commit(self, action: Callable[[], None]) -> None:
        """Have something done once this transaction is durable, and only then; for caches."""
        ...


class Events(Protocol):
    """Tenants' events and venues."""

    async def add_tenant(self, name: str) -> None:
        """Make this transaction's tenant known; one that is known already stays as it is."""
        ...

    async def add_venue(self, venue: VenueRow) -> None:
        """Keep a venue; one with this id stays as it is."""
        ...

    async def add(self, event: EventRow) -> bool:
        """Keep a new event; return False if one with this id was there, and leave that alone."""
        ...

    async def get(self, event: EventId) -> EventRow | None:
        """Return an event in any state."""
        ...

    async def list_public(self, page: Page) -> list[EventRow]:
        """Return events that are no drafts, newest first."""
        ...

    async def raise_bundle_version(self, event: EventId) -> int:
        """Count the event's key bundle up by one and return the new number."""
        ...

    async def lock(self, event: EventId) -> EventRow | None:
        """Return an event as it is once nobody else is changing it, and lock it until the transaction ends."""
        ...

    async def raise_key_series(self, event: EventId) -> None:
        """Count the event's key series and its key bundle up by one."""
        ...

    async def announce_config(self, config: int) -> None:
        """Have the key bundles of all the tenant's events announce this config key, in a higher version each."""
        ...

    async def list_all(self, event: EventId | None = None) -> list[EventRow]:
        """Return the tenant's events in any state by id, or the one named."""
        ...


class Stock(Protocol):
    """Ticket types and how many are left."""

    async def add(self, ticket_type: TicketTypeRow) -> None:
        """Keep a ticket type; one with this id stays as it is."""
        ...

    async def get(self, ticket_type: TicketTypeId) -> TicketTypeRow | None:
        """Return a ticket type."""
        ...

    async def of_event(self, event: EventId) -> list[TicketTypeRow]:
        """Return an event's ticket types by product number."""
        ...

    async def lock(self, ticket_types: Sequence[TicketTypeId]) -> list[TicketTypeRow]:
        """Return these types and lock them until the transaction ends, always in the order of their ids."""
        ...

    async def hold(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from available to reserved; the type is locked by the caller."""
        ...

    async def release(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved back to available."""
        ...

    async def sell(self, ticket_type: TicketTypeId, quantity: int) -> None:
        """Move stock from reserved to sold."""
        ...


class Orders(Protocol):
    """Reservations and orders."""

    async def lock_user(self, event: EventId, user: UserId) -> None:
        """Let one transaction at a time count what this user holds of this event."""
        ...

    async def add_reservation(self, reservation: ReservationRow, lines: Sequence[ReservationLine]) -> None:
        """Keep a reservation and its lines."""
        ...

    async def get_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return a reservation without locking it."""
        ...

    async def lock_reservation(self, reservation: ReservationId) -> ReservationRow | None:
        """Return a reservation and lock it until the transaction ends."""
        ...

    async def lock_expired(self, event: EventId, now: datetime, limit: int) -> list[ReservationRow]:
        """Lock and return pending reservations of an event whose time is over, passing over those locked by others."""
        ...

    async def lines(self, reservations: Sequence[ReservationId]) -> list[tuple[ReservationId, ReservationLine]]:
        """Return the lines of reservations, each with whose it is, by reservation and ticket type."""
        ...

    async def set_state(self, reservation: ReservationId, state: ReservationState) -> None:
        """Change a locked reservation's state."""
        ...

    async def holds(self, event: EventId, user: UserId, now: datetime) -> bool:
        """Tell whether the user has a pending reservation of this event that is still good."""
        ...

    async def count_bought(self, event: EventId, user: UserId) -> int:
        """Return how many tickets of this event the user has bought so far."""
        ...

    async def add_order(self, order: OrderRow) -> None:
        """Keep an order.

        Raises:
            PaymentReused: the payment bought something already.
        """
        ...


class Idempotency(Protocol):
    """Answers kept so that repeating a call repeats its answer."""

    async def claim(self, user: UserId, operation: str, key: str) -> bool:
        """Take this call for the transaction; False when another transaction is at work on it right now."""
        ...

    async def get(self, user: UserId, operation: str, key: str) -> StoredAnswer | None:
        """Return the kept answer."""
        ...

    async def keep(self, user: UserId, operation: str, key: str, answer: StoredAnswer) -> None:
        """Keep an answer; it becomes visible together with the call's effect."""
        ...
