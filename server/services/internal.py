"""What other services may ask about tickets: one as it is stored, and places held for a user of theirs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from server.domain.access import Role, ServiceCaller, User
from server.services.context import Context
from server.services.idempotency import Answer
from server.services.ports import Unit
from server.services.problems import LimitExceeded, TicketUnknown
from server.services.reserve import ReserveRequest, WishedLine, reserve
from shared.ids import EventId, OrderId, TenantId, TicketId, TicketTypeId, UserId
from shared.tickets.lifecycle import State


class InternalTicket(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket as other services see it: no holder's name, and nothing codes are made of."""

    id: TicketId
    tenant_id: TenantId
    event_id: EventId
    ticket_type_id: TicketTypeId
    owner_id: UserId | None
    order_id: OrderId | None
    status: State
    seat: str | None
    locked: bool
    generation: int
    version: int
    valid_from: datetime | None
    valid_until: datetime | None


class ReserveForUser(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """For whom places are held, and how many; of a seat there is one."""

    user_id: UserId
    quantity: Annotated[int, Meta(ge=1, le=10)] = 1


async def read_ticket(context: Context, caller: ServiceCaller, ticket_id: TicketId) -> InternalTicket:
    """Return a ticket of the tenant the caller signed for.

    Raises:
        TicketUnknown: that tenant has none of this id.
    """
    async with context.db.tenant(caller.tenant) as tx:
        ticket = await tx.tickets.get(ticket_id)
    if ticket is None:
        raise TicketUnknown("This organiser has no such ticket.")
    return InternalTicket(
        id=ticket.id,
        tenant_id=ticket.tenant,
        event_id=ticket.event,
        ticket_type_id=ticket.ticket_type,
        owner_id=ticket.owner,
        order_id=ticket.order,
        status=ticket.state,
        seat=ticket.seat or None,
        locked=ticket.locked is not None,
        generation=ticket.generation,
        version=ticket.version,
        valid_from=ticket.valid_from,
        valid_until=ticket.valid_until,
    )


async def reserve_for_user(
    context: Context, caller: ServiceCaller, key: str | None, ticket_id: TicketId, request: ReserveForUser
) -> Answer:
    """Hold a seat, or places of a ticket type, for a user, as if the user had asked.

    The id is that of a seat's ticket, which is there before it is sold; or of a ticket type, of which so many places are
    held; or of any ticket that is no seat's, which stands for its type.

    Raises:
        TicketUnknown: the tenant has neither ticket nor type of this id.
        Whatever else ``reserve`` raises.
    """
    async with context.db.tenant(caller.tenant) as tx:
        wish = await _find_wish(tx, ticket_id, request.quantity)
    user = User(tenant=caller.tenant, user=request.user_id, role=Role.CUSTOMER)
    return await reserve(context, user, key, wish)


async def _find_wish(tx: Unit, wanted: TicketId, quantity: int) -> ReserveRequest:
    ticket = await tx.tickets.get(wanted)
    kind = await tx.stock.get(TicketTypeId(wanted) if ticket is None else ticket.ticket_type)
    if kind is None:
        raise TicketUnknown("This organiser has neither ticket nor ticket type of this id.")
    if ticket is not None and kind.seated:
        if quantity != 1:
            raise LimitExceeded("A seat is one place: to hold several, name the ticket type.")
        return ReserveRequest(event_id=kind.event, seats=[ticket.id])
    return ReserveRequest(event_id=kind.event, tickets=[WishedLine(ticket_type_id=kind.id, quantity=quantity)])
