"""Buying: a reservation and a payment become an order and tickets, in one transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

from server.domain.access import User
from server.domain.nft import first_state
from server.services.context import Context
from server.services.idempotency import Answer, Call, find_answer, name_call, run_once
from server.services.money_back import return_refused
from server.services.payments import Payment, PaymentProvider, PaymentState
from server.services.ports import Unit
from server.services.problems import (
    NotOnSale,
    PaymentUnverified,
    ReservationExpired,
    ReservationSpent,
    ReservationUnknown,
)
from server.services.release import release_expired
from server.services.rows import (
    ActorRef,
    EventState,
    OrderRow,
    ReservationLine,
    ReservationRow,
    ReservationState,
    TicketRow,
    TicketTypeRow,
)
from server.services.transition import Changes, Move, issue_tickets, sell_seats
from shared.ids import OrderId, ReservationId, TicketId, TicketTypeId, uuid7
from shared.tickets.lifecycle import Actor, State

FREE = "free:"
"""What the payment of an order that costs nothing begins with; no provider is asked about it."""


class PurchaseRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which reservation, and the provider's reference of the payment for it; what costs nothing needs none."""

    reservation_id: ReservationId
    payment_id: Annotated[str, Meta(min_length=1, max_length=200, pattern="^[!-~]+$")] | None = None


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
    """Turn a reservation into tickets; one that this payment has bought already is answered with what it bought.

    The payment service's own word may buy before the buyer does, so that is nothing unusual.

    Raises:
        ReservationUnknown: none of this user's.
        ReservationExpired: its time is over, the places are on sale again.
        ReservationSpent: another payment bought it already.
        PaymentUnverified, PaymentReused: the payment does not buy this.
        NotOnSale: the event was closed or cancelled meanwhile.
        Unavailable: the payment provider does not answer.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "purchase", key, request)
    try:
        return await _purchase(context, payments, call, request)
    except (ReservationExpired, ReservationSpent, NotOnSale) as refusal:
        if request.payment_id is None or request.payment_id.startswith(FREE):
            raise
        asked = (request.reservation_id, request.payment_id)
        if not await return_refused(context, payments, user, asked, refusal):
            raise
        raise type(refusal)(f"{refusal} What was paid for it is asked to be given back.") from refusal


async def _purchase(context: Context, payments: PaymentProvider, call: Call, request: PurchaseRequest) -> Answer:
    found = await _look(context, call, request)
    if isinstance(found, Answer):
        return found
    if found.total_cents == 0:
        return await _buy(context, call, request.reservation_id, f"{FREE}{request.reservation_id}")
    if request.payment_id is None or request.payment_id.startswith(FREE):
        raise PaymentUnverified("This costs money: send the reference of a payment for it.")
    # Asked outside any transaction: no row stays locked while somebody else's server thinks.
    payment = await payments.fetch(call.user.tenant, request.payment_id)
    check_payment(payment, found)
    return await _buy(context, call, request.reservation_id, request.payment_id)


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


async def _look(context: Context, call: Call, request: PurchaseRequest) -> ReservationRow | Answer:
    """Return the reservation to pay, or the answer this call got before."""
    now = context.clock.now()
    async with context.db.tenant(call.user.tenant) as tx:
        earlier = await find_answer(tx, call)
        if earlier is not None:
            return earlier
        reservation = await tx.orders.get_reservation(request.reservation_id)
        if reservation is None or reservation.user != call.user.user:
            raise ReservationUnknown("You have no such reservation.")
        if _is_overdue(reservation, now):
            await release_expired(tx, reservation.event, now, set())
        bought = await _find_bought(tx, reservation, request.payment_id)
    # Raised outside, so that what was released stays released.
    if bought is None:
        _check_open(reservation, now)
    return reservation


async def _find_bought(tx: Unit, reservation: ReservationRow, payment_id: str | None) -> Purchased | None:
    """Return what exactly this payment made of the reservation."""
    if reservation.state is not ReservationState.CONFIRMED or payment_id is None:
        return None
    order = await tx.inbox.order_of(reservation.id)
    if order is None or order.payment_id != payment_id:
        return None
    tickets = await tx.inbox.lock_tickets(order.id)
    return _as_answer(order, tickets, await tx.stock.of_event(reservation.event))


def _is_overdue(reservation: ReservationRow, now: datetime) -> bool:
    return reservation.state is ReservationState.PENDING and reservation.expires_at <= now


def _check_open(reservation: ReservationRow, now: datetime) -> None:
    if reservation.state is ReservationState.CONFIRMED:
        raise ReservationSpent("This reservation was bought already: look under your tickets.")
    if reservation.state is not ReservationState.PENDING or _is_overdue(reservation, now):
        raise ReservationExpired("This reservation ended and its places are on sale again: reserve anew.")


async def _buy(context: Context, call: Call, reservation_id: ReservationId, payment_id: str) -> Answer:
    now = context.clock.now()

    async def work(tx: Unit) -> Purchased:
        if not payment_id.startswith(FREE):
            await _hold_payment(tx, payment_id)
        reservation = await tx.orders.lock_reservation(reservation_id)
        if reservation is None or reservation.user != call.user.user:
            raise ReservationUnknown("You have no such reservation.")
        bought = await _find_bought(tx, reservation, payment_id)
        if bought is not None:
            return bought
        _check_open(reservation, now)
        order, tickets, types = await place_order(context, tx, reservation, payment_id, now)
        return _as_answer(order, tickets, types)

    return await run_once(context.db, call, 200, work)


async def _hold_payment(tx: Unit, payment_id: str) -> None:
    """Keep a payment from being given back while it buys; locked before its reservation, as messages do."""
    known = await tx.inbox.lock_payment(payment_id)
    if known is not None and known.state is PaymentState.REFUNDED:
        raise PaymentUnverified("This payment is asked to be given back: pay anew.")


async def place_order(
    context: Context, tx: Unit, reservation: ReservationRow, payment_id: str, now: datetime
) -> tuple[OrderRow, list[TicketRow], list[TicketTypeRow]]:
    """Turn a pending reservation, locked and paid, into an order and tickets; return them with their event's types.

    Raises:
        PaymentReused: the payment bought something already.
        NotOnSale: the event was closed or cancelled.
    """
    standing = await tx.events.hold_standing(reservation.event)
    if standing is None or standing.state is not EventState.OPEN:
        raise NotOnSale(f"This event is {standing and standing.state}: nothing is sold any more.")
    order = OrderRow(
        tenant=tx.tenant,
        id=OrderId(uuid7(now, context.random_bytes)),
        reservation=reservation.id,
        user=reservation.user,
        payment_id=payment_id,
        total_cents=reservation.total_cents,
        currency=reservation.currency,
        created_at=now,
    )
    await tx.orders.add_order(order)
    tickets, types = await _issue(context, tx, reservation, order, first_state(standing.nft))
    return order, tickets, types


async def _issue(
    context: Context, tx: Unit, reservation: ReservationRow, order: OrderRow, first: State
) -> tuple[list[TicketRow], list[TicketTypeRow]]:
    lines = [line for _, line in await tx.orders.lines([reservation.id])]
    types = await tx.stock.of_event(reservation.event)
    seated = {one.id for one in types if one.seated}
    plain = [line for line in lines if line.ticket_type not in seated]
    sale = _Sale(order=order, lines=lines, types=types, first=first)
    seats = await _sell_seats(context, tx, sale) if len(plain) < len(lines) else []
    fresh = [_fresh_ticket(context, reservation, order, line) for line in plain for _ in range(line.quantity)]
    issued = await issue_tickets(tx, context.vault, fresh, types, _step(order, first)) if fresh else []
    await tx.orders.set_state(reservation.id, ReservationState.CONFIRMED)
    # Last, because everybody who wants this type waits for these rows; in the order in which everybody locks them.
    for line in sorted(lines, key=lambda one: one.ticket_type):
        await tx.stock.sell(line.ticket_type, line.quantity)
    return seats + issued, types


class _Sale(Struct, frozen=True, kw_only=True):
    """What is sold, and in which state tickets leave the sale."""

    order: OrderRow
    lines: list[ReservationLine]
    types: list[TicketTypeRow]
    first: State


async def _sell_seats(context: Context, tx: Unit, sale: _Sale) -> list[TicketRow]:
    order, wanted = sale.order, {line.ticket_type: line.quantity for line in sale.lines}
    seated = [one.id for one in sale.types if one.seated and one.id in wanted]
    # Seats are locked under their types, as everybody does who takes or frees them; and types all at once, in one order.
    await tx.stock.lock(sorted(wanted))
    seats = await tx.orders.seats([order.reservation])
    if len(seats) != sum(wanted[one] for one in seated):
        raise NotOnSale("Seats of this reservation were taken out of the sale: let it go and reserve anew.")
    taken = replace(_step(order, State.SOLD), changes=Changes(order=order.id, owner=order.user))
    return await sell_seats(tx, context.vault, seats, sale.types, (taken, _step(order, sale.first)))


def _step(order: OrderRow, to: State) -> Move:
    return Move(to=to, actor=ActorRef(kind=Actor.SYSTEM, id=str(order.id)), source="purchase", now=order.created_at)


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
