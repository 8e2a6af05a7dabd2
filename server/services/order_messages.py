"""What other programs tell this one, read once at the edge: payments that were made or failed, orders that were cancelled.

The forms are documented in docs/reference/messages.md.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from server.services.ports_bus import Envelope
from shared.ids import OrderId, ReservationId
from shared.problems import InputUnusable

NO_CURRENCY = "XXX"
"""ISO 4217's own code for none."""

PaymentId = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[!-~]+$")]
Cents = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
Note = Annotated[str, Meta(max_length=500)]


class PaymentCompleted(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Money was taken, for a reservation if it names one."""

    payment_id: PaymentId
    amount_cents: Cents
    currency: Currency
    reservation_id: ReservationId | None = None


class PaymentFailed(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """No money was taken. The note is for people and is not kept."""

    payment_id: PaymentId
    amount_cents: Cents = 0
    currency: Currency = NO_CURRENCY
    reservation_id: ReservationId | None = None
    note: Note | None = None


class OrderCancelled(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Somebody else cancelled an order of ours, or a reservation before it became one."""

    order_id: OrderId | None = None
    reservation_id: ReservationId | None = None
    note: Note | None = None

    def __post_init__(self) -> None:
        """Refuse a message about nothing."""
        if (self.order_id is None) == (self.reservation_id is None):
            raise ValueError("name either orderId or reservationId")


Told = PaymentCompleted | PaymentFailed | OrderCancelled

FORMS: dict[str, type[Told]] = {
    "payment.completed": PaymentCompleted,
    "payment.failed": PaymentFailed,
    "order.cancelled": OrderCancelled,
}


class MessageMalformed(InputUnusable):
    """A message does not have the form its kind has."""

    code = "message_malformed"


class Message(Struct, frozen=True, kw_only=True):
    """One message: its id for recognising it again, what it tells, and when its sender says that was."""

    id: str
    event: str
    told: Told
    at: datetime
    body_hash: bytes
    correlation_id: str | None


def read_message(envelope: Envelope) -> Message:
    """Return the message in an envelope.

    Raises:
        MessageMalformed: nothing this program knows, or not in the form documented.
    """
    form = FORMS.get(envelope.event)
    if form is None:
        raise MessageMalformed(f"Messages of the kind {envelope.event[:40]!r} mean nothing here.")
    try:
        told: Told = msgspec.json.decode(envelope.payload, type=form)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError) as exc:
        # The decoder names the field; it never quotes what was in it.
        raise MessageMalformed(f"The payload is not that of {envelope.event}: {exc}.") from exc
    return make_message(envelope.event, str(envelope.id), told, envelope.timestamp, envelope.correlation_id)


def make_message(event: str, message_id: str, told: Told, at: datetime, correlation_id: str | None) -> Message:
    """Return a message that was read already."""
    form = msgspec.json.encode((event, told), order="deterministic")
    return Message(
        id=message_id,
        event=event,
        told=told,
        at=at,
        body_hash=hashlib.sha256(form).digest(),
        correlation_id=correlation_id[:200] if correlation_id else None,
    )
