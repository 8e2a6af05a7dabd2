"""Ready-made rules for the usual kinds of events; an organiser takes one and changes what differs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict, replace

from shared.admission.policy import AreaLimit, Cloned, Count, GateLimit, Policy, Seconds, Stale, Unknown, Window

_HOUR_S = 3600


class Template(StrEnum):
    """Kinds of events.

    ``standard`` lets everybody in once. ``concert`` does so too, and tells when a gate was long without a network. ``club``
    counts who is inside and lets them smoke outside. ``festival`` lets people in and out for days. ``conference`` does so
    with badges on paper and no hurry. ``vip`` looks at an ID and leaves every doubt to a supervisor.
    """

    STANDARD = "standard"
    CONCERT = "concert"
    CLUB = "club"
    FESTIVAL = "festival"
    CONFERENCE = "conference"
    VIP = "vip"


class PolicyChanges(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What differs from a policy; what is not given stays. The fields are those of ``Policy``."""

    re_entries: Count | UnsetType | None = UNSET
    exits: bool | UnsetType = UNSET
    cooldown_s: Seconds | UnsetType = UNSET
    double_read_s: Seconds | UnsetType = UNSET
    unknown: Unknown | UnsetType = UNSET
    static_codes: bool | UnsetType = UNSET
    id_check: bool | UnsetType = UNSET
    capacity: Count | UnsetType | None = UNSET
    gate_limits: tuple[GateLimit, ...] | UnsetType = UNSET
    area_limits: tuple[AreaLimit, ...] | UnsetType = UNSET
    stale_after_s: Seconds | UnsetType | None = UNSET
    when_stale: Stale | UnsetType = UNSET
    unsure_after_s: Seconds | UnsetType | None = UNSET
    when_cloned: Cloned | UnsetType = UNSET


TEMPLATES: Mapping[Template, PolicyChanges] = {
    Template.STANDARD: PolicyChanges(),
    Template.CONCERT: PolicyChanges(
        unknown=Unknown.ADMIT, stale_after_s=4 * _HOUR_S, when_stale=Stale.WARN, unsure_after_s=120
    ),
    Template.CLUB: PolicyChanges(
        exits=True,
        re_entries=None,
        cooldown_s=60,
        unknown=Unknown.ONLINE_ONLY,
        stale_after_s=_HOUR_S,
        when_stale=Stale.SUPERVISOR,
    ),
    Template.FESTIVAL: PolicyChanges(
        exits=True, re_entries=None, cooldown_s=120, static_codes=True, stale_after_s=12 * _HOUR_S
    ),
    Template.CONFERENCE: PolicyChanges(exits=True, re_entries=None, static_codes=True, double_read_s=10),
    Template.VIP: PolicyChanges(
        id_check=True,
        unknown=Unknown.SUPERVISOR,
        stale_after_s=_HOUR_S,
        when_stale=Stale.SUPERVISOR,
        unsure_after_s=60,
    ),
}


def make_policy(template: Template, window: Window, version: int = 1) -> Policy:
    """Return the policy of a kind of event for one evening."""
    return change_policy(Policy(version=version, window=window), TEMPLATES[template], version=version)


def change_policy(policy: Policy, changes: PolicyChanges, *, version: int) -> Policy:
    """Return a policy with what was given changed, under a version that gates take for newer."""
    given = {name: value for name, value in asdict(changes).items() if value is not UNSET}
    return replace(policy, version=version, **given)
