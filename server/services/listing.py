"""What people may look at: events, what they sell, and their own tickets."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.rows import EventRow, EventState, Page, TicketRow, TicketTypeRow
from server.services.show_code import find_own_ticket
from shared.ids import EventId, TicketId, TicketTypeId, VenueId
from shared.problems import Internal
from shared.tickets.lifecycle import State

ItemT = TypeVar("ItemT")
_ViewT = TypeVar("_ViewT", "EventView", "TicketView")


class Listed(Struct, Generic[ItemT], frozen=True, kw_only=True):
    """One page; ``next_after`` is where the next one begins, None at the end."""

    items: list[ItemT]
    next_after: UUID | None


class EventView(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event as everybody sees it."""

    id: EventId
    venue_id: VenueId
    name: str
    status: EventState
    doors_at: datetime
    starts_at: datetime
    ends_at: datetime
    sale_starts_at: datetime
    sale_ends_at: datetime
    max_per_user: int


class TicketTypeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What can be bought; how many were sold is the organiser's business."""

    id: TicketTypeId
    event_id: EventId
    name: str
    price_cents: int
    currency: str
    available: int
    max_per_order: int


class TicketView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket as its owner sees it."""

    id: TicketId
    event_id: EventId
    event_name: str
    ticket_type_id: TicketTypeId
    ticket_type_name: str
    status: State
    locked: bool
    seat: str
    valid_from: datetime
    valid_until: datetime


async def list_events(context: Context, user: User, page: Page) -> Listed[EventView]:
    """Return the tenant's published events, newest first."""
    async with context.db.tenant(user.tenant) as tx:
        rows = await tx.events.list_public(_one_more(page))
    return _cut([_view_event(row) for row in rows], page)


async def read_event(context: Context, user: User, event_id: EventId) -> EventView:
    """Return a published event.

    Raises:
        EventUnknown: there is none.
    """
    async with context.db.tenant(user.tenant) as tx:
        return _view_event(await find_public_event(tx, event_id))


async def list_ticket_types(context: Context, user: User, event_id: EventId) -> list[TicketTypeView]:
    """Return what a published event sells.

    Raises:
        EventUnknown: there is none.
    """
    async with context.db.tenant(user.tenant) as tx:
        await find_public_event(tx, event_id)
        rows = await tx.stock.of_event(event_id)
    return [
        TicketTypeView(
            id=row.id,
            event_id=row.event,
            name=row.name,
            price_cents=row.price_cents,
            currency=row.currency,
            available=row.available,
            max_per_order=row.max_per_order,
        )
        for row in rows
    ]


async def list_tickets(context: Context, user: User, event: EventId | None, page: Page) -> Listed[TicketView]:
    """Return the caller's tickets, newest first."""
    async with context.db.tenant(user.tenant) as tx:
        rows = await tx.tickets.list_of_owner(user.user, event, _one_more(page))
        views = await _view_tickets(tx, rows)
    return _cut(views, page)


async def read_ticket(context: Context, user: User, ticket_id: TicketId) -> TicketView:
    """Return one of the caller's tickets.

    Raises:
        TicketUnknown: none of theirs.
    """
    async with context.db.tenant(user.tenant) as tx:
        (view,) = await _view_tickets(tx, [await find_own_ticket(tx, user, ticket_id)])
    return view


async def find_public_event(tx: Unit, event_id: EventId) -> EventRow:
    """Return an event that is no draft.

    Raises:
        EventUnknown: there is none.
    """
    event = await tx.events.get(event_id)
    if event is None or event.state is EventState.DRAFT:
        raise EventUnknown("There is no such event.")
    return event


async def _view_tickets(tx: Unit, rows: list[TicketRow]) -> list[TicketView]:
    events: dict[EventId, EventRow] = {}
    types: dict[TicketTypeId, TicketTypeRow] = {}
    for event_id in {row.event for row in rows}:
        event = await tx.events.get(event_id)
        if event is None:
            raise Internal("A ticket's event cannot be found: the database is damaged.")
        events[event_id] = event
        types |= {one.id: one for one in await tx.stock.of_event(event_id)}
    return [_view_ticket(row, events[row.event], types[row.ticket_type]) for row in rows]


def _view_ticket(row: TicketRow, event: EventRow, ticket_type: TicketTypeRow) -> TicketView:
    return TicketView(
        id=row.id,
        event_id=row.event,
        event_name=event.name,
        ticket_type_id=row.ticket_type,
        ticket_type_name=ticket_type.name,
        status=row.state,
        locked=row.locked is not None,
        seat=row.seat,
        valid_from=row.valid_from or event.policy.window.doors,
        valid_until=row.valid_until or event.policy.window.ends,
    )


def _view_event(row: EventRow) -> EventView:
    window = row.policy.window
    return EventView(
        id=row.id,
        venue_id=row.venue_id,
        name=row.name,
        status=row.state,
        doors_at=window.doors,
        starts_at=window.starts,
        ends_at=window.ends,
        sale_starts_at=row.sale_starts,
        sale_ends_at=row.sale_ends,
        max_per_user=row.max_per_user,
    )


def _one_more(page: Page) -> Page:
    """Ask for one row more than wanted: it tells whether there is a next page."""
    return Page(after=page.after, limit=page.limit + 1)


def _cut(items: list[_ViewT], page: Page) -> Listed[_ViewT]:
    if len(items) <= page.limit:
        return Listed(items=items, next_after=None)
    shown = items[: page.limit]
    return Listed(items=shown, next_after=shown[-1].id)
