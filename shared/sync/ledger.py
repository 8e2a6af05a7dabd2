"""Which admissions of one ticket are too many, and what kind of conflict each is, whatever order they arrived in."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from shared.admission.presence import Admission, Presence, fold, merge
from shared.admission.verdict import Direction

_CLONE_SPEED_MS = 60_000
"""One phone needs at least this long from one gate to another; two live proofs closer together are two phones."""


class ConflictClass(StrEnum):
    """What kind of surplus admission this is."""

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


def settle(admissions: Iterable[Admission], allowed: int | None, *, double_read_s: int) -> Ledger:
    """Fold a ticket's admissions and classify the surplus.

    ``allowed`` is the number of entries the ticket may make in all, None without limit; a second entry without an exit
    between is a surplus whatever the number. The result depends only on the set of admissions.
    """
    ordered = merge(admissions)
    entries = 0
    inside: Admission | None = None
    last_entry: Admission | None = None
    surplus: list[Surplus] = []
    counted: list[Admission] = []
    for admission in ordered:
        if admission.direction is Direction.EXIT:
            inside = None
            counted.append(admission)
            continue
        if inside is not None and _is_double_read(inside, admission, double_read_s):
            continue
        earlier = inside or (last_entry if allowed is not None and entries >= allowed else None)
        if earlier is not None:
            surplus.append(Surplus(admission=admission, earlier=earlier, kind=classify(earlier, admission)))
        entries += 1
        inside = last_entry = admission
        counted.append(admission)
    return Ledger(presence=fold(counted), surplus=tuple(surplus))


def classify(earlier: Admission, later: Admission) -> ConflictClass:
    """Return what kind of conflict two entries of one ticket make."""
    if later.override or earlier.override:
        return ConflictClass.OVERRIDDEN
    if not later.proven or not earlier.proven:
        return ConflictClass.STAFF_ERROR
    apart_ms = abs(later.at_ms - earlier.at_ms) - earlier.unsure_ms - later.unsure_ms
    if earlier.gate != later.gate and 0 <= apart_ms < _CLONE_SPEED_MS:
        return ConflictClass.CLONE
    return ConflictClass.RACE


def _is_double_read(first: Admission, second: Admission, double_read_s: int) -> bool:
    return first.gate == second.gate and abs(second.at_ms - first.at_ms) < double_read_s * 1000
