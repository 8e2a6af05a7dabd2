"""Wrong PINs cost time: none at first, then a minute, then twice as much each time, up to an hour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.pins import FIRST_LOCK_MS, FREE_TRIES, GATE_TRIES, LONGEST_LOCK_MS, count_wrong, wait_ms
from gate.ports import Tries

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("failed", "minutes"), [(0, 0), (3, 0), (4, 1), (5, 2), (6, 4), (9, 32), (10, 60), (11, 60), (5000, 60)]
)
def test_wait_doubles_from_the_last_free_try_on(failed: int, minutes: int) -> None:
    after = count_wrong(Tries(failed=failed), FREE_TRIES, NOW_MS)
    assert wait_ms(after, FREE_TRIES, NOW_MS) == minutes * 60_000
    assert after.failed == failed + 1


def test_every_wait_is_over_to_the_millisecond() -> None:
    locked = count_wrong(Tries(failed=FREE_TRIES - 1), FREE_TRIES, NOW_MS)
    assert wait_ms(locked, FREE_TRIES, NOW_MS + FIRST_LOCK_MS - 1) == 1
    assert wait_ms(locked, FREE_TRIES, NOW_MS + FIRST_LOCK_MS) == 0


@given(st.integers(0, 10**6), st.integers(0, 2 * NOW_MS), st.integers(0, 2 * NOW_MS))
def test_no_clock_makes_anybody_wait_for_more_than_an_hour(failed: int, counted_ms: int, now_ms: int) -> None:
    assert (
        0 <= wait_ms(count_wrong(Tries(failed=failed), GATE_TRIES, counted_ms), GATE_TRIES, now_ms) <= LONGEST_LOCK_MS
    )


def test_a_day_of_trying_is_not_enough_for_a_thousandth_of_all_pins() -> None:
    tries, now_ms, made = Tries(), NOW_MS, 0
    while now_ms < NOW_MS + 24 * 3_600_000:
        tries, made = count_wrong(tries, FREE_TRIES, now_ms), made + 1
        now_ms += max(1, wait_ms(tries, FREE_TRIES, now_ms))
    assert made < 1000
