"""The sliding window itself, over any sequence of calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ephemeral.window import SlidingWindows, slice_ms
from server.services.ports_ephemeral import Limit
from shared.problems import Internal

limits = st.builds(
    Limit,
    calls=st.integers(1, 6),
    window=st.integers(20, 700).map(lambda ms: timedelta(milliseconds=ms)),
)


@given(limit=limits, steps=st.lists(st.integers(0, 200), max_size=60), start_ms=st.integers(0, 10**13))
def test_no_stretch_of_the_windows_length_holds_more_than_the_limit(
    limit: Limit, steps: list[int], start_ms: int
) -> None:
    windows, now_ms, allowed = SlidingWindows(), start_ms, []
    for step in steps:
        now_ms += step
        if windows.take("key", limit, now_ms).allowed:
            allowed.append(now_ms)
    for first in allowed:
        assert sum(first <= one < first + limit.window_ms for one in allowed) <= limit.calls


@given(limit=limits, steps=st.lists(st.integers(0, 50), max_size=30))
def test_a_call_is_allowed_exactly_when_the_refusal_said(limit: Limit, steps: list[int]) -> None:
    windows, now_ms = SlidingWindows(), 0
    answer = windows.take("key", limit, now_ms)
    for step in steps:
        now_ms += step
        answer = windows.take("key", limit, now_ms)
    if answer.retry_s == 0:
        assert windows.take("key", limit, now_ms).allowed
        return
    later_ms = now_ms + round(answer.retry_s * 1000)
    assert not windows.take("key", limit, later_ms - 1).allowed
    assert windows.take("key", limit, later_ms).allowed


@given(limit=limits, calls=st.integers(1, 10), start_ms=st.integers(0, 10**6))
def test_everything_is_back_at_the_reset(limit: Limit, calls: int, start_ms: int) -> None:
    windows = SlidingWindows()
    answers = [windows.take("key", limit, start_ms) for _ in range(calls)]
    reset_ms = round(answers[-1].reset_s * 1000)
    assert limit.window_ms < reset_ms <= limit.window_ms + slice_ms(limit)
    assert windows.take("key", limit, start_ms + reset_ms).remaining == limit.calls - 1


def test_the_quietest_key_is_forgotten_first() -> None:
    windows, limit = SlidingWindows(most_keys=2), Limit(calls=1, window=timedelta(seconds=1))
    for key in ("a", "b", "a", "c"):
        windows.take(key, limit, 0)
    assert not windows.take("a", limit, 0).allowed
    assert windows.take("b", limit, 0).allowed


@pytest.mark.parametrize(("calls", "ms"), [(0, 1000), (-1, 1000), (1, 19)])
def test_numbers_that_make_no_limit_are_refused(calls: int, ms: int) -> None:
    with pytest.raises(Internal):
        Limit(calls=calls, window=timedelta(milliseconds=ms))
