"""What an event sells: ticket types with their stock, and the zones they lead to."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from server.domain.access import Scope, User
from server.domain.names import read_name
from server.services.context import Context
from server.services.event_requests import Version
from server.services.event_views import OrganiserType, view_type
from server.services.events import find_event, lock_going_event
from server.services.idempotency import Answer, name_call, run_once
from server.services.listing import find_public_event
from server.services.ports import Unit
from server.services.problems import TicketTypeUnknown
from server.services.problems_organiser import (
    StockTaken,
    TooManyTypes,
    TypeInUse,
    VersionStale,
    ZoneTaken,
    ZoneUnknown,
)
from server.services.rows import EventRow, TicketTypeRow
from server.services.rows_organiser import ZoneRow
from shared.admission.policy import ZoneMask
from shared.ids import EventId, TicketTypeId, uuid7
from shared.packed import Bits8

TypeName = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"\S")]
Price = Annotated[int, Meta(ge=0, le=10_000_000)]
Places = Annotated[int, Meta(ge=0, le=1_000_000)]
PerOrder = Annotated[int, Meta(ge=1, le=10)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern=r"^[A-Z]{3}$")]
Bit = Annotated[int, Meta(ge=0, le=15)]

MOST_TYPES = 200


class TypeRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A new ticket type. A ``seated`` one begins with no places: each seat that is added is one."""

    name: TypeName
    price_cents: Price
    currency: Currency
    total: Places = 0
    zones: ZoneMask = 1
    entries: Bits8 = 0
    code_policy: Bits8 = 0
    max_per_order: PerOrder = 10
    seated: bool = False


class TypeChanges(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is to be different; ``version`` is that of the type as the caller has read it."""

    version: Version
    name: TypeName | UnsetType = UNSET
    price_cents: Price | UnsetType = UNSET
    total: Places | UnsetType = UNSET
    zones: ZoneMask | UnsetType = UNSET
    entries: Bits8 | UnsetType = UNSET
    code_policy: Bits8 | UnsetType = UNSET
    max_per_order: PerOrder | UnsetType = UNSET


class ZoneRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A name for one bit of the event's zone masks: bit 0 is the mask 1, bit 15 the mask 32768."""

    bit: Bit
    name: TypeName


class ZoneChanges(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Another name for a zone."""

    name: TypeName


class ZoneView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A zone; ``mask`` is what ticket types and gates add up."""

    bit: int
    mask: int
    name: str


async def add_type(context: Context, user: User, key: str | None, event_id: EventId, request: TypeRequest) -> Answer:
    """Add a ticket type to an event that is not over.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        NameUnusable, StockTaken, TooManyTypes: of what was given.
        KeyUnusable, KeyReused, CallInProgress: of the idempotency key.
    """
    call = name_call(user, f"ticket-type/{event_id}", key, request)
    if request.seated and request.total:
        raise StockTaken("A seated type gets its places with its seats: leave `total` out and add seats.")
    ticket_type = TicketTypeId(uuid7(context.clock.now(), context.random_bytes))

    async def work(tx: Unit) -> OrganiserType:
        await lock_going_event(tx, event_id)
        others = await tx.stock.of_event(event_id)
        if len(others) >= MOST_TYPES:
            raise TooManyTypes(f"An event has at most {MOST_TYPES} ticket types.")
        row = TicketTypeRow(
            tenant=user.tenant,
            id=ticket_type,
            event=event_id,
            product=max((one.product for one in others), default=0) + 1,
            name=read_name(request.name, 100, "ticket type's name"),
            price_cents=request.price_cents,
            currency=request.currency,
            zones=request.zones,
            entries=request.entries,
            code_policy=request.code_policy,
            max_per_order=request.max_per_order,
            total=request.total,
            available=request.total,
            reserved=0,
            sold=0,
        )
        await tx.stock.add(row)
        if request.seated:
            await tx.organising.mark_seated(ticket_type)
        return await read_type(tx, ticket_type)

    return await run_once(context.db, call, 201, work)


async def change_type(
    context: Context, user: User, ticket_type_id: TicketTypeId, changes: TypeChanges
) -> OrganiserType:
    """Change a ticket type. What is reserved keeps the price it was reserved at.

    Raises:
        TicketTypeUnknown: none of this tenant's.
        VersionStale: somebody else changed it meanwhile.
        StockTaken: more than the new total is reserved or sold, or its places are seats.
        TypeInUse: gates know its tickets as they are.
        EventStateWrong: the event is over.
    """
    async with context.db.tenant(user.tenant) as tx:
        found = await tx.stock.get(ticket_type_id)
        if found is None:
            raise TicketTypeUnknown("There is no such ticket type.")
        await lock_going_event(tx, found.event)
        (before,) = await tx.stock.lock([ticket_type_id])
        await tx.organising.change_type(_apply(before, changes))
        return await read_type(tx, ticket_type_id)


async def add_zone(context: Context, user: User, event_id: EventId, request: ZoneRequest) -> ZoneView:
    """Name a zone.

    Raises:
        EventUnknown, EventStateWrong: of the event.
        ZoneTaken: the bit has a name, or the name a bit.
        NameUnusable: of what was given.
    """
    zone = ZoneRow(bit=request.bit, name=read_name(request.name, 100, "zone's name"))
    async with context.db.tenant(user.tenant) as tx:
        await lock_going_event(tx, event_id)
        if not await tx.organising.add_zone(event_id, zone):
            raise ZoneTaken("This bit has a name already, or this name a bit: change that one instead.")
    return _view_zone(zone)


async def rename_zone(context: Context, user: User, event_id: EventId, bit: int, changes: ZoneChanges) -> ZoneView:
    """Give a zone another name.

    Raises:
        EventUnknown, EventStateWrong, ZoneUnknown: of event and zone.
        ZoneTaken: another zone is called that.
        NameUnusable: of what was given.
    """
    zone = ZoneRow(bit=bit, name=read_name(changes.name, 100, "zone's name"))
    async with context.db.tenant(user.tenant) as tx:
        await lock_going_event(tx, event_id)
        others = await tx.organising.zones(event_id)
        if any(one.name == zone.name and one.bit != bit for one in others):
            raise ZoneTaken("Another zone of this event is called that.")
        if not await tx.organising.rename_zone(event_id, zone):
            raise ZoneUnknown("The event has no zone at this bit.")
    return _view_zone(zone)


async def list_zones(context: Context, user: User, event_id: EventId) -> list[ZoneView]:
    """Return the names of an event's zones, sixteen at most.

    Raises:
        EventUnknown: none that this user may see.
    """
    async with context.db.tenant(user.tenant) as tx:
        await check_visible(tx, user, event_id)
        return [_view_zone(one) for one in await tx.organising.zones(event_id)]


async def check_visible(tx: Unit, user: User, event_id: EventId) -> EventRow:
    """Return the event if the user may see it: its organisers see drafts, everybody else does not.

    Raises:
        EventUnknown: otherwise.
    """
    if Scope.EVENTS_MANAGE in user.scopes:
        return await find_event(tx, event_id)
    return await find_public_event(tx, event_id)


def _apply(before: TicketTypeRow, changes: TypeChanges) -> TicketTypeRow:
    if changes.version != before.version:
        raise VersionStale(f"The ticket type has version {before.version} by now: read it again and decide anew.")
    given = {name: value for name in _FIELDS if (value := getattr(changes, name)) is not UNSET}
    if isinstance(changes.name, str):
        given["name"] = read_name(changes.name, 100, "ticket type's name")
    after = replace(before, **given)
    if before.seated and after.total != before.total:
        raise StockTaken("The places of this type are its seats: add seats instead.")
    taken = before.reserved + before.sold
    if after.total < taken:
        raise StockTaken(f"{taken} places are reserved or sold: the total cannot be less.")
    if before.sold and _told(after) != _told(before):
        raise TypeInUse("Tickets of this type are out: zones, entries and code rules stay; make another type instead.")
    return replace(after, available=after.total - taken)


_FIELDS = ("name", "price_cents", "total", "zones", "entries", "code_policy", "max_per_order")


def _told(row: TicketTypeRow) -> tuple[int, int, int]:
    """Return what gates are told of every ticket of the type."""
    return row.zones, row.entries, row.code_policy


def _view_zone(zone: ZoneRow) -> ZoneView:
    return ZoneView(bit=zone.bit, mask=1 << zone.bit, name=zone.name)


async def read_type(tx: Unit, ticket_type: TicketTypeId) -> OrganiserType:
    """Return a ticket type as its organiser sees it.

    Raises:
        TicketTypeUnknown: none of this tenant's.
    """
    row = await tx.stock.get(ticket_type)
    if row is None:
        raise TicketTypeUnknown("There is no such ticket type.")
    return view_type(row)
