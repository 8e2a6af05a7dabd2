"""An event's entry policy as data: windows, re-entry, zones, limits and what to do when unsure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from shared.admission.verdict import Direction
from shared.ids import GateId
from shared.packed import Aware, Natural

Seconds = Annotated[int, Meta(ge=0, le=30 * 24 * 3600)]
Count = Annotated[int, Meta(ge=0, le=10_000_000)]
ZoneMask = Annotated[int, Meta(ge=0, le=0xFFFF)]
Product = Annotated[int, Meta(ge=0, le=0xFFFF)]


class Unknown(StrEnum):
    """What to do with a genuine code whose ticket is not in the snapshot: it was sold after it."""

    ADMIT = "admit"
    ONLINE_ONLY = "online_only"
    SUPERVISOR = "supervisor"


class Stale(StrEnum):
    """What a gate that is cut off does once what it knows is older than the policy likes."""

    WARN = "warn"
    SUPERVISOR = "supervisor"
    REFUSE = "refuse"


class Cloned(StrEnum):
    """What happens to a ticket that was shown on two phones at once, until its organiser has settled that."""

    SUPERVISOR = "supervisor"
    REFUSE = "refuse"


class GateLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people may be behind one gate, counted by that gate alone."""

    gate: GateId
    capacity: Count


class AreaLimit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people may be in an area that is entered and left through these gates and no others."""

    gates: Annotated[tuple[GateId, ...], Meta(min_length=1, max_length=100)]
    capacity: Count


class Window(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an event lets people in: from ``doors`` until ``grace_s`` after ``ends``."""

    doors: Aware
    starts: Aware
    ends: Aware
    grace_s: Seconds = 2 * 3600


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of one event.

    ``re_entries`` counts entries after the first: 0 forbids, None does not limit. ``exits`` says whether people are
    scanned out; without it nobody can re-enter, whatever ``re_entries`` says. ``cooldown_s`` counts from the last exit.
    ``double_read_s`` is how long the same gate answers a repeat as before. ``capacity`` bounds the whole house,
    ``gate_limits`` what lies behind single gates, ``area_limits`` what lies behind several.

    A gate without its server whose knowledge is older than ``stale_after_s`` does as ``when_stale`` says, None meaning that
    age does not matter; one whose clock may be wrong by more than ``unsure_after_s`` admits nobody by itself.
    ``when_cloned`` is for tickets on the event's hot list.
    """

    version: Natural
    window: Window
    re_entries: Count | None = 0
    exits: bool = False
    cooldown_s: Seconds = 0
    double_read_s: Seconds = 5
    unknown: Unknown = Unknown.ADMIT
    static_codes: bool = False
    id_check: bool = False
    capacity: Count | None = None
    gate_limits: Annotated[tuple[GateLimit, ...], Meta(max_length=1000)] = ()
    area_limits: Annotated[tuple[AreaLimit, ...], Meta(max_length=100)] = ()
    stale_after_s: Seconds | None = None
    when_stale: Stale = Stale.WARN
    unsure_after_s: Seconds | None = None
    when_cloned: Cloned = Cloned.SUPERVISOR

    def limit_at(self, gate: GateId) -> int | None:
        """Return how many people may be behind a gate, None without limit."""
        return next((limit.capacity for limit in self.gate_limits if limit.gate == gate), None)

    def is_full_at(self, gate: GateId, bodies: Mapping[GateId, int]) -> bool:
        """Say whether an area that a gate leads to is full, by entries minus exits of each gate."""
        return any(
            max(0, sum(bodies.get(one, 0) for one in area.gates)) >= area.capacity
            for area in self.area_limits
            if gate in area.gates
        )


class GateRole(StrEnum):
    """What a gate is for, which decides who may find a ticket by its number there.

    At a ``lane`` its supervisors may, at a ``help_desk`` whoever works there, at an ``unattended`` gate nobody.
    """

    LANE = "lane"
    HELP_DESK = "help_desk"
    UNATTENDED = "unattended"


class Place(Struct, frozen=True, kw_only=True):
    """Where a scan happens.

    ``zones`` is the mask of zones this gate leads to, 0 meaning all; ``products`` those it serves, empty meaning all;
    ``online`` whether the server answers; ``inside`` how many people are known to be inside, None where nobody counts;
    ``behind`` how many of them this gate let in and has not let out; ``bodies`` entries minus exits of each gate.

    ``data_age_s`` is how old its knowledge is and ``unsure_s`` by how much its clock may be wrong; None where neither is
    asked, as on the server. ``ahead_s`` is by how much its clock was measured to be ahead of the server's: the event's hours
    are the server's.
    """

    gate: GateId
    direction: Direction = Direction.ENTRY
    zones: ZoneMask = 0
    products: tuple[Product, ...] = ()
    online: bool = False
    inside: Count | None = None
    behind: Count | None = None
    bodies: Mapping[GateId, int] | None = None
    data_age_s: float | None = None
    unsure_s: float | None = None
    ahead_s: float = 0.0
