"""What an event sells and how much of it is left: kept for a moment, because everybody asks at once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import structlog
from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.listing import find_public_event
from server.services.ports_ephemeral import EphemeralAway
from server.services.rows import EventState
from shared.ids import EventId, TenantId, TicketTypeId

KEPT = timedelta(seconds=2)
"""How old an answer may be. A reservation decides by the rows themselves, never by this."""

log = structlog.get_logger()


class TicketTypeView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What can be bought; how many were sold is the organiser's business."""

    id: TicketTypeId
    event_id: EventId
    name: str
    price_cents: int
    currency: str
    available: int
    max_per_order: int
    seated: bool


_decoder = msgspec.json.Decoder(list[TicketTypeView])


async def list_ticket_types(context: Context, user: User, event_id: EventId) -> list[TicketTypeView]:
    """Return what a published event sells, as it was a moment ago at most.

    Raises:
        EventUnknown: there is none.
    """
    kept = await context.ephemeral.get(user.tenant, _key(event_id))
    if kept is not None:
        return _decoder.decode(kept)
    async with context.db.tenant(user.tenant) as tx:
        event = await find_public_event(tx, event_id)
        rows = await tx.stock.of_event(event_id)
    views = [
        TicketTypeView(
            id=row.id,
            event_id=row.event,
            name=row.name,
            price_cents=row.price_cents,
            currency=row.currency,
            # What counters are left with when the sale stopped is nothing that anybody could have.
            available=row.available if event.state is EventState.OPEN else 0,
            max_per_order=row.max_per_order,
            seated=row.seated,
        )
        for row in rows
    ]
    await context.ephemeral.put(user.tenant, _key(event_id), msgspec.json.encode(views), KEPT)
    return views


async def forget_availability(context: Context, tenant: TenantId, event_id: EventId) -> None:
    """Have the next who asks look at the rows again; without the store they do so in a moment anyway."""
    try:
        await context.ephemeral.forget(tenant, _key(event_id))
    except EphemeralAway:
        log.info("availability.not_forgotten", event_id=str(event_id))


def _key(event_id: EventId) -> str:
    return f"ticket-types:{event_id}"
