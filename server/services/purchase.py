"""Buying: a reservation and a payment become an order and tickets, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.services.context import Context
from server.services.idempotency import Answer, Call, find_answer, name_call, run_once
from server.services.payments import Payment, PaymentProvider, PaymentState
from server.services.ports import Unit
from server.services.problems import PaymentUnverified, ReservationExpired, ReservationSpent, ReservationUnknown
from server.services.reserve import release_expired
from server.services.rows import (
    ActorRef,
    OrderRow,
    ReservationLine,
    ReservationRow,
    ReservationState,
    TicketRow,
    TicketTypeRow,
)
from server.services.transition import Move, issue_tickets
from shared.ids import OrderId, ReservationId, TicketId, TicketTypeId, uuid7
from shared.tickets.lifecycle import Actor, State


class PurchaseRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which reservation, and the provider's reference of the payment for it."""

    reservation_id: ReservationId
    payment_id: Annotated[str, Meta(min_length=1, max_length=200)]


class BoughtTicket(Struct, frozen=True, kw_only=True, rename="camel"):
    """One ticket of an order."""

    ticket_id: TicketId
    ticket_type_id: TicketTypeId
    ticket_type_name: str


class Purchased(Struct, frozen=True, kw_only=True, rename="camel"):
    """An order as its buyer sees it."""

    order_id: OrderId
    reservation_id: ReservationId
    tickets: list[BoughtTicket]
    total_cents: int
    currency: str
    payment_status: PaymentState
    purchased_at: datetime


async def purchase(
    context: Context, payments: PaymentProvider, user: User, key: str | None, request: PurchaseRequest
) -> Answer:
    """Turn a reservation into tickets.

    Raises:
        ReservationUnknown: none of this user's.
        ReservationExpired: its time is over, the places are on sale again.
        ReservationSpent: it was bought already, under another key.
        PaymentUnverified, PaymentReused: the payment does not buy this.
        Unavailable: the payment provider does not answer.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "purchase", key, request)
    found = await _look(context, call, request.reservation_id)
    if isinstance(found, Answer):
        return found
    # Asked outside any transaction: no row stays locked while somebody else's server thinks.
    payment = await payments.fetch(request.payment_id)
    check_payment(payment, found)
    return await _buy(context, call, request)


def check_payment(payment: Payment | None, wanted: ReservationRow) -> None:
    """Return if a payment pays for exactly this reservation.

    Raises:
        PaymentUnverified: otherwise.
    """
    if payment is None:
        raise PaymentUnverified("The payment provider knows no such payment.")
    if payment.state is not PaymentState.COMPLETED:
        raise PaymentUnverified(f"The payment is {payment.state}: complete it first.")
    if (payment.amount_cents, payment.currency) != (wanted.total_cents, wanted.currency):
        raise PaymentUnverified(
            f"The reservation costs {wanted.total_cents} cents {wanted.currency}, paid was another sum."
        )


async def _look(context: Context, call: Call, reservation_id: ReservationId) -> ReservationRow | Answer:
    """Return the reservation to pay, or the answer this call got before."""
    now = context.clock.now()
    async with context.db.tenant(call.user.tenant) as tx:
        earlier = await find_answer(tx, call)
        if earlier is not None:
            return earlier
        reservation = await tx.orders.get_reservation(reservation_id)
        if reservation is None or reservation.user != call.user.user:
            raise ReservationUnknown("You have no such reservation.")
        if _is_overdue(reservation, now):
            await release_expired(tx, reservation.event, now, set())
    # Raised outside, so that what was released stays released.
    _check_open(reservation, now)
    return reservation


def _is_overdue(reservation: ReservationRow, now: datetime) -> bool:
    return reservation.state is ReservationState.PENDING and reservation.expires_at <= now


def _check_open(reservation: ReservationRow, now: datetime) -> None:
    if reservation.state is ReservationState.CONFIRMED:
        raise ReservationSpent("This reservation was bought already: look under your tickets.")
    if reservation.state is not ReservationState.PENDING or _is_overdue(reservation, now):
        raise ReservationExpired("This reservation ended and its places are on sale again: reserve anew.")


async def _buy(context: Context, call: Call, request: PurchaseRequest) -> Answer:
    now = context.clock.now()

    async def work(tx: Unit) -> Purchased:
        reservation = await tx.orders.lock_reservation(request.reservation_id)
        if reservation is None or reservation.user != call.user.user:
            raise ReservationUnknown("You have no such reservation.")
        _check_open(reservation, now)
        order = OrderRow(
            tenant=tx.tenant,
            id=OrderId(uuid7(now, context.random_bytes)),
            reservation=reservation.id,
            user=reservation.user,
            payment_id=request.payment_id,
            total_cents=reservation.total_cents,
            currency=reservation.currency,
            created_at=now,
        )
        await tx.orders.add_order(order)
        tickets, types = await _issue(context, tx, reservation, order)
        return _as_answer(order, tickets, types)

    return await run_once(context.db, call, 200, work)


async def _issue(
    context: Context, tx: Unit, reservation: ReservationRow, order: OrderRow
) -> tuple[list[TicketRow], list[TicketTypeRow]]:
    lines = [line for _, line in await tx.orders.lines([reservation.id])]
    types = await tx.stock.of_event(reservation.event)
    fresh = [_fresh_ticket(context, reservation, order, line) for line in lines for _ in range(line.quantity)]
    activate = Move(
        to=State.ACTIVE,
        actor=ActorRef(kind=Actor.SYSTEM, id=str(order.id)),
        source="purchase",
        now=order.created_at,
    )
    issued = await issue_tickets(tx, context.vault, fresh, types, activate)
    await tx.orders.set_state(reservation.id, ReservationState.CONFIRMED)
    # Last, because everybody who wants this type waits for these rows; in the order in which everybody locks them.
    for line in sorted(lines, key=lambda one: one.ticket_type):
        await tx.stock.sell(line.ticket_type, line.quantity)
    return issued, types


def _fresh_ticket(context: Context, reservation: ReservationRow, order: OrderRow, line: ReservationLine) -> TicketRow:
    return TicketRow(
        tenant=reservation.tenant,
        id=TicketId(uuid7(order.created_at, context.random_bytes)),
        event=reservation.event,
        ticket_type=line.ticket_type,
        order=order.id,
        owner=reservation.user,
        holder_name="",
        seat="",
        state=State.SOLD,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )


def _as_answer(order: OrderRow, tickets: list[TicketRow], types: list[TicketTypeRow]) -> Purchased:
    names = {one.id: one.name for one in types}
    return Purchased(
        order_id=order.id,
        reservation_id=order.reservation,
        tickets=[
            BoughtTicket(ticket_id=one.id, ticket_type_id=one.ticket_type, ticket_type_name=names[one.ticket_type])
            for one in tickets
        ],
        total_cents=order.total_cents,
        currency=order.currency,
        payment_status=PaymentState.COMPLETED,
        purchased_at=order.created_at,
    )
