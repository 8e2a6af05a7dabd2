"""Where a ticket's holder is: a deterministic fold over its admissions, the same on every node in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from shared.admission.verdict import Direction
from shared.ids import GateId, ScanId


class Admission(Struct, frozen=True, kw_only=True, array_like=True):
    """One passage of a ticket through a gate.

    ``hlc`` orders it among all gates; ``at_ms`` is the gate's wall time in milliseconds since 1970, right to within
    ``unsure_ms``; ``proven`` says that a live code was seen; ``feed_seq`` is what the gate knew; ``online`` whether it
    could have known more; ``override`` whether a supervisor decided.
    """

    scan: ScanId
    gate: GateId
    gate_seq: int
    hlc: int
    at_ms: int
    unsure_ms: int
    direction: Direction
    proven: bool = False
    feed_seq: int = 0
    online: bool = False
    override: bool = False


class Presence(Struct, frozen=True, kw_only=True):
    """The sum of a ticket's admissions. ``inside`` is a body count: entries minus exits, never below zero."""

    entries: int = 0
    exits: int = 0
    inside: int = 0
    first_entry: Admission | None = None
    last_entry: Admission | None = None
    last: Admission | None = None


NOWHERE = Presence()


def order_key(admission: Admission) -> tuple[int, bytes, int, bytes]:
    """Return what admissions are sorted by: HLC, then gate, then the gate's own number."""
    return admission.hlc, admission.gate.bytes, admission.gate_seq, admission.scan.bytes


def merge(*groups: Iterable[Admission]) -> list[Admission]:
    """Return each admission once, in ledger order, whatever order or number of copies it came in."""
    unique = {admission.scan: admission for group in groups for admission in group}
    return sorted(unique.values(), key=order_key)


def fold(admissions: Iterable[Admission]) -> Presence:
    """Return the presence after all given admissions; order and repetition make no difference."""
    presence = NOWHERE
    for admission in merge(admissions):
        presence = step(presence, admission)
    return presence


def step(presence: Presence, admission: Admission) -> Presence:
    """Return the presence after one more admission, which must not sort before the earlier ones."""
    if admission.direction is Direction.EXIT:
        return Presence(
            entries=presence.entries,
            exits=presence.exits + 1,
            inside=max(0, presence.inside - 1),
            first_entry=presence.first_entry,
            last_entry=presence.last_entry,
            last=admission,
        )
    return Presence(
        entries=presence.entries + 1,
        exits=presence.exits,
        inside=presence.inside + 1,
        first_entry=presence.first_entry or admission,
        last_entry=admission,
        last=admission,
    )
