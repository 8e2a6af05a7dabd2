"""Which order of a ticket's passages is believed where the gates' clocks differ, and how many people that leaves inside."""

from __future__ import annotations

from itertools import permutations

import pytest

from shared.admission.order import Span, Walk, count_pairs, find_walk, may_end

NORTH, SOUTH, OUT, BOTH = b"north", b"south", b"way out", b"both ways"


def span(gate: bytes, at: int, unsure: int = 0, *, key: int | None = None, inward: bool | None = None) -> Span:
    """Return a passage at ``at``; its place in the ledger is ``at`` too unless another is given."""
    place = at if key is None else key
    return Span(
        gate=gate,
        key=(place, gate, place, b""),
        inward=gate != OUT if inward is None else inward,
        first_ms=at - unsure,
        last_ms=at + unsure,
    )


def times(walk: Walk) -> list[int]:
    """Return a walk by the middles of its spans."""
    return [(one.first_ms + one.last_ms) // 2 for one in walk.order]


def test_the_first_exit_that_fits_is_not_always_the_right_one() -> None:
    # In at 0, out at 10, in at 20, out at 30 through a door whose clock is 25 behind: it sorts before the other exit.
    evening = [span(NORTH, 0), span(OUT, 5, 25), span(b"way out 2", 10, inward=False), span(NORTH, 20)]
    assert {count_pairs(order) for order in permutations(evening)} == {2}
    walk = find_walk(evening)
    assert (walk.cost, times(walk)) == ((0, 0), [0, 10, 20, 5])


def test_times_count_and_not_stamps_that_a_fast_clock_elsewhere_drove_up() -> None:
    left_first = [span(OUT, 10, key=999), span(NORTH, 20, key=500)]
    assert count_pairs(left_first) == 0
    assert find_walk(left_first).order == tuple(left_first)


@pytest.mark.parametrize(
    ("entry", "leaving", "may"),
    [
        (span(NORTH, 20, 5), span(OUT, 10, 5), True),
        (span(NORTH, 20, 5), span(OUT, 10, 4), False),
        (span(BOTH, 20, 900), span(BOTH, 10, 900, inward=False), False),  # one gate's own log is in order
        (span(BOTH, 10, 900), span(BOTH, 20, 900, inward=False), True),
        (span(NORTH, 10), span(OUT, 10), True),
    ],
)
def test_an_exit_may_end_what_it_is_not_certainly_before(entry: Span, leaving: Span, may: bool) -> None:
    assert may_end(entry, leaving) is may


def test_pairs_at_a_gate_for_both_ways_are_found_by_moving_others() -> None:
    # The exit at BOTH fits only the entry before it; the exit elsewhere must make room.
    evening = [
        span(BOTH, 10, 50, inward=True),
        span(BOTH, 20, 50, inward=False),
        span(BOTH, 30, 50, inward=True),
        span(OUT, 15, 50),
    ]
    assert {count_pairs(order) for order in permutations(evening)} == {2}


def test_the_ledgers_own_order_is_believed_where_nobody_needs_another() -> None:
    evening = [span(NORTH, 0, 100), span(OUT, 10, 100), span(SOUTH, 20, 100)]
    assert times(find_walk(evening)) == [0, 10, 20]
    doubled = [span(NORTH, 0, 100), span(SOUTH, 20, 100)]
    assert (times(find_walk(doubled)), find_walk(doubled).cost) == ([0, 20], (1, 0))


def test_doubt_is_read_in_the_guests_favour_and_certainty_is_not() -> None:
    in_doubt = [span(NORTH, 0), span(SOUTH, 20, 15), span(OUT, 30)]
    assert (times(find_walk(in_doubt)), find_walk(in_doubt).cost) == ([0, 30, 20], (0, 0))
    certain = [span(NORTH, 0), span(SOUTH, 20, 9), span(OUT, 30)]
    assert (times(find_walk(certain)), find_walk(certain).cost) == ([0, 20, 30], (1, 0))


def test_a_gates_own_order_narrows_what_its_clock_leaves_open() -> None:
    # By its span alone the second entry may have been at 5; but it is after another of its gate, which was certainly at 40.
    evening = [span(SOUTH, 30), span(NORTH, 40, key=31), span(NORTH, 41, 36, key=32), span(OUT, 20)]
    assert find_walk(evening).cost == (2, 1)


def test_a_log_whose_times_contradict_its_order_doubts_everything_between() -> None:
    set_back = [span(NORTH, 100, key=1), span(NORTH, 50, key=2), span(OUT, 75, key=3)]
    assert find_walk(set_back).cost == (0, 0)
    assert [one.key[0] for one in find_walk(set_back).order] == [1, 3, 2]


def test_many_passages_of_one_ticket_take_no_time() -> None:
    evening = [span(NORTH if at % 3 else OUT, at, 400) for at in range(3000)]
    assert count_pairs(evening) == 1000
    assert len(find_walk(evening).order) == 3000
