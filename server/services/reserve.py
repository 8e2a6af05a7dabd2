"""Reserving: places are held for a while, all lines of an order or none."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.inventory import Cause, Refusal, Shelf, Wish, check_window, check_wishes
from server.services.availability import forget_availability
from server.services.context import Context
from server.services.domain_events import tell_reserved
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
from server.services.release import release_expired
from server.services.reservation_view import Reserved, view_reservation
from server.services.rows import (
    EventRow,
    EventState,
    ReservationLine,
    ReservationRow,
    ReservationState,
    TicketTypeRow,
)
from server.services.seat_holding import count_seats, find_seats, hold_seats, lock_seats, pick_seats
from shared.ids import EventId, ReservationId, TicketId, TicketTypeId, uuid7
from shared.problems import TicketTokenError


class WishedLine(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """So many of one ticket type."""

    ticket_type_id: TicketTypeId
    quantity: Annotated[int, Meta(ge=1, le=10)]


class ReserveRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What somebody wants of one event: so many of some types, or seats by the ids of their tickets.

    Of a type that is sold by seat, so many means the first free ones.
    """

    event_id: EventId
    tickets: Annotated[list[WishedLine], Meta(min_length=1, max_length=10)] | None = None
    seats: Annotated[list[TicketId], Meta(min_length=1, max_length=20)] | None = None

    def __post_init__(self) -> None:
        """Refuse a request for both or neither, and a seat named twice."""
        if (self.tickets is None) == (self.seats is None):
            raise ValueError("name either tickets or seats")
        if self.seats is not None and len(set(self.seats)) < len(self.seats):
            raise ValueError("a seat is named twice")


async def reserve(context: Context, user: User, key: str | None, request: ReserveRequest) -> Answer:
    """Hold places for a user until the hold time is over.

    Raises:
        EventUnknown, TicketTypeUnknown: no such thing in this tenant.
        NotOnSale: the event does not sell now.
        AlreadyHolding: there is an unpaid reservation of this event.
        NotEnoughLeft, LimitExceeded: fewer are left, or allowed, than asked for.
        SeatUnknown, SeatTaken: a seat does not exist, or is not free.
        CurrenciesMixed: one order has one currency.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, "reserve", key, request)
    now = context.clock.now()
    answer = await run_once(context.db, call, 201, lambda tx: _reserve(context, tx, user, request, now))
    if not answer.replayed:
        await forget_availability(context, user.tenant, request.event_id)
    return answer


async def _reserve(context: Context, tx: Unit, user: User, request: ReserveRequest, now: datetime) -> Reserved:
    event = await _open_event(tx, request.event_id, now)
    await tx.orders.lock_user(event.id, user.user)
    if await tx.orders.holds(event.id, user.user, now):
        raise AlreadyHolding("You have a reservation of this event: pay it, or wait until it ends.")
    asked = await find_seats(tx, event.id, request.seats) if request.seats else []
    wishes = count_seats(asked) if request.seats else _gather(request.tickets or [])
    bought = await tx.orders.count_bought(event.id, user.user)
    types = await release_expired(tx, event.id, now, {wish.ticket_type for wish in wishes})
    # Again, now that the types are locked: an event's end waits for these rows before it looks for the last time.
    _check_selling(await tx.events.state(event.id))
    seats = await lock_seats(tx, asked) if asked else []
    refusal = check_wishes(wishes, _shelves(event, types), bought=bought, max_per_user=event.max_per_user)
    if refusal is not None:
        raise _as_problem(refusal)
    seats = seats or await pick_seats(tx, types, wishes)
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
    await hold_seats(tx, reservation.id, seats, user, now)
    await tell_reserved(tx, reservation, lines, now)
    return view_reservation(reservation, lines, seats)


async def _open_event(tx: Unit, event_id: EventId, now: datetime) -> EventRow:
    event = await tx.events.get(event_id)
    if event is None or event.state is EventState.DRAFT:
        raise EventUnknown("There is no such event.")
    _check_selling(event.state)
    refusal = check_window(event.sale_starts, event.sale_ends, now)
    if refusal is not None:
        raise _as_problem(refusal)
    return event


def _check_selling(state: EventState | None) -> None:
    if state is not EventState.OPEN:
        raise NotOnSale(f"This event is {state}: nothing is sold any more.")


def _gather(lines: list[WishedLine]) -> list[Wish]:
    total: Counter[TicketTypeId] = Counter()
    for line in lines:
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


_PROBLEMS: dict[Cause, type[TicketTokenError]] = {
    Cause.UNKNOWN: TicketTypeUnknown,
    Cause.WINDOW: NotOnSale,
    Cause.LIMIT: LimitExceeded,
    Cause.SHORT: NotEnoughLeft,
    Cause.MIXED: CurrenciesMixed,
}


def _as_problem(refusal: Refusal) -> TicketTokenError:
    return _PROBLEMS[refusal.cause](refusal.text)
