"""What messages about payments and orders do: each once, in one transaction with being remembered.

A completed payment that names a reservation buys it, so that nobody who has paid has to come back for the tickets; the holder's own
call, before or after, gets the same order. Money that can buy nothing any more is asked to be returned.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from server.services.cancel_order import cancel_order, drop_reservation
from server.services.context import Context
from server.services.correlation import correlating
from server.services.order_messages import Message, OrderCancelled, PaymentCompleted, PaymentFailed
from server.services.payments import Payment, PaymentState
from server.services.ports import Unit
from server.services.problems import CallInProgress, NotOnSale, PaymentReused, ReservationUnknown
from server.services.purchase import check_payment, place_order
from server.services.refunds_due import return_payment
from server.services.rows import ReservationRow, ReservationState
from server.services.rows_facts import InboxRow, PaymentRow
from shared.ids import ReservationId, TenantId
from shared.problems import Conflict, NotFound


class Effect(StrEnum):
    """What a message did."""

    RECORDED = "recorded"
    """The payment is known now, and buys whatever its reference is given for."""
    CONFIRMED = "confirmed"
    """The reservation became tickets."""
    REFUND_REQUESTED = "refund_requested"
    """The money can buy nothing any more."""
    RELEASED = "released"
    """The reservation's places are on sale again."""
    CANCELLED = "cancelled"
    """The order's tickets are void, except those that were used."""
    NOTHING = "nothing"
    """Everything was so already."""


class TenantUnknown(NotFound):
    """A message is about a tenant that is none of ours."""

    code = "tenant_not_found"


class OrderUnknown(NotFound):
    """A message is about an order that is none of the tenant's."""

    code = "order_not_found"


class Contradiction(Conflict):
    """A message cannot be true together with what is known already; a person has to look."""


class MessageIdReused(Contradiction):
    """Another message bears this id."""

    code = "message_id_reused"


class PaymentContradicts(Contradiction):
    """A payment is told of in two ways that cannot both be true."""

    code = "payment_contradicts"


class Taken(Struct, frozen=True, kw_only=True):
    """What a message did, now or when it first came."""

    outcome: Effect
    repeated: bool = False


async def take_message(context: Context, tenant: TenantId, message: Message) -> Taken:
    """Give a message its effect, or tell the effect it had.

    Raises:
        TenantUnknown, ReservationUnknown, OrderUnknown: it is about nothing of ours.
        MessageIdReused, PaymentContradicts, PaymentUnverified, PaymentReused: it cannot be true, or not for what it is about.
        CallInProgress: the same message is being worked on right now.
        Unavailable: the database is away.
    """
    now = context.clock.now()
    with correlating(message.correlation_id or message.id):
        async with context.db.tenant(tenant) as tx:
            if not await tx.inbox.tenant_exists():
                raise TenantUnknown("The message is about a tenant that is not known here.")
            if not await tx.inbox.claim(message.id):
                raise CallInProgress("The same message is being worked on right now: send it again in a moment.")
            earlier = await tx.inbox.get(message.id)
            if earlier is not None:
                return _repeat(earlier, message)
            outcome = await _apply(context, tx, message, now)
            await tx.inbox.keep(
                InboxRow(
                    message_id=message.id,
                    event=message.event,
                    body_hash=message.body_hash,
                    outcome=outcome,
                    received_at=now,
                )
            )
            return Taken(outcome=outcome)


def _repeat(earlier: InboxRow, message: Message) -> Taken:
    if earlier.body_hash != message.body_hash:
        raise MessageIdReused("Another message was sent under this id: give each message an id of its own.")
    return Taken(outcome=Effect(earlier.outcome), repeated=True)


async def _apply(context: Context, tx: Unit, message: Message, now: datetime) -> Effect:
    told = message.told
    if isinstance(told, PaymentCompleted):
        return await _complete(context, tx, told, message.at, now)
    if isinstance(told, PaymentFailed):
        return await _fail(tx, told, message.at, now)
    return await _cancel(context, tx, told, now)


async def _complete(context: Context, tx: Unit, told: PaymentCompleted, at: datetime, now: datetime) -> Effect:
    known = await tx.inbox.lock_payment(told.payment_id)
    _check_consistent(known, told)
    if known is not None and known.state is PaymentState.REFUNDED:
        return Effect.NOTHING
    paid = PaymentRow(
        payment_id=told.payment_id,
        state=PaymentState.COMPLETED,
        amount_cents=told.amount_cents,
        currency=told.currency,
        reservation=told.reservation_id,
        told_at=at,
    )
    await tx.inbox.keep_payment(paid, now)
    if told.reservation_id is None:
        return Effect.RECORDED
    return await _buy(context, tx, await _lock(tx, told.reservation_id), paid, now)


def _check_consistent(known: PaymentRow | None, told: PaymentCompleted) -> None:
    if known is None or known.state is PaymentState.FAILED:
        return
    if (known.amount_cents, known.currency) != (told.amount_cents, told.currency):
        raise PaymentContradicts("This payment was completed before, over another sum: ask the payment service.")
    if known.reservation is not None and told.reservation_id not in {None, known.reservation}:
        raise PaymentContradicts("This payment was completed before, for another reservation: ask the payment service.")


async def _buy(context: Context, tx: Unit, reservation: ReservationRow, paid: PaymentRow, now: datetime) -> Effect:
    payment = Payment(
        id=paid.payment_id, amount_cents=paid.amount_cents, currency=paid.currency, state=PaymentState.COMPLETED
    )
    check_payment(payment, reservation)
    spent = await tx.inbox.order_paid_with(paid.payment_id)
    if spent is not None and spent.reservation != reservation.id:
        # Or money that bought tickets would be asked back, and the tickets stay good.
        raise PaymentReused("This payment bought something else already: ask the payment service.")
    if reservation.state is ReservationState.PENDING and reservation.expires_at > now:
        try:
            async with tx.savepoint():
                await place_order(context, tx, reservation, paid.payment_id, now)
        except NotOnSale:
            return await _give_back(context, tx, reservation, paid, "not_on_sale")
        return Effect.CONFIRMED
    order = await tx.inbox.order_of(reservation.id)
    if order is not None and order.payment_id == paid.payment_id:
        return Effect.NOTHING
    reason = "already_paid" if order is not None else "reservation_over"
    return await _give_back(context, tx, reservation, paid, reason)


async def _give_back(context: Context, tx: Unit, reservation: ReservationRow, paid: PaymentRow, reason: str) -> Effect:
    await return_payment(context, tx, paid, reservation.event, reason)
    return Effect.REFUND_REQUESTED


async def _fail(tx: Unit, told: PaymentFailed, at: datetime, now: datetime) -> Effect:
    known = await tx.inbox.lock_payment(told.payment_id)
    if known is not None and known.state is not PaymentState.FAILED:
        if at <= known.told_at:
            # An earlier try of the same payment, told late.
            return Effect.NOTHING
        raise PaymentContradicts("This payment was completed before: taking money back later is an order.cancelled.")
    failed = PaymentRow(
        payment_id=told.payment_id,
        state=PaymentState.FAILED,
        amount_cents=told.amount_cents,
        currency=told.currency,
        reservation=told.reservation_id,
        told_at=at,
    )
    await tx.inbox.keep_payment(failed, now)
    if told.reservation_id is None:
        return Effect.RECORDED
    reservation = await _lock(tx, told.reservation_id)
    if reservation.state is not ReservationState.PENDING:
        return Effect.RECORDED
    await drop_reservation(tx, reservation, "payment_failed", now)
    return Effect.RELEASED


async def _cancel(context: Context, tx: Unit, told: OrderCancelled, now: datetime) -> Effect:
    found = await tx.inbox.order(told.order_id) if told.order_id is not None else None
    if told.order_id is not None and found is None:
        raise OrderUnknown("The message is about an order that is not known here.")
    wanted = found.reservation if found is not None else told.reservation_id
    reservation = await _lock(tx, wanted)
    if reservation.state is ReservationState.PENDING:
        await drop_reservation(tx, reservation, "order_cancelled", now)
        return Effect.RELEASED
    order = await tx.inbox.order_of(reservation.id)
    if order is None:
        return Effect.NOTHING
    return Effect.CANCELLED if await cancel_order(context, tx, order, now) else Effect.NOTHING


async def _lock(tx: Unit, wanted: ReservationId | None) -> ReservationRow:
    reservation = await tx.orders.lock_reservation(wanted) if wanted is not None else None
    if reservation is None:
        raise ReservationUnknown("The message is about a reservation that is not known here.")
    return reservation
