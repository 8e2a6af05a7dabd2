"""Delivery of committed facts to and from other programs, as a Protocol, and the envelope they travel in.

Everything is at least once: a message may come again, and whoever handles it knows it by its id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import Never, Protocol
from uuid import UUID

from msgspec import Raw, Struct

from shared.ids import TenantId
from shared.problems import Unavailable


class MessageRefused(Unavailable):
    """The bus answers and does not take this one message now; others may get through."""


def is_in_calendar(moment: datetime) -> bool:
    """Tell whether a moment still has a date once it is told in UTC; offsets reach a day beyond the first and last year."""
    try:
        return moment.astimezone(UTC).tzinfo is UTC
    except OverflowError:
        return False


class TicketFact(StrEnum):
    """What happened to a ticket, as other programs hear of it; the value is the routing key."""

    CREATED = "ticket.created"
    RESERVED = "ticket.reserved"
    PURCHASED = "ticket.purchased"
    TRANSFERRED = "ticket.transferred"
    CHECKED_IN = "ticket.checked_in"
    REFUNDED = "ticket.refunded"
    REVOKED = "ticket.revoked"
    EXPIRED = "ticket.expired"


class Envelope(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What every domain event looks like on the wire, as JSON."""

    event: str
    """The routing key, such as ``ticket.created``."""
    id: UUID
    timestamp: datetime
    tenant_id: TenantId
    payload: Raw
    """A JSON object whose form belongs to the event."""
    correlation_id: str | None = None


class Posting(Struct, frozen=True, kw_only=True):
    """One message on its way out."""

    exchange: str
    key: str
    message_id: str
    body: bytes
    must_route: bool = False
    """Refuse the message when no queue would take it."""
    trace: str | None = None
    """Which request or message brought it about; a broker that has headers carries it there."""


class Arrived(Struct, frozen=True, kw_only=True):
    """One message that came in."""

    queue: str
    key: str
    """The routing key it was first published with."""
    message_id: str
    """The sender's; for a sender that gives none, made from the body's SHA-256."""
    body: bytes
    attempt: int
    """1 the first time."""
    sender: str | None = None
    """The account it was published with, where the sender named it and the broker made sure of it."""


class Outcome(Enum):
    """What became of a message."""

    DONE = "done"
    AGAIN = "again"
    """It may work later; after too many attempts the message is dead."""
    DEAD = "dead"
    """It can never work."""


Handler = Callable[[Arrived], Awaitable[Outcome]]
"""Handles one message; an exception counts as `Outcome.AGAIN`."""


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that could not be handled, kept for a person to decide."""

    message_id: str
    queue: str
    """The queue it died in, to which a replay returns it."""
    key: str
    reason: str
    """``rejected`` or ``delivery_limit``, in the broker's words."""
    died: datetime | None
    body: bytes


class Bus(Protocol):
    """Messages between programs, durable in the broker's keeping once they are taken."""

    async def check(self) -> None:
        """Return if messages can be posted now; connects if it has to.

        Raises:
            Unavailable: the broker is away.
            Denied: this account may not declare what this program needs.
            Conflict: the broker has it in another form.
        """
        ...

    async def post(self, posting: Posting) -> None:
        """Return once the broker has taken the message; it may have taken it twice.

        Raises:
            Unavailable: it was not taken: the broker is away, the queue full, or a queue that must exist does not.
            Denied: this account may not publish there.
        """
        ...

    async def publish(self, envelope: Envelope) -> None:
        """Post a domain event to whoever has asked for such events, possibly nobody.

        Raises:
            Unavailable: the broker has not taken it.
            Denied: this account may not publish there.
        """
        ...

    async def consume(self, queue: str, handler: Handler) -> Never:
        """Hand a queue's messages to the handler, up to ten at a time, until cancelled; reconnect as often as it takes.

        A message whose handling is cut short comes again.

        Raises:
            Denied: this account may not read there.
            Conflict: the broker's queue is not as this program needs it.
        """
        ...

    async def list_dead(self, limit: int) -> list[DeadLetter]:
        """Return up to ``limit`` dead letters, oldest first, and leave them where they are.

        Raises:
            Unavailable: the broker is away.
        """
        ...

    async def replay_dead(self, ids: Collection[str] | None) -> int:
        """Return dead letters to the queues they died in, all with None, and tell how many there were.

        Raises:
            Unavailable: the broker is away; what was not returned is still a dead letter.
        """
        ...
