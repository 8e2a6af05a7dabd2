"""What somebody has: their tickets, and what happened to each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.codes import number_ticket
from server.services.context import Context
from server.services.keys import MasterSecrets
from server.services.nft_views import NftView, view_asset
from server.services.page_marks import Wish, leave_marks, read_mark
from server.services.problems import TicketUnknown
from server.services.rows import HistoryRow
from server.services.rows_attendee import TOP, HeldTicket, TicketSearch
from server.services.rows_nft import AssetRow
from server.services.show_code import find_own_ticket
from shared.ids import EventId, TicketId, TicketTypeId
from shared.tickets.lifecycle import Actor, State

FAR = 500
"""From how many tickets down a numbered page has bookmarks; before that it is always counted anew."""


class TicketView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket as its owner sees it.

    ``number`` is what to tell the people at a gate when the code cannot be read; empty where its keys were retired. ``nft`` is
    the ticket's copy on chain, null where the event has none.
    """

    id: TicketId
    number: str
    event_id: EventId
    event_name: str
    event_starts_at: datetime
    ticket_type_id: TicketTypeId
    ticket_type_name: str
    status: State
    locked: bool
    seat: str
    valid_from: datetime
    valid_until: datetime
    nft: NftView | None


class Held(Struct, frozen=True, kw_only=True):
    """One page of tickets; ``next_after`` is where the next one begins, None at the end."""

    items: list[TicketView]
    next_after: UUID | None


class StepView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One step of a ticket's life as its owner sees it: what it became, when, and by what kind of party."""

    version: int
    from_status: State | None
    to_status: State
    by: Actor
    at: datetime


class Life(Struct, frozen=True, kw_only=True):
    """The latest steps of a ticket, the first of them first; ``earlier`` tells whether there are more before them."""

    steps: list[StepView]
    earlier: bool


async def list_tickets(context: Context, user: User, wish: Wish) -> Held:
    """Return the caller's tickets, newest first.

    A page far down is found by the bookmark that the page before it left, so that it costs what the first one costs; only
    a leap to where nobody was lately passes over what lies before, in the index alone.
    """
    skip = (wish.page - 1) * wish.limit
    far = skip >= FAR
    mark = await read_mark(context, user, wish) if far else None
    search = TicketSearch(
        owner=user.user,
        event=wish.event,
        state=wish.state,
        below=mark or wish.after or TOP,
        skip=0 if mark else skip,
        limit=wish.limit + 1,
    )
    async with context.db.tenant(user.tenant) as tx:
        rows = await tx.tickets.search(search)
        assets = {one.ticket: one for one in await tx.assets.of_tickets([row.id for row in rows])} if rows else {}
        masters = await context.vault.known_masters(tx)
    shown = [_view(row, masters, assets.get(row.id)) for row in rows[: wish.limit]]
    more = len(rows) > wish.limit
    if shown and skip + wish.limit >= FAR:
        await leave_marks(context, user, wish, (shown[0].id, shown[-1].id) if more else (shown[0].id, None))
    return Held(items=shown, next_after=shown[-1].id if more else None)


async def read_ticket(context: Context, user: User, ticket_id: TicketId) -> TicketView:
    """Return one of the caller's tickets.

    Raises:
        TicketUnknown: none of theirs.
    """
    async with context.db.tenant(user.tenant) as tx:
        await find_own_ticket(tx, user, ticket_id)
        row = await tx.tickets.held(ticket_id)
        assets = await tx.assets.of_tickets([ticket_id])
        masters = await context.vault.known_masters(tx)
    if row is None:
        raise TicketUnknown("You have no such ticket.")
    return _view(row, masters, assets[0] if assets else None)


async def read_life(context: Context, user: User, ticket_id: TicketId, *, before: int, limit: int) -> Life:
    """Return what happened to one of the caller's tickets: the latest steps to versions below ``before``.

    Raises:
        TicketUnknown: none of theirs.
    """
    async with context.db.tenant(user.tenant) as tx:
        await find_own_ticket(tx, user, ticket_id)
        rows = await tx.tickets.steps_before(ticket_id, before, limit + 1)
    steps = [_view_step(row) for row in reversed(rows[:limit])]
    return Life(steps=steps, earlier=len(rows) > limit)


def _view(row: HeldTicket, masters: MasterSecrets | None, asset: AssetRow | None) -> TicketView:
    secret = masters.secrets.get(row.master) if masters is not None else None
    return TicketView(
        id=row.id,
        number="" if secret is None else number_ticket(secret, row.id, row.generation),
        event_id=row.event,
        event_name=row.event_name,
        event_starts_at=row.starts,
        ticket_type_id=row.ticket_type,
        ticket_type_name=row.ticket_type_name,
        status=row.state,
        locked=row.locked,
        seat=row.seat,
        valid_from=row.valid_from or row.doors,
        valid_until=row.valid_until or row.ends,
        nft=view_asset(asset),
    )


def _view_step(row: HistoryRow) -> StepView:
    return StepView(
        version=row.version, from_status=row.from_state, to_status=row.to_state, by=row.actor.kind, at=row.at
    )
