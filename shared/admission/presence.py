"""Where a ticket's holder is: a deterministic fold over its admissions, the same on every node in any order of arrival."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct, msgpack

from shared.admission.order import Span, count_pairs
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


GenerationOf = Callable[[Admission], int]
"""Which generation of the ticket an admission was of: what the gate's record shows and the admission does not carry."""


class Presence(Struct, frozen=True, kw_only=True):
    """The sum of a ticket's admissions.

    ``inside`` counts bodies: entries less those that an exit may have ended, each exit one. First and last are in ledger order.
    """

    entries: int = 0
    exits: int = 0
    inside: int = 0
    first_entry: Admission | None = None
    last_entry: Admission | None = None
    last: Admission | None = None


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


def one_generation(_: Admission) -> int:
    """Say that all admissions were of one generation of the ticket, as whoever knows them by one handle may."""
    return 0


def fold(
    admissions: Iterable[Admission], double_read_s: int = 0, generation_of: GenerationOf = one_generation
) -> Presence:
    """Return the presence after all given admissions; order and repetition make no difference.

    With ``double_read_s``, the policy's, what was seen once more within so many seconds is one passage, as it is for the ledger.
    """
    return sum_up(leave_out_repeats(passages(admissions), double_read_s, generation_of))


def leave_out_repeats(
    known: Iterable[Admission], double_read_s: int, generation_of: GenerationOf = one_generation
) -> list[Admission]:
    """Leave out what is the ticket's last passage, in ledger order, seen once more.

    What a supervisor decided never is, nor is somebody who comes with the ticket's next generation: that is another body.
    """
    kept: list[Admission] = []
    for one in known:
        last = kept[-1] if kept and generation_of(kept[-1]) == generation_of(one) else None
        if one.override or not is_double_read(last, one.gate, one.direction, one.at_ms, double_read_s):
            kept.append(one)
    return kept


def sum_up(known: Sequence[Admission]) -> Presence:
    """Return the presence after passages that all stand, given in ledger order."""
    entries = [one for one in known if one.direction is Direction.ENTRY]
    exits = len(known) - len(entries)
    return Presence(
        entries=len(entries),
        exits=exits,
        inside=len(entries) - (count_pairs(span_of(one) for one in known) if entries and exits else 0),
        first_entry=entries[0] if entries else None,
        last_entry=entries[-1] if entries else None,
        last=known[-1] if known else None,
    )


def span_of(admission: Admission) -> Span:
    """Return a passage as far as its gate's clock can tell."""
    return Span(
        gate=admission.gate.bytes,
        key=order_key(admission),
        inward=admission.direction is Direction.ENTRY,
        first_ms=admission.at_ms - admission.unsure_ms,
        last_ms=admission.at_ms + admission.unsure_ms,
    )


def is_double_read(last: Admission | None, gate: GateId, direction: Direction, at_ms: int, double_read_s: int) -> bool:
    """Say whether a scan is the same body in front of the same gate as the ticket's last passage, seen once more.

    The difference is taken without sign, for a clock that is set back between two frames is still the same clock.
    """
    if last is None or last.gate != gate or last.direction is not direction:
        return False
    return abs(at_ms - last.at_ms) < double_read_s * 1000


def _takes_back(undo: Admission, known: dict[tuple[GateId, ScanId], Admission]) -> bool:
    """Say whether an undo counts: a supervisor's, of a passage that this very gate recorded before it and not long ago."""
    target = None if undo.undoes is None else known.get((undo.gate, undo.undoes))
    if target is None or target.undoes is not None:
        return False
    return undo.override and undo.hlc > target.hlc and undo.at_ms - target.at_ms <= UNDO_WITHIN_MS


def _total_order_key(admission: Admission) -> tuple[tuple[int, bytes, int, bytes], bytes]:
    return order_key(admission), msgpack.encode(admission)
