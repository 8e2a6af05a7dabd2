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

    With ``undoes`` it is no passage itself: it takes one of the same gate back, as if it had never been.
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
    undoes: ScanId | None = None


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
UNDO_WITHIN_MS = 15 * 60 * 1000
"""How long after an admission it can be taken back: as long as a steward may remember it."""


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


def passages(*groups: Iterable[Admission]) -> list[Admission]:
    """Return the passages that stand, in ledger order: what was taken back is left out, and so is what took it back."""
    known = {(one.gate, one.scan): one for one in merge(*groups)}
    gone = {(one.gate, one.undoes) for one in known.values() if one.undoes is not None and _takes_back(one, known)}
    return [one for name, one in known.items() if one.undoes is None and name not in gone]


def fold(admissions: Iterable[Admission]) -> Presence:
    """Return the presence after all given admissions; order and repetition make no difference."""
    presence = NOWHERE
    for admission in passages(admissions):
        presence = step(presence, admission)
    return presence


def step(presence: Presence, admission: Admission) -> Presence:
    """Return the presence after one more passage, which must not sort before the earlier ones."""
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


def _takes_back(undo: Admission, known: dict[tuple[GateId, ScanId], Admission]) -> bool:
    """Say whether an undo counts: a supervisor's, of a passage that this very gate recorded before it and not long ago."""
    target = None if undo.undoes is None else known.get((undo.gate, undo.undoes))
    if target is None or target.undoes is not None:
        return False
    return undo.override and undo.hlc > target.hlc and undo.at_ms - target.at_ms <= UNDO_WITHIN_MS


def _total_order_key(admission: Admission) -> tuple[tuple[int, bytes, int, bytes], bytes]:
    return order_key(admission), msgpack.encode(admission)
