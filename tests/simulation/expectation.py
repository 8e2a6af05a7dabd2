"""Which admissions were too many and what may be said of each, told from what really happened.

The program knows times only to within each gate's own stated doubt. So an answer is certain where the true times lie
further apart than that doubt, and where they do not, either answer is right, and no third one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from shared.admission.verdict import Direction
from shared.ids import ScanId
from shared.sync.ledger import ConflictClass
from shared.sync.scan import ScanRecord
from tests.simulation.truth import Answered, Change, Deed

_ROUNDING_MS = 2
Kinds = set[ConflictClass | None]


class Rules(Struct, frozen=True, kw_only=True):
    """What the organiser was promised: how far apart in time two gates must be for one phone to have been at both."""

    one_phone_ms: int = 60_000


class Case(Struct, frozen=True, kw_only=True):
    """One admission: what really happened, and what the gate wrote down of it."""

    truth: Answered
    record: ScanRecord

    @property
    def at_ms(self) -> int:
        """The true time."""
        return self.truth.at_ms

    @property
    def doubt_ms(self) -> int:
        """How far the gate itself says its time may be off."""
        return self.record.unsure_ms + _ROUNDING_MS


def expect(cases: Sequence[Case], changes: Sequence[Change], rules: Rules) -> Iterator[tuple[ScanId, Kinds]]:
    """Return for each admission of a ticket, given in true order, what may be said of it."""
    certain = all(is_certainly_before(one, other) for one, other in pairwise(cases))
    bodies = 0
    for case in cases:
        if case.truth.direction is Direction.EXIT:
            bodies -= 1
            yield case.truth.scan, {None}
            continue
        double = bodies > 0 if certain else None
        yield case.truth.scan, _kinds(case, _company(case, cases, double=double), changes, rules)
        bodies += 1


def count_doubles(cases: Sequence[Case]) -> int:
    """Return how often somebody came in while a body of the same ticket was inside, in truth."""
    bodies = doubles = 0
    for case in cases:
        doubles += case.truth.direction is Direction.ENTRY and bodies > 0
        bodies += 1 if case.truth.direction is Direction.ENTRY else -1
    return doubles


def is_certainly_before(one: Case, other: Case) -> bool:
    """Say whether a passage was first by what the gates wrote down: by one gate's numbers, or by times beyond all doubt."""
    if one.truth.gate == other.truth.gate:
        return one.truth.gate_seq < other.truth.gate_seq
    return one.record.at_ms + one.record.unsure_ms < other.record.at_ms - other.record.unsure_ms


def _company(case: Case, cases: Sequence[Case], *, double: bool | None) -> list[Case | None]:
    """Return beside which earlier entry this one may be said to have come; None stands for beside nobody.

    ``double`` says whether it was so, where that is beyond doubt.
    """
    before = [one for one in cases if one is not case and not is_certainly_before(case, one)]
    entries = [one for one in before if one.truth.direction is Direction.ENTRY]
    if double is False or not entries:
        return [None]
    surely = sum(is_certainly_before(one, case) for one in entries)
    must = double or surely > len(before) - len(entries)
    return [*([] if must else [None]), *(entries[-1:] if double else entries)]


def _kinds(case: Case, company: Sequence[Case | None], changes: Sequence[Change], rules: Rules) -> Kinds:
    extras: set[ConflictClass | None] = set()
    for earlier in company:
        extras |= {None} if earlier is None else _classes(earlier, case, rules)
    return {_choose(extra, moment, case, changes) for extra in extras for moment in _moments(case, changes)}


def _choose(extra: ConflictClass | None, moment: int, case: Case, changes: Sequence[Change]) -> ConflictClass | None:
    before = [change for change in changes if change.at_ms <= moment]
    replaced = any(change.generation > case.truth.generation for change in before)
    stale = replaced or _is_void(before)
    if case.truth.override and (stale or extra is not None):
        return ConflictClass.OVERRIDDEN
    if not stale:
        return extra
    return extra if extra is ConflictClass.CLONE and not replaced else ConflictClass.STALE_STATE


def _is_void(before: Sequence[Change]) -> bool:
    turns = [change.deed for change in before if change.deed in {Deed.LOCK, Deed.UNLOCK}]
    return any(change.deed is Deed.REVOKE for change in before) or turns[-1:] == [Deed.LOCK]


def _classes(earlier: Case, later: Case, rules: Rules) -> set[ConflictClass | None]:
    apart_ms = abs(later.at_ms - earlier.at_ms)
    if not (earlier.truth.proven and later.truth.proven):
        return {ConflictClass.STAFF_ERROR}
    if earlier.truth.gate == later.truth.gate or apart_ms >= rules.one_phone_ms:
        return {ConflictClass.RACE}
    if apart_ms + 2 * (earlier.doubt_ms + later.doubt_ms) < rules.one_phone_ms:
        return {ConflictClass.CLONE}
    return {ConflictClass.RACE, ConflictClass.CLONE}


def _moments(case: Case, changes: Sequence[Change]) -> set[int]:
    """Return moments at which the admission may have been, as far as its gate can tell: one between any two changes."""
    first, last = case.at_ms - case.doubt_ms, case.at_ms + case.doubt_ms
    return {first, last, *(change.at_ms for change in changes if first <= change.at_ms <= last)}
