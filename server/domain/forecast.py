"""When the crowd is thickest and when it is in: a forecast from the arrivals of each minute so far.

People who come to an event that begins at a known time arrive in a bell: few early, most some time before it begins, few late.
Of all normal distributions of N arrivals around a minute m with a spread of s minutes, the one is taken that makes the counts
seen so far most likely (Poisson likelihood, N between three quarters of and all the tickets, with a mild preference for the
usual turnout). Before the peak this is a guess that gets better every minute; it says nothing before there is enough to go by.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import erf, log, pi, sqrt

from msgspec import Struct

FEWEST_MINUTES = 5
FEWEST_ARRIVALS = 20
ALMOST_ALL = 0.95
"""What share of the arrivals has to be in for the rush to be over."""

_USUAL_TURNOUT, _TURNOUT_SPREAD, _LEAST_TURNOUT = 0.92, 0.10, 0.75
_AHEAD_MIN = 240
_NARROWEST_MIN, _WIDEST_MIN = 4.0, 120.0
_BUCKETS = 40
_CENTRES, _SPREADS, _REFINEMENTS = 36, 12, 4
_SMOOTH_MIN = 5
_TINY = 1e-9
_Z_ALMOST_ALL = 1.6449  # the normal distribution's 95th percentile


class Forecast(Struct, frozen=True, kw_only=True):
    """Minutes are counted from the first one of the series.

    ``peak_minute`` lies behind when the thickest crowd is over; then ``peak_per_minute`` is what was seen, as the mean of five
    minutes. ``end_minute`` is when almost all of ``total`` arrivals are in.
    """

    peak_minute: int
    peak_per_minute: float
    end_minute: int
    total: int


class _Bell(Struct, frozen=True):
    centre: float
    spread: float
    total: float
    score: float


def forecast(arrivals: Sequence[int], expected: int) -> Forecast | None:
    """Return what is to be expected after these whole minutes; None while there is too little to go by.

    ``expected`` is how many tickets may come in all.
    """
    seen = sum(arrivals)
    if len(arrivals) < FEWEST_MINUTES or seen < FEWEST_ARRIVALS:
        return None
    bell = _fit(arrivals, max(expected, seen))
    total = max(round(bell.total), seen)
    minutes = len(arrivals)
    if bell.centre >= minutes:
        rate = bell.total / (bell.spread * sqrt(2 * pi))
        peak_minute, peak = round(bell.centre), rate
    else:
        peak_minute, peak = _find_peak(arrivals)
    reached = _reach(arrivals, ALMOST_ALL * total)
    end = max(minutes, round(bell.centre + _Z_ALMOST_ALL * bell.spread)) if reached is None else reached
    return Forecast(peak_minute=peak_minute, peak_per_minute=round(peak, 1), end_minute=end, total=total)


def _fit(arrivals: Sequence[int], expected: int) -> _Bell:
    width = -(-len(arrivals) // _BUCKETS)
    edges = [*range(0, len(arrivals), width), len(arrivals)]
    counts = [sum(arrivals[begin:end]) for begin, end in pairwise(edges)]
    step = (len(arrivals) + _AHEAD_MIN) / _CENTRES
    factor = (_WIDEST_MIN / _NARROWEST_MIN) ** (1 / (_SPREADS - 1))
    best = max(
        (
            _score(counts, edges, expected, (centre * step, _NARROWEST_MIN * factor**spread))
            for centre in range(_CENTRES + 1)
            for spread in range(_SPREADS)
        ),
        key=lambda bell: bell.score,
    )
    for _ in range(_REFINEMENTS):
        step, factor = step / 2, sqrt(factor)
        around = [(best.centre + i * step, best.spread * factor**j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        best = max((_score(counts, edges, expected, one) for one in around), key=lambda bell: bell.score)
    return best


def _score(counts: Sequence[int], edges: Sequence[int], expected: int, shape: tuple[float, float]) -> _Bell:
    """Return the bell of this centre and spread with the likeliest number of arrivals, and how likely it makes the counts."""
    centre, spread = shape
    below = [0.5 * (1 + erf((edge - centre) / (spread * sqrt(2)))) for edge in edges]
    shares = [max(after - before, _TINY) for before, after in pairwise(below)]
    inside = sum(shares)
    seen = sum(counts)
    total = min(max(seen / inside, _LEAST_TURNOUT * expected, float(seen)), float(expected))
    likelihood = sum(count * log(total * share) for count, share in zip(counts, shares, strict=True)) - total * inside
    off = (total / expected - _USUAL_TURNOUT) / _TURNOUT_SPREAD
    return _Bell(centre, spread, total, likelihood - off * off / 2)


def _find_peak(arrivals: Sequence[int]) -> tuple[int, float]:
    """Return the middle and the mean of the five minutes with the most arrivals."""
    width = min(_SMOOTH_MIN, len(arrivals))
    sums = [sum(arrivals[begin : begin + width]) for begin in range(len(arrivals) - width + 1)]
    begin = max(range(len(sums)), key=lambda place: sums[place])
    return begin + width // 2, sums[begin] / width


def _reach(arrivals: Sequence[int], wanted: float) -> int | None:
    """Return the minute at whose end so many were in; None if they are not yet."""
    so_far = 0
    for minute, count in enumerate(arrivals):
        so_far += count
        if so_far >= wanted:
            return minute
    return None
