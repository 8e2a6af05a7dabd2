"""Which admissions of one ticket are too many, and what kind of conflict each is, whatever order they arrived in."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from shared.admission.order import find_walk
from shared.admission.presence import (
    Admission,
    GenerationOf,
    Presence,
    leave_out_repeats,
    one_generation,
    order_key,
    passages,
    span_of,
    sum_up,
)

_CLONE_SPEED_MS = 60_000
"""One phone needs at least this long from one gate to another; two live proofs closer together are two phones."""


class ConflictClass(StrEnum):
    """What kind of surplus admission this is.

    Admissions alone show all but ``stale_state``: that one is the server's, which compares ``feed_seq`` with the position
    at which the ticket was cancelled or passed on.
    """

    RACE = "race"
    CLONE = "clone"
    STALE_STATE = "stale_state"
    STAFF_ERROR = "staff_error"
    OVERRIDDEN = "overridden"


class Severity(StrEnum):
    """How soon somebody should look."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


SEVERITY = {
    ConflictClass.RACE: Severity.LOW,
    ConflictClass.CLONE: Severity.HIGH,
    ConflictClass.STALE_STATE: Severity.MEDIUM,
    ConflictClass.STAFF_ERROR: Severity.MEDIUM,
    ConflictClass.OVERRIDDEN: Severity.NONE,
}


class Surplus(Struct, frozen=True, kw_only=True):
    """An entry beyond the allowance, with the earlier one it collides with."""

    admission: Admission
    earlier: Admission
    kind: ConflictClass


class Ledger(Struct, frozen=True, kw_only=True):
    """A ticket's presence and every entry beyond its allowance."""

    presence: Presence
    surplus: tuple[Surplus, ...]


def settle(
    admissions: Iterable[Admission],
    allowed: int | None,
    *,
    double_read_s: int,
    generation_of: GenerationOf = one_generation,
) -> Ledger:
    """Sum a ticket's admissions up and classify the surplus.

    ``allowed`` is the number of entries the ticket may make in all, None without limit; a second entry without an exit
    between is a surplus whatever the number. What gates' clocks leave open is read in the guest's favour (`find_walk`). The
    result depends only on the set of admissions.
    """
    known = leave_out_repeats(passages(admissions), double_read_s, generation_of)
    presence = sum_up(known)
    if presence.entries < 2:
        return Ledger(presence=presence, surplus=())
    by_key = {order_key(one): one for one in known}
    surplus: list[Surplus] = []
    earlier: Admission | None = None
    entries = inside = 0
    for span in find_walk(span_of(one) for one in known).order:
        admission = by_key[span.key]
        if not span.inward:
            inside = max(0, inside - 1)
            continue
        beyond = allowed is not None and entries >= allowed
        if earlier is not None and (beyond or inside > 0):
            surplus.append(Surplus(admission=admission, earlier=earlier, kind=classify(earlier, admission)))
        entries, inside, earlier = entries + 1, inside + 1, admission
    return Ledger(presence=presence, surplus=tuple(surplus))


def classify(earlier: Admission, later: Admission) -> ConflictClass:
    """Return what kind of conflict two entries of one ticket make; ``later`` is the surplus one.

    - A supervisor's decision excuses the surplus it made itself, not what others add to it afterwards.
    - Without live proof on both sides (paper, typed numbers) the codes prove nothing: it is for staff to explain.
    - Clone needs certainty, because it accuses somebody: two gates, and even with both clocks wrong in the worst way less
      time between than one phone needs for the way. Two scans too close together to tell which was first are the plainest
      case of it.
    - All else is a race, which accuses nobody: far enough apart for one phone handed back over the fence, or perhaps so
      (clocks unsure), and let in because the second gate had not heard of the first, or had lost its memory.
    """
    if later.override:
        return ConflictClass.OVERRIDDEN
    if not later.proven or not earlier.proven:
        return ConflictClass.STAFF_ERROR
    longest_apart_ms = abs(later.at_ms - earlier.at_ms) + earlier.unsure_ms + later.unsure_ms
    if earlier.gate != later.gate and longest_apart_ms < _CLONE_SPEED_MS:
        return ConflictClass.CLONE
    return ConflictClass.RACE
