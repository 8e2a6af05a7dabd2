"""Seats by name: found, taken for a while, picked for whoever does not mind which, and on sale anew when a ticket ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from server.domain.access import User
from server.domain.inventory import Wish
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import NotEnoughLeft
from server.services.problems_attendee import SeatTaken, SeatUnknown
from server.services.rows import ActorRef, TicketRow, TicketTypeRow
from server.services.transition import Move, add_seats, move_seats
from shared.ids import EventId, ReservationId, TicketId, uuid7
from shared.tickets.lifecycle import Actor, State

SOURCE = "reservation"
_NAMED = 3


async def find_seats(tx: Unit, event: EventId, wanted: Sequence[TicketId]) -> list[TicketRow]:
    """Return these seats of an event, free or not.

    Raises:
        SeatUnknown: the event does not have one of them.
    """
    found = [one for one in await tx.tickets.get_all(wanted) if one.event == event and one.seat]
    if len(found) != len(wanted):
        raise SeatUnknown("This event has no such seat: look at its seats again.")
    return found


def count_seats(seats: Sequence[TicketRow]) -> list[Wish]:
    """Return what these seats are as an order: so many of each type."""
    counted = Counter(one.ticket_type for one in seats)
    return [Wish(ticket_type=one, quantity=quantity) for one, quantity in counted.items()]


async def lock_seats(tx: Unit, asked: Sequence[TicketRow]) -> list[TicketRow]:
    """Return the seats as they are once they are locked; their types are locked by the caller.

    Raises:
        SeatTaken: one of them is not free.
    """
    free = await tx.tickets.lock_free([one.id for one in asked])
    ids = {one.id for one in free}
    taken = [one.seat for one in asked if one.id not in ids]
    if taken:
        more = f" and {len(taken) - _NAMED} more" if len(taken) > _NAMED else ""
        raise SeatTaken(f"Not free any more: {', '.join(taken[:_NAMED])}{more}. Choose others.")
    return free


async def pick_seats(tx: Unit, types: Sequence[TicketTypeRow], wishes: Sequence[Wish]) -> list[TicketRow]:
    """Return free seats for the wishes whose types are sold by seat, locked; their types are locked by the caller.

    Raises:
        NotEnoughLeft: fewer are free than counted, because somebody takes seats out of the sale right now.
    """
    seated = {one.id: one for one in types if one.seated}
    picked: list[TicketRow] = []
    for wish in wishes:
        ticket_type = seated.get(wish.ticket_type)
        if ticket_type is None:
            continue
        found = await tx.tickets.pick_free(ticket_type.event, ticket_type.id, wish.quantity)
        if len(found) < wish.quantity:
            raise NotEnoughLeft(f"Of '{ticket_type.name}' only {len(found)} seats are free.")
        picked += found
    return picked


async def hold_seats(
    tx: Unit, reservation: ReservationId, seats: Sequence[TicketRow], user: User, now: datetime
) -> None:
    """Take locked free seats for a reservation."""
    if not seats:
        return
    ordered = sorted(seats, key=lambda one: one.id)
    actor = ActorRef(kind=Actor.HOLDER, id=str(user.user))
    await move_seats(tx, ordered, Move(to=State.RESERVED, actor=actor, source=SOURCE, now=now))
    await tx.orders.add_seats(reservation, [one.id for one in ordered])


async def free_again(
    context: Context, tx: Unit, void: Sequence[TicketRow], types: Sequence[TicketTypeRow], move: Move
) -> None:
    """Put the seats of tickets that ended on sale anew, each as a ticket of its own; other tickets leave nothing behind.

    ``move`` is the step by which the old tickets ended; their types are locked by the caller.
    """
    seated = {one.id for one in types if one.seated}
    fresh = [
        TicketRow(
            tenant=one.tenant,
            id=TicketId(uuid7(move.now, context.random_bytes)),
            event=one.event,
            ticket_type=one.ticket_type,
            order=None,
            owner=None,
            holder_name="",
            seat=one.seat,
            state=State.AVAILABLE,
            generation=0,
            version=1,
            locked=None,
            valid_from=None,
            valid_until=None,
        )
        for one in void
        if one.ticket_type in seated
    ]
    if fresh:
        await add_seats(tx, fresh, move)
