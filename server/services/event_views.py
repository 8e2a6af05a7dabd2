"""How an organiser sees an event and what it sells: with drafts, rules, versions and all counters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from server.domain.nft import NftMode
from server.domain.rules import RefundRules, TransferRules
from server.services.rows import EventRow, EventState, TicketTypeRow
from shared.admission.policy import AreaLimit, Cloned, GateLimit, Policy, Stale, Unknown
from shared.ids import EventId, TicketTypeId, VenueId


class PolicyView(Struct, frozen=True, kw_only=True, rename="camel"):
    """The rules of entry; ``re_entries``, ``capacity``, ``stale_after_s`` and ``unsure_after_s`` of null mean no limit."""

    version: int
    doors_at: datetime
    starts_at: datetime
    ends_at: datetime
    grace_s: int
    re_entries: int | None
    exits: bool
    cooldown_s: int
    double_read_s: int
    unknown: Unknown
    static_codes: bool
    id_check: bool
    capacity: int | None
    gate_limits: tuple[GateLimit, ...]
    area_limits: tuple[AreaLimit, ...]
    stale_after_s: int | None
    when_stale: Stale
    unsure_after_s: int | None
    when_cloned: Cloned


class OrganiserType(Struct, frozen=True, kw_only=True, rename="camel"):
    """A ticket type. ``product`` is its short number inside codes.

    available + reserved + sold = total, until the event is over: then nothing is available.
    """

    id: TicketTypeId
    event_id: EventId
    version: int
    product: int
    name: str
    price_cents: int
    currency: str
    zones: int
    entries: int
    code_policy: int
    max_per_order: int
    seated: bool
    total: int
    available: int
    reserved: int
    sold: int


class OrganiserEvent(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event; the sums are over its ticket types."""

    id: EventId
    version: int
    venue_id: VenueId
    name: str
    status: EventState
    sale_starts_at: datetime
    sale_ends_at: datetime
    max_per_user: int
    reveal_at: datetime
    slot_s: int
    epoch_s: int
    policy: PolicyView
    transfer_rules: TransferRules
    refund_rules: RefundRules
    nft: NftMode
    bundle_version: int
    total: int
    available: int
    reserved: int
    sold: int
    ticket_types: list[OrganiserType]


def view_event(event: EventRow, types: Sequence[TicketTypeRow]) -> OrganiserEvent:
    """Return an event as its organiser sees it."""
    over = event.state in {EventState.CLOSED, EventState.CANCELLED}
    return OrganiserEvent(
        id=event.id,
        version=event.version,
        venue_id=event.venue_id,
        name=event.name,
        status=event.state,
        sale_starts_at=event.sale_starts,
        sale_ends_at=event.sale_ends,
        max_per_user=event.max_per_user,
        reveal_at=event.reveal_at,
        slot_s=event.slot_s,
        epoch_s=event.epoch_s,
        policy=view_policy(event.policy),
        transfer_rules=event.transfer_rules,
        refund_rules=event.refund_rules,
        nft=event.nft,
        bundle_version=event.bundle_version,
        total=sum(one.total for one in types),
        available=0 if over else sum(one.available for one in types),
        reserved=sum(one.reserved for one in types),
        sold=sum(one.sold for one in types),
        ticket_types=[view_type(replace(one, available=0) if over else one) for one in types],
    )


def view_type(row: TicketTypeRow) -> OrganiserType:
    """Return a ticket type as its organiser sees it."""
    return OrganiserType(
        id=row.id,
        event_id=row.event,
        version=row.version,
        product=row.product,
        name=row.name,
        price_cents=row.price_cents,
        currency=row.currency,
        zones=row.zones,
        entries=row.entries,
        code_policy=row.code_policy,
        max_per_order=row.max_per_order,
        seated=row.seated,
        total=row.total,
        available=row.available,
        reserved=row.reserved,
        sold=row.sold,
    )


def view_policy(policy: Policy) -> PolicyView:
    """Return the rules of entry as organisers see them."""
    return PolicyView(
        version=policy.version,
        doors_at=policy.window.doors,
        starts_at=policy.window.starts,
        ends_at=policy.window.ends,
        grace_s=policy.window.grace_s,
        re_entries=policy.re_entries,
        exits=policy.exits,
        cooldown_s=policy.cooldown_s,
        double_read_s=policy.double_read_s,
        unknown=policy.unknown,
        static_codes=policy.static_codes,
        id_check=policy.id_check,
        capacity=policy.capacity,
        gate_limits=policy.gate_limits,
        area_limits=policy.area_limits,
        stale_after_s=policy.stale_after_s,
        when_stale=policy.when_stale,
        unsure_after_s=policy.unsure_after_s,
        when_cloned=policy.when_cloned,
    )
