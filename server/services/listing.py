"""What people may look at before they buy: events, and what they sell."""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.rows import EventRow, EventState, Page
from shared.ids import EventId, VenueId

ItemT = TypeVar("ItemT")


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


async def find_public_event(tx: Unit, event_id: EventId) -> EventRow:
    """Return an event that is no draft.

    Raises:
        EventUnknown: there is none.
    """
    event = await tx.events.get(event_id)
    if event is None or event.state is EventState.DRAFT:
        raise EventUnknown("There is no such event.")
    return event


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


def _cut(items: list[EventView], page: Page) -> Listed[EventView]:
    if len(items) <= page.limit:
        return Listed(items=items, next_after=None)
    shown = items[: page.limit]
    return Listed(items=shown, next_after=shown[-1].id)
