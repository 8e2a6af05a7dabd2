"""What an organiser asks for when making or changing an event."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from server.domain.nft import NftMode
from server.domain.rules import RefundRules, TransferRules
from server.services.publish import EPOCH_S, SLOT_S
from shared.admission.policy import AreaLimit, Cloned, Count, GateLimit, Seconds, Stale, Unknown
from shared.admission.templates import Template
from shared.ids import VenueId
from shared.packed import Aware

EventName = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
PerUser = Annotated[int, Meta(ge=1, le=10_000)]
AreaLimits = Annotated[tuple[AreaLimit, ...], Meta(max_length=16)]
GateLimits = Annotated[tuple[GateLimit, ...], Meta(max_length=100)]
SlotSeconds = Annotated[int, Meta(ge=10, le=60)]
EpochSeconds = Annotated[int, Meta(ge=3600, le=604_800)]
Version = Annotated[int, Meta(ge=1, le=2**31 - 1)]


class EventRequest(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A new event. ``reveal_at`` is when phones get their codes' seeds, by default six hours before doors.

    A code is shown for ``slot_s`` seconds and made with keys that change every ``epoch_s``; neither can be changed later.
    ``template`` is the kind of event whose rules of entry it begins with.
    """

    name: EventName
    venue_name: EventName
    venue_id: VenueId | None = None
    doors_at: Aware
    starts_at: Aware
    ends_at: Aware
    sale_starts_at: Aware
    sale_ends_at: Aware
    max_per_user: PerUser = 20
    reveal_at: Aware | None = None
    slot_s: SlotSeconds = SLOT_S
    epoch_s: EpochSeconds = EPOCH_S
    template: Template = Template.STANDARD
    transfer_rules: TransferRules = TransferRules()
    refund_rules: RefundRules = RefundRules()
    nft: NftMode = NftMode.OFF


class EventChanges(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is to be different; ``version`` is that of the event as the caller has read it."""

    version: Version
    name: EventName | UnsetType = UNSET
    sale_starts_at: Aware | UnsetType = UNSET
    sale_ends_at: Aware | UnsetType = UNSET
    max_per_user: PerUser | UnsetType = UNSET
    reveal_at: Aware | UnsetType = UNSET
    transfer_rules: TransferRules | UnsetType = UNSET
    refund_rules: RefundRules | UnsetType = UNSET
    nft: NftMode | UnsetType = UNSET


class PolicyChanges(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which entry rules are to be different; ``version`` is that of the event as the caller has read it.

    ``re_entries``, ``capacity``, ``stale_after_s`` and ``unsure_after_s`` of null mean no limit. With ``template`` all rules
    but the times become that kind of event's first, and then what else is given is changed.
    """

    version: Version
    template: Template | UnsetType = UNSET
    doors_at: Aware | UnsetType = UNSET
    starts_at: Aware | UnsetType = UNSET
    ends_at: Aware | UnsetType = UNSET
    grace_s: Seconds | UnsetType = UNSET
    re_entries: Count | UnsetType | None = UNSET
    exits: bool | UnsetType = UNSET
    cooldown_s: Seconds | UnsetType = UNSET
    double_read_s: Seconds | UnsetType = UNSET
    unknown: Unknown | UnsetType = UNSET
    static_codes: bool | UnsetType = UNSET
    id_check: bool | UnsetType = UNSET
    capacity: Count | UnsetType | None = UNSET
    gate_limits: GateLimits | UnsetType = UNSET
    area_limits: AreaLimits | UnsetType = UNSET
    stale_after_s: Seconds | UnsetType | None = UNSET
    when_stale: Stale | UnsetType = UNSET
    unsure_after_s: Seconds | UnsetType | None = UNSET
    when_cloned: Cloned | UnsetType = UNSET
