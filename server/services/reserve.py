"""Reserving: places are held for a while, all lines of an order or none."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.inventory import Cause, Refusal, Shelf, Wish, check_window, check_wishes
from server.services.context import Context
from server.services.idempotency import Answer, name_call, run_once
from server.services.ports import Unit
from server.services.problems import (
    AlreadyHolding,
    CurrenciesMixed,
    EventUnknown,
    LimitExceeded,
    NotEnoughLeft,
    NotOnSale,
    TicketTypeUnknown,
)
from server.services.rows import (
    EventRow,
    EventState,
    ReservationLine,
    ReservationRow,
    ReservationState,
    TicketTypeRow,
)
from shared.ids import EventId, ReservationId, TicketTypeId, uuid7
from shared.problems import TicketTokenError

_EXPIRED_AT_ONCE = 50


class WishedLine(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """So many of one ticket type."""

    ticket_type_id: TicketTypeId
    quantity: Annotated[int, Meta(ge=1, le=10)]


class ReserveRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What somebody wants of one event."""

    event_id: EventId
    tickets: Annotated[list[WishedLine], Meta(min_length=1, max_length=10)]


class HeldLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """What is held of one ticket type, and its price in cents."""

    ticket_type_id: TicketTypeId
    quantity: int
    price_per_ticket: int


class Reserved(Struct, frozen=True, kw_only=True, rename="camel"):
    """A reservation as its holder sees it."""

    reservation_id: ReservationId
    event_id: EventId
    tickets: list[HeldLine]
    total_cents: int
    currency: str
    expires_at: datetime
    status: ReservationState


async def reserve(context: Context, user: User, key: str | None, request: ReserveRequest) -> Answer:
    """Hold places for a user until the hold time is over.

    Raises:
        EventUnknown, TicketTypeUnknown: no such thing in this tenant.
        NotOnSale: the event does not sell now.
        AlreadyHolding: there is an unpaid reservation of this event.
        NotEnoughLeft, LimitExceeded: fewer are left, or allowed, than asked for.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "reserve", key, request)
    now = context.clock.now()
    return await run_once(context.db, call, 201, lambda tx: _reserve(context, tx, user, request, now))


async def release_expired(tx: Unit, event: EventId, now: datetime, also: set[TicketTypeId]) -> list[TicketTypeRow]:
    """Put places of overdue reservations back on sale; return the locked ticket types, those of ``also`` among them.

    Locking all types at once and in one order is what keeps buyers from waiting for each other in a circle.
    """
    overdue = await tx.orders.lock_expired(event, now, _EXPIRED_AT_ONCE)
    lines = [line for _, line in await tx.orders.lines([one.id for one in overdue])] if overdue else []
    freed: Counter[TicketTypeId] = Counter()
    for line in lines:
        freed[line.ticket_type] += line.quantity
    locked = await tx.stock.lock(sorted(also | set(freed)))
    for ticket_type, quantity in freed.items():
        await tx.stock.release(ticket_type, quantity)
    for reservation in overdue:
        await tx.orders.set_state(reservation.id, ReservationState.EXPIRED)
    return await tx.stock.lock(sorted(also)) if freed else locked


async def _reserve(context: Context, tx: Unit, user: User, request: ReserveRequest, now: datetime) -> Reserved:
    event = await _open_event(tx, request.event_id, now)
    await tx.orders.lock_user(event.id, user.user)
    if await tx.orders.holds(event.id, user.user, now):
        raise AlreadyHolding("You have a reservation of this event: pay it, or wait until it ends.")
    wishes = _gather(request)
    types = await release_expired(tx, event.id, now, {wish.ticket_type for wish in wishes})
    bought = await tx.orders.count_bought(event.id, user.user)
    refusal = check_wishes(wishes, _shelves(event, types), bought=bought, max_per_user=event.max_per_user)
    if refusal is not None:
        raise _as_problem(refusal)
    for wish in wishes:
        await tx.stock.hold(wish.ticket_type, wish.quantity)
    lines = _price(wishes, types)
    reservation = ReservationRow(
        tenant=tx.tenant,
        id=ReservationId(uuid7(now, context.random_bytes)),
        event=event.id,
        user=user.user,
        state=ReservationState.PENDING,
        total_cents=sum(line.quantity * line.price_cents for line in lines),
        currency=types[0].currency,
        expires_at=now + context.hold,
    )
    await tx.orders.add_reservation(reservation, lines)
    return _as_answer(reservation, lines)


async def _open_event(tx: Unit, event_id: EventId, now: datetime) -> EventRow:
    event = await tx.events.get(event_id)
    if event is None or event.state is EventState.DRAFT:
        raise EventUnknown("There is no such event.")
    if event.state is not EventState.OPEN:
        raise NotOnSale(f"This event is {event.state}: nothing is sold any more.")
    refusal = check_window(event.sale_starts, event.sale_ends, now)
    if refusal is not None:
        raise _as_problem(refusal)
    return event


def _gather(request: ReserveRequest) -> list[Wish]:
    total: Counter[TicketTypeId] = Counter()
    for line in request.tickets:
        total[line.ticket_type_id] += line.quantity
    return [Wish(ticket_type=one, quantity=quantity) for one, quantity in total.items()]


def _shelves(event: EventRow, types: list[TicketTypeRow]) -> dict[TicketTypeId, Shelf]:
    return {
        one.id: Shelf(name=one.name, available=one.available, max_per_order=one.max_per_order, currency=one.currency)
        for one in types
        if one.event == event.id
    }


def _price(wishes: list[Wish], types: list[TicketTypeRow]) -> list[ReservationLine]:
    prices = {one.id: one.price_cents for one in types}
    return [
        ReservationLine(ticket_type=one.ticket_type, quantity=one.quantity, price_cents=prices[one.ticket_type])
        for one in wishes
    ]


def _as_answer(reservation: ReservationRow, lines: list[ReservationLine]) -> Reserved:
    return Reserved(
        reservation_id=reservation.id,
        event_id=reservation.event,
        tickets=[
            HeldLine(ticket_type_id=line.ticket_type, quantity=line.quantity, price_per_ticket=line.price_cents)
            for line in lines
        ],
        total_cents=reservation.total_cents,
        currency=reservation.currency,
        expires_at=reservation.expires_at,
        status=reservation.state,
    )


_PROBLEMS: dict[Cause, type[TicketTokenError]] = {
    Cause.UNKNOWN: TicketTypeUnknown,
    Cause.WINDOW: NotOnSale,
    Cause.LIMIT: LimitExceeded,
    Cause.SHORT: NotEnoughLeft,
    Cause.MIXED: CurrenciesMixed,
}


def _as_problem(refusal: Refusal) -> TicketTokenError:
    return _PROBLEMS[refusal.cause](refusal.text)
