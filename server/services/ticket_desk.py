"""An organiser's view of tickets: lists of an event's, and one with everything that happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.events import find_event
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.problems import TicketTypeUnknown, TicketUnknown
from server.services.rows import HistoryRow, Page, TicketRow, TicketTypeRow
from server.services.rows_organiser import TicketFilter
from shared.ids import EventId, OrderId, TenantId, TicketId, TicketTypeId, UserId
from shared.tickets.lifecycle import Actor, State


class TicketSummary(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket in its organiser's list; ``locked`` is the reason while it is locked."""

    id: TicketId
    event_id: EventId
    ticket_type_id: TicketTypeId
    ticket_type_name: str
    owner_id: UserId | None
    holder_name: str
    seat: str
    status: State
    locked: str | None
    generation: int
    version: int
    external_id: str | None


class StepView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One step of a ticket's life: who did it, why, and from where it was asked for."""

    version: int
    from_status: State | None
    to_status: State
    generation: int
    actor_kind: Actor
    actor_id: str
    reason: str | None
    source: str
    at: datetime


class OrganiserTicket(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket with its history, the first step first."""

    id: TicketId
    event_id: EventId
    ticket_type_id: TicketTypeId
    ticket_type_name: str
    order_id: OrderId | None
    owner_id: UserId | None
    holder_name: str
    seat: str
    status: State
    locked: str | None
    generation: int
    version: int
    external_id: str | None
    valid_from: datetime | None
    valid_until: datetime | None
    history: list[StepView]


async def list_tickets(
    context: Context, user: User, event_id: EventId, wanted: TicketFilter, page: Page
) -> Listed[TicketSummary]:
    """Return an event's tickets, newest first.

    Raises:
        EventUnknown: none of this tenant's.
    """
    async with context.db.tenant(user.tenant) as tx:
        await find_event(tx, event_id)
        types = {one.id: one for one in await tx.stock.of_event(event_id)}
        rows = await tx.organising.list_tickets(event_id, wanted, Page(after=page.after, limit=page.limit + 1))
    shown = rows[: page.limit]
    items = [_summarise(one.ticket, types, one.external_id) for one in shown]
    return Listed(items=items, next_after=shown[-1].ticket.id if len(rows) > page.limit else None)


async def read_ticket(context: Context, tenant: TenantId, ticket_id: TicketId) -> OrganiserTicket:
    """Return a ticket with its history.

    Raises:
        TicketUnknown: none of this tenant's.
    """
    async with context.db.tenant(tenant) as tx:
        ticket = await tx.tickets.get(ticket_id)
        if ticket is None:
            raise TicketUnknown("There is no such ticket.")
        return await view_ticket(tx, ticket)


async def view_ticket(tx: Unit, ticket: TicketRow) -> OrganiserTicket:
    """Return a ticket as its organiser sees it, within the transaction that read or changed it."""
    ticket_type = await tx.stock.get(ticket.ticket_type)
    if ticket_type is None:
        raise TicketTypeUnknown("The ticket's type is gone.")
    history = await tx.tickets.history(ticket.id)
    return OrganiserTicket(
        id=ticket.id,
        event_id=ticket.event,
        ticket_type_id=ticket.ticket_type,
        ticket_type_name=ticket_type.name,
        order_id=ticket.order,
        owner_id=ticket.owner,
        holder_name=ticket.holder_name,
        seat=ticket.seat,
        status=ticket.state,
        locked=ticket.locked,
        generation=ticket.generation,
        version=ticket.version,
        external_id=await tx.organising.external_id(ticket.id),
        valid_from=ticket.valid_from,
        valid_until=ticket.valid_until,
        history=[_view_step(one) for one in history],
    )


def _summarise(
    ticket: TicketRow, types: Mapping[TicketTypeId, TicketTypeRow], external_id: str | None
) -> TicketSummary:
    return TicketSummary(
        id=ticket.id,
        event_id=ticket.event,
        ticket_type_id=ticket.ticket_type,
        ticket_type_name=types[ticket.ticket_type].name,
        owner_id=ticket.owner,
        holder_name=ticket.holder_name,
        seat=ticket.seat,
        status=ticket.state,
        locked=ticket.locked,
        generation=ticket.generation,
        version=ticket.version,
        external_id=external_id,
    )


def _view_step(row: HistoryRow) -> StepView:
    return StepView(
        version=row.version,
        from_status=row.from_state,
        to_status=row.to_state,
        generation=row.generation,
        actor_kind=row.actor.kind,
        actor_id=row.actor.id,
        reason=row.reason,
        source=row.source,
        at=row.at,
    )
