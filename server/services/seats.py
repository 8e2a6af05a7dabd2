"""Numbered seats: added by their labels, each a ticket from the start, and shown with what is free."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from server.domain.access import User
from server.domain.names import read_name
from server.services.context import Context
from server.services.event_views import OrganiserType
from server.services.events import lock_going_event
from server.services.idempotency import Answer, name_call, run_once
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.problems import TicketTypeUnknown
from server.services.problems_organiser import NotSeated, SeatExists
from server.services.rows import ActorRef, EventState, Page, TicketRow, TicketTypeRow
from server.services.rows_organiser import SeatRow
from server.services.stock_care import check_visible, read_type
from server.services.transition import Move, add_seats
from shared.ids import EventId, TicketId, TicketTypeId, uuid7
from shared.tickets.lifecycle import Actor, State

SOURCE = "organiser"

Label = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Labels = Annotated[list[Label], Meta(min_length=1, max_length=100)]


class SeatsRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """New seats of one ticket type, by the label that stands on them; a label is there once in an event."""

    ticket_type_id: TicketTypeId
    labels: Labels


class SeatsAdded(Struct, frozen=True, kw_only=True, rename="camel"):
    """How many seats were added, and the stock of their type now."""

    added: int
    ticket_type: OrganiserType


class SeatView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A seat; ``seat_id`` is by what a free one is reserved, null while it is held or sold."""

    label: str
    ticket_type_id: TicketTypeId
    free: bool
    seat_id: TicketId | None


async def create_seats(
    context: Context, user: User, key: str | None, event_id: EventId, request: SeatsRequest
) -> Answer:
    """Add seats, all or none.

    Raises:
        EventUnknown, EventStateWrong, TicketTypeUnknown: of event and type.
        NotSeated: the type counts places and has no seats.
        SeatExists: a label is there already, or twice in the request.
        NameUnusable: of a label.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, f"seats/{event_id}", key, request)
    labels = [read_name(one, 100, "seat's label") for one in request.labels]
    now = context.clock.now()

    async def work(tx: Unit) -> SeatsAdded:
        await lock_going_event(tx, event_id)
        locked = await _lock_seated(tx, event_id, request.ticket_type_id)
        # Sorted, so that seats made in one moment are listed in the order in which they were named.
        ids = sorted(uuid7(now, context.random_bytes) for _ in labels)
        seats = [
            SeatRow(id=seat, event=event_id, ticket_type=locked.id, label=label)
            for seat, label in zip(ids, labels, strict=True)
        ]
        new = await tx.organising.add_seats(seats)
        if len(new) != len(labels):
            there = next(label for label in labels if label not in new or labels.count(label) > 1)
            raise SeatExists(f"The event has a seat '{there}' already; none of these were added.")
        move = Move(to=State.AVAILABLE, actor=ActorRef(kind=Actor.ORGANISER, id=str(user.user)), source=SOURCE, now=now)
        await add_seats(tx, [_place(seat, user) for seat in seats], move)
        await tx.organising.add_stock(locked.id, len(seats))
        return SeatsAdded(added=len(seats), ticket_type=await read_type(tx, locked.id))

    return await run_once(context.db, call, 201, work)


async def list_seats(
    context: Context, user: User, event_id: EventId, ticket_type: TicketTypeId | None, page: Page
) -> Listed[SeatView]:
    """Return seats in the order in which they were made, and whether they are free.

    Raises:
        EventUnknown: none that this user may see.
    """
    async with context.db.tenant(user.tenant) as tx:
        event = await check_visible(tx, user, event_id)
        rows = await tx.organising.seats(event_id, ticket_type, Page(after=page.after, limit=page.limit + 1))
    over = event.state in {EventState.CLOSED, EventState.CANCELLED}
    shown = [replace(one, free=None) if over else one for one in rows[: page.limit]]
    items = [
        SeatView(label=one.label, ticket_type_id=one.ticket_type, free=one.free is not None, seat_id=one.free)
        for one in shown
    ]
    return Listed(items=items, next_after=shown[-1].id if len(rows) > page.limit else None)


async def _lock_seated(tx: Unit, event_id: EventId, ticket_type: TicketTypeId) -> TicketTypeRow:
    locked = await tx.stock.lock([ticket_type])
    if not locked or locked[0].event != event_id:
        raise TicketTypeUnknown("The event sells no such ticket type.")
    if not locked[0].seated:
        raise NotSeated("This ticket type counts its places: make a type with `seated` for seats.")
    return locked[0]


def _place(seat: SeatRow, user: User) -> TicketRow:
    return TicketRow(
        tenant=user.tenant,
        id=TicketId(UUID(bytes=seat.id.bytes)),
        event=seat.event,
        ticket_type=seat.ticket_type,
        order=None,
        owner=None,
        holder_name="",
        seat=seat.label,
        state=State.AVAILABLE,
        generation=0,
        version=1,
        locked=None,
        valid_from=None,
        valid_until=None,
    )
