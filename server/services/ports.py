"""What the use cases need from the outside, as Protocols; the rows these speak of are in `server.services.rows`.

A Unit is one transaction of one tenant. Nothing in it can see or touch another tenant's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from server.services.ports_access import ApiKeys, Services, Supervisors
from server.services.ports_keys import KeyCare, Keys
from server.services.ports_people import People, Takeout
from server.services.ports_sales import Orders, Stock
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
from shared.ids import EventId, TenantId, UserId

if TYPE_CHECKING:  # the gates' ports may in turn speak of the rows re-exported here
    from server.services.ports_broker import BrokerWishes
    from server.services.ports_conflicts import Conflicts
    from server.services.ports_facts import Facts, Inbox
    from server.services.ports_fleet import Commands
    from server.services.ports_gates import Feed, Gates, Outbox, Scans
    from server.services.ports_live import Live, LookUp
    from server.services.ports_money import Refunds
    from server.services.ports_nft import Assets
    from server.services.ports_organiser import Endings, Imports, Organising
    from server.services.ports_staff import Audit, Staff
    from server.services.rows_nft import Standing

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
    def assets(self) -> Assets: ...
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
    def commands(self) -> Commands: ...
    @property
    def scans(self) -> Scans: ...
    @property
    def conflicts(self) -> Conflicts: ...
    @property
    def api_keys(self) -> ApiKeys: ...
    @property
    def services(self) -> Services: ...
    @property
    def supervisors(self) -> Supervisors: ...
    @property
    def organising(self) -> Organising: ...
    @property
    def endings(self) -> Endings: ...
    @property
    def imports(self) -> Imports: ...
    @property
    def broker(self) -> BrokerWishes: ...
    @property
    def facts(self) -> Facts: ...
    @property
    def inbox(self) -> Inbox: ...
    @property
    def staff(self) -> Staff: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def live(self) -> Live: ...
    @property
    def people(self) -> People: ...
    @property
    def takeout(self) -> Takeout: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def look_up(self) -> LookUp: ...

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

    async def state(self, event: EventId) -> EventState | None:
        """Return an event's state as it is at this moment, whoever may be about to change it."""
        ...

    async def hold_standing(self, event: EventId) -> Standing | None:
        """Return an event's state and what it wants of the chain, which nobody changes until the transaction ends.

        Others may hold it as well.
        """
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
