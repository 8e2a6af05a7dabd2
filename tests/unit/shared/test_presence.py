"""Where a ticket's holder is, whatever order its passages are told in."""

from __future__ import annotations

from itertools import permutations
from uuid import UUID

import pytest
from msgspec import structs

from shared.admission.presence import (
    NOWHERE,
    UNDO_WITHIN_MS,
    Admission,
    Presence,
    fold,
    is_double_read,
    merge,
    order_key,
    passages,
)
from shared.admission.verdict import Direction
from shared.ids import ScanId
from tests.unit.shared.samples import NORTH, SOUTH, leaving, passage

IN_1, OUT_2, IN_3 = passage(1), leaving(2), passage(3)


def counts(presence: Presence) -> tuple[int, int, int]:
    """Return entries, exits and bodies inside."""
    return presence.entries, presence.exits, presence.inside


def test_nobody_was_nowhere() -> None:
    assert fold([]) == NOWHERE == Presence()


def test_in_out_and_in_again_is_one_body_inside() -> None:
    presence = fold([IN_1, OUT_2, IN_3])
    assert counts(presence) == (2, 1, 1)
    assert (presence.first_entry, presence.last_entry, presence.last) == (IN_1, IN_3, IN_3)


def test_every_order_and_repetition_gives_the_same() -> None:
    expected = fold([IN_1, OUT_2, IN_3])
    assert {repr(fold([*order, *order[:2]])) for order in permutations([IN_1, OUT_2, IN_3])} == {repr(expected)}


def test_two_bodies_on_one_ticket_are_two_inside() -> None:
    assert counts(fold([IN_1, passage(2, gate=SOUTH), leaving(3)])) == (2, 1, 1)


def test_an_exit_alone_leaves_nobody_inside() -> None:
    assert counts(fold([OUT_2])) == (0, 1, 0)
    assert counts(fold([OUT_2, leaving(3)])) == (0, 2, 0)


def test_an_exit_that_sorts_before_its_entry_by_unsure_clocks_still_ends_it() -> None:
    late_entry = passage(3, at_ms=OUT_2.at_ms + 900, unsure_ms=500)
    out = structs.replace(OUT_2, unsure_ms=400)
    presence = fold([late_entry, out])
    assert counts(presence) == (1, 1, 0)
    assert presence.last == late_entry


def test_an_exit_clearly_before_an_entry_is_not_its_own() -> None:
    back_in = passage(3, at_ms=OUT_2.at_ms + 901, unsure_ms=500)
    out = structs.replace(OUT_2, unsure_ms=400)
    assert counts(fold([back_in, out])) == (1, 1, 1)


def test_one_gates_own_log_is_in_order_however_unsure_its_clock() -> None:
    out = leaving(2, gate=NORTH, unsure_ms=60_000)
    assert counts(fold([out, passage(3, at_ms=out.at_ms + 1)])) == (1, 1, 1)


def test_a_spare_exit_pays_for_one_entry_only() -> None:
    out = leaving(2, unsure_ms=600_000)
    entries = [passage(3), passage(4, gate=SOUTH)]
    assert counts(fold([out, *entries])) == (2, 1, 1)


def test_spare_exits_scanned_early_do_not_let_others_in_later() -> None:
    assert counts(fold([IN_1, leaving(2), leaving(3), leaving(4), passage(30), passage(31, gate=SOUTH)])) == (3, 3, 2)


def test_sorting_is_by_clock_then_gate_then_the_gates_own_number() -> None:
    same = {"hlc": 5, "at_ms": 9}
    first, second, third = passage(1, **same), passage(2, **same), passage(1, gate=SOUTH, **same)
    assert merge([third], [second, first]) == [first, second, third]
    assert order_key(first) < order_key(second) < order_key(third)


def test_a_gate_cannot_take_the_place_of_anothers_admission_by_using_its_scan_id() -> None:
    thief = passage(1, gate=SOUTH, direction=Direction.EXIT)
    assert thief.scan == IN_1.scan
    assert merge([IN_1], [thief]) == merge([thief], [IN_1])
    assert len(merge([IN_1], [thief])) == 2


def test_of_two_accounts_of_one_scan_every_node_keeps_the_same() -> None:
    other = structs.replace(IN_1, proven=False)
    later = structs.replace(IN_1, hlc=IN_1.hlc + 1)
    assert merge([IN_1, other]) == merge([other, IN_1]) == merge([other, IN_1, other])
    assert merge([later], [IN_1]) == merge([IN_1], [later]) == [IN_1]


def test_a_double_read_needs_the_same_gate_direction_and_a_short_time() -> None:
    at = IN_1.at_ms
    assert is_double_read(IN_1, NORTH, Direction.ENTRY, at + 4999, 5)
    assert is_double_read(IN_1, NORTH, Direction.ENTRY, at - 4999, 5)
    assert not is_double_read(IN_1, NORTH, Direction.ENTRY, at + 5000, 5)
    assert not is_double_read(IN_1, NORTH, Direction.ENTRY, at - 5000, 5)
    assert not is_double_read(IN_1, SOUTH, Direction.ENTRY, at, 5)
    assert not is_double_read(IN_1, NORTH, Direction.EXIT, at, 5)
    assert not is_double_read(None, NORTH, Direction.ENTRY, at, 5)
    assert not is_double_read(IN_1, NORTH, Direction.ENTRY, at, 0)


def undo(number: int, of: int, **changes: object) -> Admission:
    """Return what takes an earlier passage back."""
    fields = {"undoes": ScanId(UUID(int=of)), "override": True}
    return passage(number, **(fields | changes))


def test_what_was_taken_back_has_never_been_in_any_order() -> None:
    told = [IN_1, OUT_2, IN_3, undo(4, 3)]
    assert {repr(fold(order)) for order in permutations(told)} == {repr(fold([IN_1, OUT_2]))}
    assert passages(told) == [IN_1, OUT_2]
    assert passages(merge(told)) == passages(merge(told[:2]), told[2:]) == [IN_1, OUT_2]


@pytest.mark.parametrize(
    "unsound",
    [
        {"override": False},
        {"gate": SOUTH},
        {"undoes": ScanId(UUID(int=77))},
        {"at_ms": IN_1.at_ms + UNDO_WITHIN_MS + 1},
        {"hlc": IN_1.hlc - 1},
    ],
)
def test_unsound_undo_changes_nothing_and_is_no_passage(unsound: dict[str, object]) -> None:
    assert fold([IN_1, undo(2, 1, **unsound)]) == fold([IN_1])


def test_undo_cannot_be_taken_back() -> None:
    first = undo(2, 1)
    assert fold([IN_1, first, undo(3, 2)]) == NOWHERE
