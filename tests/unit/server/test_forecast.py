"""The forecast of arrivals: right about bells, silent about too little, and never nonsense."""

from __future__ import annotations

import random
from math import exp, pi, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.forecast import FEWEST_ARRIVALS, FEWEST_MINUTES, forecast


def bell(total: int, centre: float, spread: float, minutes: int, seed: int = 1) -> list[int]:
    """Return the arrivals of an evening, with the noise a crowd has."""
    chance = random.Random(seed)  # noqa: S311 - a crowd, not a secret
    rates = [total / (spread * sqrt(2 * pi)) * exp(-(((m + 0.5 - centre) / spread) ** 2) / 2) for m in range(minutes)]
    return [max(0, round(chance.gauss(rate, sqrt(rate)))) for rate in rates]


@pytest.mark.parametrize(("total", "centre", "spread"), [(5000, 70, 22), (20_000, 95, 30), (900, 45, 15)])
def test_half_an_hour_before_the_peak_it_is_about_right(total: int, centre: int, spread: int) -> None:
    evening = bell(total, centre, spread, 240)
    told = forecast(evening[: centre - 15], round(total / 0.95))
    assert told is not None
    assert abs(told.peak_minute - centre) <= 15
    assert told.peak_per_minute == pytest.approx(max(evening), rel=0.35)
    assert abs(told.end_minute - (centre + 1.645 * spread)) <= 25


def test_after_the_peak_it_tells_what_was_and_when_all_are_in() -> None:
    evening = bell(5000, 70, 22, 240)
    told = forecast(evening[:100], 5200)
    assert told is not None
    assert abs(told.peak_minute - 70) <= 8
    assert told.peak_per_minute == pytest.approx(5000 / (22 * sqrt(2 * pi)), rel=0.15)
    assert abs(told.end_minute - (70 + 1.645 * 22)) <= 6
    over = forecast(evening, 5200)
    assert over is not None
    assert over.end_minute < 125
    assert over.total == pytest.approx(5000, rel=0.05)


def test_too_little_says_nothing() -> None:
    assert forecast([], 100) is None
    assert forecast([50] * (FEWEST_MINUTES - 1), 1000) is None
    assert forecast([0] * 200, 1000) is None
    assert forecast([1] * (FEWEST_ARRIVALS - 1), 1000) is None


@settings(max_examples=60, deadline=None)
@given(arrivals=st.lists(st.integers(0, 400), max_size=300), expected=st.integers(0, 100_000))
def test_whatever_comes_it_is_no_nonsense(arrivals: list[int], expected: int) -> None:
    told = forecast(arrivals, expected)
    if told is None:
        return
    seen = sum(arrivals)
    assert seen <= told.total <= max(expected, seen)
    assert 0 <= told.peak_per_minute <= max(told.total, *arrivals)
    assert 0 <= told.end_minute <= len(arrivals) + 240 + 1.65 * 200
    assert -1 <= told.peak_minute <= len(arrivals) + 300
    assert forecast(arrivals, expected) == told
