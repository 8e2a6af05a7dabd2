"""A venue to try things with: two organisers, an event of 5,000 places, and one of another organiser beside it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from msgspec import Struct
from msgspec.structs import replace

from server.services.codes import event_over
from server.services.context import Context
from server.services.publish import OfferedType, Publication, publish_event
from server.services.rows import EventRow
from shared.admission.policy import Policy, Window
from shared.ids import EventId, TenantId, TicketTypeId, UserId, VenueId
from shared.problems import InputUnusable

_NAMES = UUID("6f2b2a52-6d0e-4f0c-9a86-0d5d3f7f5a11")
PLACES = 5000
"""How many places the main event has unless asked otherwise."""

_SALE_AHEAD = timedelta(days=30)
_LASTS = timedelta(days=7)
_CURRENCY = "EUR"


class SeededType(Struct, frozen=True, kw_only=True):
    """One ticket type."""

    id: TicketTypeId
    name: str
    price_cents: int
    currency: str
    places: int


class SeededEvent(Struct, frozen=True, kw_only=True):
    """One organiser's event, and the accounts made for trying it: an organiser, two attendees."""

    tenant: TenantId
    tenant_name: str
    event: EventId
    event_name: str
    types: tuple[SeededType, ...]
    organiser: UserId
    attendee: UserId
    friend: UserId


class Seeds(Struct, frozen=True, kw_only=True):
    """What the seeding made or found."""

    main: SeededEvent
    other: SeededEvent


class _Offer(Struct, frozen=True, kw_only=True):
    name: str
    price_cents: int
    places: int
    zones: int = 1


class _Organiser(Struct, frozen=True, kw_only=True):
    name: str
    venue: str
    event: str
    offers: tuple[_Offer, ...]


_MAIN = _Organiser(
    name="Harbour Nights",
    venue="Pier Hall",
    event="Harbour Nights Opening",
    offers=(
        _Offer(name="Standing", price_cents=4500, places=3800),
        _Offer(name="Balcony", price_cents=7200, places=1000),
        _Offer(name="Lounge", price_cents=15000, places=200, zones=3),
    ),
)
_OTHER = _Organiser(
    name="North Quay Theatre",
    venue="Quay Stage",
    event="The Long Rehearsal",
    offers=(_Offer(name="Stalls", price_cents=3200, places=100),),
)


async def seed(context: Context, *, places: int | None = None) -> Seeds:
    """Put both events on sale unless they are there; an event that is over gets a successor.

    ``places`` is how many the main event has in all, 5,000 unless given.

    Raises:
        InputUnusable: fewer places than ticket types.
    """
    main = _MAIN if places is None else _resize(_MAIN, places)
    return Seeds(main=await _seed_one(context, main), other=await _seed_one(context, _OTHER))


def name_seeds() -> Seeds:
    """Return what a first seeding makes, without looking whether it is there."""
    return Seeds(main=_describe(_MAIN, 0), other=_describe(_OTHER, 0))


async def _seed_one(context: Context, organiser: _Organiser) -> SeededEvent:
    now = context.clock.now()
    tenant = TenantId(_name(organiser.name))
    number = 0
    while (event := await _find(context, tenant, _event_id(organiser, number))) and now >= event_over(event):
        number += 1
    if event is None:
        await publish_event(context, _publication(organiser, number, now))
    async with context.db.tenant(tenant) as tx:
        stored = {one.id: one.total for one in await tx.stock.of_event(_event_id(organiser, number))}
    described = _describe(organiser, number)
    return replace(described, types=tuple(replace(one, places=stored[one.id]) for one in described.types))


def _resize(organiser: _Organiser, places: int) -> _Organiser:
    """Give an event another number of places, in the same proportions; the first type takes what rounding leaves."""
    if places < len(organiser.offers):
        raise InputUnusable(f"an event with {len(organiser.offers)} ticket types has at least as many places")
    total = sum(offer.places for offer in organiser.offers)
    others = [replace(one, places=max(1, one.places * places // total)) for one in organiser.offers[1:]]
    first = replace(organiser.offers[0], places=places - sum(one.places for one in others))
    return replace(organiser, offers=(first, *others))


def _describe(organiser: _Organiser, number: int) -> SeededEvent:
    return SeededEvent(
        tenant=TenantId(_name(organiser.name)),
        tenant_name=organiser.name,
        event=_event_id(organiser, number),
        event_name=organiser.event,
        types=tuple(
            SeededType(
                id=_type_id(organiser, number, offer),
                name=offer.name,
                price_cents=offer.price_cents,
                currency=_CURRENCY,
                places=offer.places,
            )
            for offer in organiser.offers
        ),
        organiser=UserId(_name(organiser.name, "organiser")),
        attendee=UserId(_name(organiser.name, "attendee")),
        friend=UserId(_name(organiser.name, "friend")),
    )


async def _find(context: Context, tenant: TenantId, event: EventId) -> EventRow | None:
    async with context.db.tenant(tenant) as tx:
        return await tx.events.get(event)


def _publication(organiser: _Organiser, number: int, now: datetime) -> Publication:
    doors = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    window = Window(doors=doors, starts=doors + timedelta(hours=2), ends=doors + _LASTS)
    return Publication(
        tenant=TenantId(_name(organiser.name)),
        tenant_name=organiser.name,
        venue=VenueId(_name(organiser.name, organiser.venue)),
        venue_name=organiser.venue,
        event=_event_id(organiser, number),
        name=organiser.event,
        policy=Policy(version=1, window=window),
        sale_starts=now - _SALE_AHEAD,
        sale_ends=window.ends,
        types=tuple(
            OfferedType(
                id=_type_id(organiser, number, offer),
                product=product,
                name=offer.name,
                price_cents=offer.price_cents,
                currency=_CURRENCY,
                total=offer.places,
                zones=offer.zones,
            )
            for product, offer in enumerate(organiser.offers, start=1)
        ),
    )


def _event_id(organiser: _Organiser, number: int) -> EventId:
    return EventId(_name(organiser.name, organiser.event, str(number)))


def _type_id(organiser: _Organiser, number: int, offer: _Offer) -> TicketTypeId:
    return TicketTypeId(_name(organiser.name, organiser.event, str(number), offer.name))


def _name(*parts: str) -> UUID:
    return uuid5(_NAMES, "/".join(parts))
