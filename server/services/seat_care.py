"""Seats that are there: given another label, or taken out of the sale, as long as nobody has them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import User
from server.domain.names import read_name
from server.services.availability import forget_availability
from server.services.context import Context
from server.services.event_views import OrganiserType
from server.services.events import lock_going_event
from server.services.ports import Unit
from server.services.problems_attendee import SeatUnknown
from server.services.problems_organiser import SeatExists, SeatNotFree
from server.services.rows import ActorRef, TicketRow
from server.services.seats import SOURCE, SeatView
from server.services.stock_care import read_type
from server.services.transition import Changes, Move, move_seats, move_tickets
from shared.ids import EventId, TicketId
from shared.tickets.lifecycle import Actor, State

_WITHDRAWN = "withdrawn"


class SeatChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to stand on a seat."""

    label: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]


class SeatWithdrawn(Struct, frozen=True, kw_only=True, rename="camel"):
    """A seat that is there no more, and the stock of its type now."""

    label: str
    ticket_type: OrganiserType


async def rename_seat(
    context: Context, user: User, event_id: EventId, seat_id: TicketId, changes: SeatChanges
) -> SeatView:
    """Give a free seat another label.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        SeatUnknown: it has no such seat.
        SeatNotFree: somebody has it, or is taking it right now.
        SeatExists: another seat is called that.
        NameUnusable: of the label.
    """
    label = read_name(changes.label, 100, "seat's label")
    async with context.db.tenant(user.tenant) as tx:
        seat = await _lock_free(tx, event_id, seat_id)
        if label != seat.seat:
            if not await tx.organising.rename_seat(event_id, seat.seat, label):
                raise SeatExists(f"The event has a seat '{label}' already.")
            move = Move(
                to=State.AVAILABLE,
                actor=_by(user),
                source=SOURCE,
                now=context.clock.now(),
                stays=True,
                changes=Changes(seat=label),
            )
            await move_seats(tx, [seat], move)
    return SeatView(label=label, ticket_type_id=seat.ticket_type, free=True, seat_id=seat.id)


async def withdraw_seat(context: Context, user: User, event_id: EventId, seat_id: TicketId) -> SeatWithdrawn:
    """Take a free seat out of the sale for good; its label may be used for another one.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        SeatUnknown: it has no such seat.
        SeatNotFree: somebody has it, or is taking it right now.
    """
    async with context.db.tenant(user.tenant) as tx:
        seat = await _lock_free(tx, event_id, seat_id)
        move = Move(to=State.CANCELLED, actor=_by(user), source=SOURCE, now=context.clock.now(), reason=_WITHDRAWN)
        await move_tickets(tx, context.vault, [seat], await tx.stock.of_event(event_id), move)
        await tx.organising.drop_seat(event_id, seat.seat)
        await tx.organising.add_stock(seat.ticket_type, -1)
        view = SeatWithdrawn(label=seat.seat, ticket_type=await read_type(tx, seat.ticket_type))
    await forget_availability(context, user.tenant, event_id)
    return view


async def _lock_free(tx: Unit, event_id: EventId, seat_id: TicketId) -> TicketRow:
    """Lock the event, the seat's type and the seat, in the order in which everybody does."""
    await lock_going_event(tx, event_id)
    (found,) = await tx.tickets.get_all([seat_id]) or (None,)
    if found is None or found.event != event_id or not found.seat or found.state is State.CANCELLED:
        raise SeatUnknown("This event has no such seat: look at its seats again.")
    await tx.stock.lock([found.ticket_type])
    free = await tx.tickets.lock_free([seat_id])
    if not free:
        raise SeatNotFree("Somebody has this seat, or is taking it right now.")
    return free[0]


def _by(user: User) -> ActorRef:
    return ActorRef(kind=Actor.ORGANISER, id=str(user.user))
