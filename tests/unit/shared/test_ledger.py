"""Which entries are too many, and what each is called."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from msgspec import structs

from shared.admission.presence import Admission, fold
from shared.sync.ledger import SEVERITY, ConflictClass, Severity, classify, settle
from tests.unit.shared.samples import SOUTH, leaving, passage

FIRST = passage(10)


def elsewhere(after_ms: int, **changes: Any) -> Admission:
    """Return an entry at the south gate so long after the first."""
    return passage(11, gate=SOUTH, at_ms=FIRST.at_ms + after_ms, **changes)


def kinds(*admissions: Admission, allowed: int | None = 1) -> list[ConflictClass]:
    """Return the classes of the surplus."""
    return [surplus.kind for surplus in settle(admissions, allowed, double_read_s=5).surplus]


def test_one_entry_is_no_conflict() -> None:
    settled = settle([FIRST], 1, double_read_s=5)
    assert (settled.surplus, settled.presence.inside) == ((), 1)


def test_in_out_in_is_no_conflict_where_allowed() -> None:
    evening = (FIRST, leaving(20), passage(30))
    assert kinds(*evening, allowed=2) == kinds(*evening, allowed=None) == []
    assert kinds(*evening, allowed=1) == [ConflictClass.RACE]


def test_a_second_entry_without_an_exit_is_a_surplus_whatever_the_number() -> None:
    assert kinds(FIRST, passage(30), allowed=None) == [ConflictClass.RACE]
    assert kinds(FIRST, passage(30), passage(50), allowed=9) == [ConflictClass.RACE] * 2


def test_one_exit_does_not_excuse_two_bodies() -> None:
    both_in = (FIRST, elsewhere(600_000))
    assert kinds(*both_in, leaving(30), passage(40), allowed=None) == [ConflictClass.RACE] * 2
    assert kinds(*both_in, leaving(30), leaving(31), passage(40), allowed=None) == [ConflictClass.RACE]


def test_a_surplus_names_the_entry_it_collides_with() -> None:
    late = elsewhere(1000)
    (surplus,) = settle([late, FIRST], 1, double_read_s=5).surplus
    assert (surplus.earlier, surplus.admission) == (FIRST, late)


def test_a_double_read_counts_once_in_either_direction() -> None:
    again = passage(11, at_ms=FIRST.at_ms + 4999)
    out = leaving(20)
    out_again = leaving(21, at_ms=out.at_ms + 4999)
    settled = settle([FIRST, again, out, out_again], 1, double_read_s=5)
    assert settled.surplus == ()
    assert (settled.presence.entries, settled.presence.exits) == (1, 1)
    # A gate that folds what it knows comes to the same.
    assert fold([FIRST, again, out, out_again], 5) == settled.presence
    assert kinds(FIRST, passage(11, at_ms=FIRST.at_ms + 5000)) == [ConflictClass.RACE]


def test_what_a_supervisor_decided_is_never_a_double_read() -> None:
    decided = passage(11, at_ms=FIRST.at_ms + 1000, override=True)
    assert kinds(FIRST, decided) == [ConflictClass.OVERRIDDEN]
    assert settle([FIRST, decided], 1, double_read_s=5).presence.inside == 2


def test_who_comes_with_the_next_generation_is_never_a_double_read() -> None:
    new_holder = passage(11, at_ms=FIRST.at_ms + 1000)
    generations = {FIRST.scan: 0, new_holder.scan: 1}
    settled = settle([FIRST, new_holder], 1, double_read_s=5, generation_of=lambda one: generations[one.scan])
    assert [surplus.kind for surplus in settled.surplus] == [ConflictClass.RACE]
    assert settled.presence.inside == 2
    assert settle([FIRST, new_holder], 1, double_read_s=5).surplus == ()


def test_the_result_depends_on_the_set_alone() -> None:
    evening = [FIRST, elsewhere(3000), leaving(20), passage(30), leaving(40)]
    results = {repr(settle([*order, *order[:2]], 2, double_read_s=5)) for order in permutations(evening)}
    assert len(results) == 1


@pytest.mark.parametrize(
    ("after_ms", "unsure_ms", "kind"),
    [
        (0, 200, ConflictClass.CLONE),  # at the same moment at two gates
        (300, 200, ConflictClass.CLONE),  # nobody can say which was first, but no phone is in two places
        (59_599, 200, ConflictClass.CLONE),
        (59_600, 200, ConflictClass.RACE),  # with both clocks wrong, one phone may just have made the way
        (3_600_000, 200, ConflictClass.RACE),
        (0, 30_000, ConflictClass.RACE),  # clocks too unsure to accuse anybody
        (0, 29_999, ConflictClass.CLONE),
    ],
)
def test_a_clone_needs_certainty(after_ms: int, unsure_ms: int, kind: ConflictClass) -> None:
    first = structs.replace(FIRST, unsure_ms=unsure_ms)
    later = elsewhere(after_ms, unsure_ms=unsure_ms)
    assert classify(first, later) is classify(later, first) is kind


def test_one_gate_is_never_two_places() -> None:
    assert classify(FIRST, passage(11, at_ms=FIRST.at_ms + 6000)) is ConflictClass.RACE


def test_without_live_proof_on_both_sides_it_is_for_staff_to_explain() -> None:
    assert classify(FIRST, elsewhere(0, proven=False)) is ConflictClass.STAFF_ERROR
    assert classify(structs.replace(FIRST, proven=False), elsewhere(0)) is ConflictClass.STAFF_ERROR


def test_a_supervisor_excuses_the_entry_of_that_decision_and_no_other() -> None:
    assert classify(FIRST, elsewhere(0, override=True, proven=False)) is ConflictClass.OVERRIDDEN
    assert classify(structs.replace(FIRST, override=True), elsewhere(0)) is ConflictClass.CLONE


def test_every_class_has_its_severity() -> None:
    assert set(SEVERITY) == set(ConflictClass)
    assert (SEVERITY[ConflictClass.CLONE], SEVERITY[ConflictClass.OVERRIDDEN]) == (Severity.HIGH, Severity.NONE)
