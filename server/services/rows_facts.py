"""What is kept of messages between programs: facts on their way out, messages that came in, and what payments said."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.services.payments import PaymentState
from shared.ids import ReservationId, TenantId


class FactRow(Struct, frozen=True, kw_only=True):
    """One domain event that waits to be published; ``payload`` is a JSON object, ``key`` its routing key.

    Facts about one ``subject`` are published in the order in which they were added.
    """

    message_id: UUID
    key: str
    subject: UUID
    payload: bytes
    occurred_at: datetime
    correlation_id: str | None = None


class QueuedFact(Struct, frozen=True, kw_only=True):
    """A fact as the publisher reads it; ``attempts`` is how often it was tried alone in vain."""

    id: int
    tenant: TenantId
    message_id: UUID
    key: str
    subject: UUID
    payload: bytes
    occurred_at: datetime
    correlation_id: str | None
    attempts: int


class ParkedFact(Struct, frozen=True, kw_only=True):
    """A fact that was given up, and the code of what was wrong with it."""

    message_id: UUID
    key: str
    problem: str
    parked_at: datetime


class WaitingFacts(Struct, frozen=True, kw_only=True):
    """How many facts wait to be published, and when the oldest of them happened."""

    waiting: int
    oldest: datetime | None


class InboxRow(Struct, frozen=True, kw_only=True):
    """A message that had its effect; ``body_hash`` tells it from another one under the same id."""

    message_id: str
    event: str
    body_hash: bytes
    outcome: str
    received_at: datetime


class PaymentRow(Struct, frozen=True, kw_only=True):
    """What the payment service told of one payment; ``told_at`` is its own time of the last word."""

    payment_id: str
    state: PaymentState
    amount_cents: int
    currency: str
    reservation: ReservationId | None
    told_at: datetime


class RefusedMessage(Struct, frozen=True, kw_only=True):
    """Why a message became a dead letter."""

    message_id: str
    queue: str
    key: str
    code: str
    reason: str
    refused_at: datetime
