"""Where a ticket's holder is: a deterministic fold over its admissions, the same on every node in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, msgpack, structs

from shared.admission.verdict import Direction
from shared.ids import GateId, ScanId
from shared.packed import Natural, Ordinal, Stamp, UnixMs


class Admission(Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """One passage of a ticket through a gate.

    ``hlc`` orders it among all gates; ``at_ms`` is the gate's wall time in milliseconds since 1970, right to within
    ``unsure_ms``; ``proven`` says that a live code was seen; ``feed_seq`` is what the gate knew; ``online`` whether it
    could have known more; ``override`` whether a supervisor decided.
    """

    scan: ScanId
    gate: GateId
    gate_seq: Ordinal
    hlc: Stamp
    at_ms: UnixMs
    unsure_ms: UnixMs
    direction: Direction
    proven: bool = False
    feed_seq: Natural = 0
    online: bool = False
    override: bool = False


class Presence(Struct, frozen=True, kw_only=True):
    """The sum of a ticket's admissions.

    ``inside`` is a body count, never below zero. ``early_exits`` are exits that found nobody inside and may belong to an
    entry that sorts after them because the two gates' clocks differ.
    """

    entries: int = 0
    exits: int = 0
    inside: int = 0
    first_entry: Admission | None = None
    last_entry: Admission | None = None
    last: Admission | None = None
    early_exits: tuple[Admission, ...] = ()


NOWHERE = Presence()


def order_key(admission: Admission) -> tuple[int, bytes, int, bytes]:
    """Return what admissions are sorted by: HLC, then gate, then the gate's own number."""
    return admission.hlc, admission.gate.bytes, admission.gate_seq, admission.scan.bytes


def merge(*groups: Iterable[Admission]) -> list[Admission]:
    """Return each admission once, in ledger order, whatever order or number of copies it came in.

    A scan is known by its gate and its id: no gate can take the place of another's admission by using its id. Of two
    different accounts of one scan, which an honest gate never gives, every node keeps the same one.
    """
    unique: dict[tuple[GateId, ScanId], Admission] = {}
    for group in groups:
        for admission in group:
            name = (admission.gate, admission.scan)
            known = unique.setdefault(name, admission)
            if known != admission:
                unique[name] = min(known, admission, key=_total_order_key)
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
        return _step_out(presence, admission)
    own_exit = next((early for early in presence.early_exits if _may_precede(admission, early)), None)
    return structs.replace(
        presence,
        entries=presence.entries + 1,
        inside=presence.inside + (own_exit is None),
        first_entry=presence.first_entry or admission,
        last_entry=admission,
        last=admission,
        early_exits=tuple(early for early in presence.early_exits if early is not own_exit),
    )


def is_double_read(last: Admission | None, gate: GateId, direction: Direction, at_ms: int, double_read_s: int) -> bool:
    """Say whether a scan is the same body in front of the same gate as the ticket's last passage, seen once more.

    The difference is taken without sign, for a clock that is set back between two frames is still the same clock.
    """
    if last is None or last.gate != gate or last.direction is not direction:
        return False
    return abs(at_ms - last.at_ms) < double_read_s * 1000


def _step_out(presence: Presence, admission: Admission) -> Presence:
    early_exits = presence.early_exits if presence.inside else (*presence.early_exits, admission)
    return structs.replace(
        presence,
        exits=presence.exits + 1,
        inside=max(0, presence.inside - 1),
        last=admission,
        early_exits=early_exits,
    )


def _may_precede(entry: Admission, early_exit: Admission) -> bool:
    """Say whether an entry may really have come before an exit that sorts before it.

    Two gates' clocks can tell an order only outside their uncertainties. Were every spare exit set against any later
    entry, a few exits scanned without leaving would let as many people in on one ticket.
    """
    if entry.gate == early_exit.gate:
        return False  # one gate's own log is in order
    return entry.at_ms - early_exit.at_ms <= entry.unsure_ms + early_exit.unsure_ms


def _total_order_key(admission: Admission) -> tuple[tuple[int, bytes, int, bytes], bytes]:
    return order_key(admission), msgpack.encode(admission)
