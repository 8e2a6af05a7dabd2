"""What the use cases need for messages between programs, as Protocols; their rows are in `server.services.rows_facts`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.rows import OrderRow, TicketRow
from server.services.rows_facts import (
    FactRow,
    InboxRow,
    ParkedFact,
    PaymentRow,
    QueuedFact,
    RefusedMessage,
    WaitingFacts,
)
from shared.ids import OrderId, ReservationId


class Facts(Protocol):
    """What other programs are told once this transaction is durable."""

    async def add(self, facts: Sequence[FactRow]) -> None:
        """Queue facts in this order."""
        ...


class Inbox(Protocol):
    """Messages of this tenant that had their effect, and what payments they told of."""

    async def tenant_exists(self) -> bool:
        """Tell whether the transaction's tenant is one of ours."""
        ...

    async def claim(self, message_id: str) -> bool:
        """Take a message for the transaction; False when another transaction is at work on it right now."""
        ...

    async def get(self, message_id: str) -> InboxRow | None:
        """Return a message that had its effect."""
        ...

    async def keep(self, message: InboxRow) -> None:
        """Remember a message; it becomes visible together with its effect."""
        ...

    async def lock_payment(self, payment_id: str) -> PaymentRow | None:
        """Return a payment and lock it, or its absence, until the transaction ends."""
        ...

    async def get_payment(self, payment_id: str) -> PaymentRow | None:
        """Return a payment."""
        ...

    async def keep_payment(self, payment: PaymentRow, now: datetime) -> None:
        """Keep what a payment is now; ``now`` counts for one that was not known."""
        ...

    async def order(self, order: OrderId) -> OrderRow | None:
        """Return an order."""
        ...

    async def order_of(self, reservation: ReservationId) -> OrderRow | None:
        """Return the order a reservation became."""
        ...

    async def order_paid_with(self, payment_id: str) -> OrderRow | None:
        """Return the order a payment bought."""
        ...

    async def lock_tickets(self, order: OrderId) -> list[TicketRow]:
        """Return an order's tickets and lock them in the order of their ids."""
        ...


class PublisherSession(Protocol):
    """One database session on which a publisher leads and works; its leadership ends with the session."""

    async def lead(self) -> bool:
        """Try to become the one publisher of this database, or stay it; return whether this session is."""
        ...

    async def waiting(self, now: datetime, limit: int) -> list[QueuedFact]:
        """Return facts to publish, oldest first; none whose subject has an earlier one that waits for another try."""
        ...

    async def published(self, ids: Collection[int]) -> None:
        """Forget facts that the broker has confirmed."""
        ...

    async def postpone(self, fact: int, retry_at: datetime, problem: str) -> None:
        """Count a try in vain and name the time of the next."""
        ...

    async def park(self, fact: int, now: datetime, problem: str) -> None:
        """Give a fact up; it stays until a person decides."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            Unavailable: the session is lost.
        """
        ...


OpenPublisherSession = Callable[[], AbstractAsyncContextManager[PublisherSession]]
"""Opens a session of its own for a publisher."""


class Refusals(Protocol):
    """Why messages became dead letters, and facts that were given up; across tenants."""

    async def refuse(self, message: RefusedMessage) -> None:
        """Remember why a message is refused; a later reason for the same message replaces it."""
        ...

    async def refusals(self, message_ids: Collection[str]) -> list[RefusedMessage]:
        """Return what is known of these messages."""
        ...

    async def forget(self, before: datetime) -> None:
        """Delete reasons, and messages that had their effect, from before a moment."""
        ...

    async def waiting(self) -> WaitingFacts:
        """Return how many facts wait to be published, and since when."""
        ...

    async def count_parked(self) -> int:
        """Return how many facts were given up."""
        ...

    async def parked(self, limit: int) -> list[ParkedFact]:
        """Return facts that were given up, oldest first."""
        ...

    async def release_parked(self, message_ids: Collection[UUID] | None) -> int:
        """Queue facts again that were given up, all with None; return how many there were."""
        ...


class RefusalUnit(Protocol):
    """One transaction across tenants."""

    @property
    def refusals(self) -> Refusals:
        """Return its store."""
        ...


class RefusalDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[RefusalUnit]:
        """Open one transaction across tenants."""
        ...
