"""Putting an event and what it sells on sale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from server.services.context import Context
from server.services.rows import EventRow, EventState, TicketTypeRow, VenueRow
from shared.admission.policy import Policy
from shared.ids import EventId, TenantId, TicketTypeId, VenueId
from shared.sync.feed import PolicyEntry

REVEAL_AHEAD = timedelta(hours=6)
EPOCH_S = 24 * 3600
SLOT_S = 15


class OfferedType(Struct, frozen=True, kw_only=True):
    """One ticket type of a new event; ``product`` is its short number inside codes."""

    id: TicketTypeId
    product: int
    name: str
    price_cents: int
    currency: str
    total: int
    zones: int = 1
    entries: int = 0
    code_policy: int = 0
    max_per_order: int = 10


class Publication(Struct, frozen=True, kw_only=True):
    """A new event with its venue and tenant, each made known if it is not.

    Phones get their seeds from ``reveal_at``, by default six hours before doors; key epochs are counted from
    ``epoch_zero``, by default the midnight (UTC) before that, so that no code exists that nobody can use.
    """

    tenant: TenantId
    tenant_name: str
    venue: VenueId
    venue_name: str
    event: EventId
    name: str
    policy: Policy
    sale_starts: datetime
    sale_ends: datetime
    types: tuple[OfferedType, ...]
    max_per_user: int = 20
    slot_s: int = SLOT_S
    epoch_s: int = EPOCH_S
    epoch_zero: datetime | None = None
    reveal_at: datetime | None = None


async def publish_event(context: Context, publication: Publication) -> bool:
    """Put an event on sale; return False if it was already there, and change nothing then."""
    event = _draft_event(publication)
    async with context.db.tenant(publication.tenant) as tx:
        await tx.events.add_tenant(publication.tenant_name)
        await tx.events.add_venue(
            VenueRow(tenant=publication.tenant, id=publication.venue, name=publication.venue_name)
        )
        if not await tx.events.add(event):
            return False
        for offered in publication.types:
            await tx.stock.add(_stock(publication, offered))
        await tx.outbox.append(event.id, [PolicyEntry(seq=0, policy=event.policy)])
    return True


def _draft_event(publication: Publication) -> EventRow:
    reveal_at = publication.reveal_at or publication.policy.window.doors - REVEAL_AHEAD
    midnight = reveal_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return EventRow(
        tenant=publication.tenant,
        id=publication.event,
        venue_id=publication.venue,
        name=publication.name,
        state=EventState.OPEN,
        policy=publication.policy,
        sale_starts=publication.sale_starts,
        sale_ends=publication.sale_ends,
        max_per_user=publication.max_per_user,
        slot_s=publication.slot_s,
        epoch_zero=publication.epoch_zero or midnight,
        epoch_s=publication.epoch_s,
        reveal_at=reveal_at,
        bundle_version=1,
    )


def _stock(publication: Publication, offered: OfferedType) -> TicketTypeRow:
    return TicketTypeRow(
        tenant=publication.tenant,
        id=offered.id,
        event=publication.event,
        product=offered.product,
        name=offered.name,
        price_cents=offered.price_cents,
        currency=offered.currency,
        zones=offered.zones,
        entries=offered.entries,
        code_policy=offered.code_policy,
        max_per_order=offered.max_per_order,
        total=offered.total,
        available=offered.total,
        reserved=0,
        sold=0,
    )
