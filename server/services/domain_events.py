"""Domain events: what other programs are told of tickets, reservations and money, written with what made it true.

Their form is documented in docs/reference/messages.md. Payloads carry ids and states, never names, addresses or codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from server.services.correlation import correlation_of, present_correlation
from server.services.ports import Unit
from server.services.ports_bus import TicketFact
from server.services.rows import ReservationLine, ReservationRow, TicketRow
from server.services.rows_facts import FactRow
from shared.ids import EventId, GateId, OrderId, ReservationId, TicketId, TicketTypeId, UserId
from shared.tickets.lifecycle import Actor, State

RESERVATION_RELEASED = "reservation.released"
REFUND_REQUESTED = "payment.refund_requested"

# Reasons may be sentences somebody typed; those stay here.
_PLAIN_REASON = re.compile(r"[a-z][a-z_]{0,39}")
_OTHER_REASON = "other"


class TicketPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is told of a ticket: how it is after the step, and what the step was."""

    ticket_id: TicketId
    event_id: EventId
    ticket_type_id: TicketTypeId
    order_id: OrderId | None
    owner_id: UserId | None
    previous_owner_id: UserId | None
    state: State
    previous_state: State | None
    version: int
    generation: int
    gate_id: GateId | None
    """Where somebody was let in."""
    reason: str | None
    source: str


class LinePayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """So many of one ticket type; the price is in cents, for one."""

    ticket_type_id: TicketTypeId
    quantity: int
    price_cents: int


class ReservationPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is told of places that are held."""

    reservation_id: ReservationId
    event_id: EventId
    user_id: UserId
    lines: list[LinePayload]
    total_cents: int
    currency: str
    expires_at: datetime


class ReleasePayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is told of places that are on sale again."""

    reservation_id: ReservationId
    event_id: EventId
    user_id: UserId
    reason: str
    """``expired``, ``cancelled``, ``payment_failed``, ``order_cancelled`` or ``event_cancelled``."""


class RefundPayload(Struct, frozen=True, kw_only=True, rename="camel"):
    """Money that whoever took it is asked to give back, all of it or a part, in cents."""

    payment_id: str
    amount_cents: int
    currency: str
    reason: str
    order_id: OrderId | None = None
    reservation_id: ReservationId | None = None
    ticket_ids: list[TicketId] = []


class Step(Struct, frozen=True, kw_only=True):
    """One step of a ticket; ``before`` is None for its first. The actor's id is told only of gates.

    With ``made`` the ticket came to be with this very step: nobody saw it as it is in ``before``.
    """

    before: TicketRow | None
    after: TicketRow
    actor_kind: Actor
    actor_id: str
    reason: str | None
    source: str
    at: datetime
    made: bool = False


async def tell_steps(tx: Unit, steps: Sequence[Step]) -> None:
    """Queue what these steps mean to other programs; many mean nothing to them."""
    await tx.facts.add([_ticket_fact(step, fact) for step in steps for fact in facts_of(step)])


async def tell_reserved(tx: Unit, reservation: ReservationRow, lines: Sequence[ReservationLine], now: datetime) -> None:
    """Queue that places are held."""
    payload = ReservationPayload(
        reservation_id=reservation.id,
        event_id=reservation.event,
        user_id=reservation.user,
        lines=[
            LinePayload(ticket_type_id=one.ticket_type, quantity=one.quantity, price_cents=one.price_cents)
            for one in lines
        ],
        total_cents=reservation.total_cents,
        currency=reservation.currency,
        expires_at=reservation.expires_at,
    )
    await tx.facts.add([_fact(TicketFact.RESERVED, reservation.id, payload, now)])


async def tell_released(tx: Unit, reservations: Sequence[ReservationRow], reason: str, now: datetime) -> None:
    """Queue that places held by reservations are on sale again."""
    payloads = [
        ReleasePayload(reservation_id=one.id, event_id=one.event, user_id=one.user, reason=reason)
        for one in reservations
    ]
    await tx.facts.add([_fact(RESERVATION_RELEASED, one.reservation_id, one, now) for one in payloads])


async def request_refund(tx: Unit, refund: RefundPayload, now: datetime) -> None:
    """Queue the request to give money back; the same request again bears the same message id."""
    about: Sequence[UUID | None] = [refund.order_id, refund.reservation_id, *refund.ticket_ids]
    parts = "|".join(str(one) for one in about)
    subject = uuid5(tx.tenant, f"payment|{refund.payment_id}")
    name = f"{REFUND_REQUESTED}|{refund.reason}|{refund.amount_cents}|{parts}"
    fact = FactRow(
        message_id=uuid5(subject, name),
        key=REFUND_REQUESTED,
        subject=subject,
        payload=msgspec.json.encode(refund),
        occurred_at=now,
        correlation_id=present_correlation(),
    )
    await tx.facts.add([fact])


def facts_of(step: Step) -> list[TicketFact]:
    """Return what a step is to other programs: nothing, one thing, or for a ticket made and sold at once two."""
    if step.before is None:
        return [TicketFact.CREATED]
    before, after = step.before, step.after
    if after.state is before.state is not State.TRANSFERRED:
        return []
    if after.state is State.TRANSFERRED:
        return [TicketFact.TRANSFERRED] if after.owner != before.owner else []
    if before.state in _UNSOLD and after.state in _SOLD and not step.made:
        return [TicketFact.PURCHASED]
    if step.made and after.state in _SOLD:
        # Made and sold in one: nobody saw it unsold. Without an order it was given away.
        return [TicketFact.CREATED] + ([TicketFact.PURCHASED] if after.order is not None else [])
    return _BY_STATE.get(after.state, [])


_UNSOLD = frozenset({State.AVAILABLE, State.RESERVED})
_SOLD = frozenset({State.SOLD, State.ACTIVE, State.MINTED})
_BY_STATE: dict[State, list[TicketFact]] = {
    State.CHECKED_IN: [TicketFact.CHECKED_IN],
    State.REFUNDED: [TicketFact.REFUNDED],
    State.REVOKED: [TicketFact.REVOKED],
    # To others a cancelled ticket is one that was taken back; its state and reason tell the two apart.
    State.CANCELLED: [TicketFact.REVOKED],
    State.EXPIRED: [TicketFact.EXPIRED],
}


def _ticket_fact(step: Step, fact: TicketFact) -> FactRow:
    before, after = step.before, step.after
    payload = TicketPayload(
        ticket_id=after.id,
        event_id=after.event,
        ticket_type_id=after.ticket_type,
        order_id=after.order,
        owner_id=after.owner,
        previous_owner_id=before.owner if before is not None else None,
        state=after.state,
        previous_state=before.state if before is not None else None,
        version=after.version,
        generation=after.generation,
        gate_id=_gate_of(step),
        reason=_plain(step.reason),
        source=step.source,
    )
    return FactRow(
        # Derived, so that it stays the same however often it is sent.
        message_id=uuid5(after.id, f"{fact}|{after.version}"),
        key=fact,
        subject=after.id,
        payload=msgspec.json.encode(payload),
        occurred_at=step.at,
        correlation_id=correlation_of(after.id),
    )


def _fact(key: str, subject: UUID, payload: Struct, now: datetime) -> FactRow:
    return FactRow(
        message_id=uuid5(subject, key),
        key=key,
        subject=subject,
        payload=msgspec.json.encode(payload),
        occurred_at=now,
        correlation_id=present_correlation(),
    )


def _gate_of(step: Step) -> GateId | None:
    if step.actor_kind is not Actor.GATE:
        return None
    try:
        return GateId(UUID(step.actor_id))
    except ValueError:
        return None


def _plain(reason: str | None) -> str | None:
    if reason is None:
        return None
    return reason if _PLAIN_REASON.fullmatch(reason) else _OTHER_REASON
