"""Arrivals per minute as a picture that needs no script: bars of an SVG, drawn in its own units."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

WIDTH, HEIGHT = 720, 200
_MOST_BARS = 240
_GAP = 0.2


class Bars(Struct, frozen=True, kw_only=True):
    """The path of the bars, how high the highest is, and how many minutes each stands for."""

    path: str
    most: int
    minutes: int


def draw_bars(per_minute: Sequence[int]) -> Bars:
    """Return the bars of these minutes; where there are too many, several share a bar as their mean."""
    share = max(1, -(-len(per_minute) // _MOST_BARS))
    groups = [per_minute[place : place + share] for place in range(0, len(per_minute), share)]
    means = [sum(group) / len(group) for group in groups]
    most = max(means, default=0.0)
    step = WIDTH / max(30, len(means))
    parts = [
        f"M{place * step:.1f} {HEIGHT}v-{mean / most * (HEIGHT - 6):.1f}h{step * (1 - _GAP):.1f}V{HEIGHT}z"
        for place, mean in enumerate(means)
        if mean
    ]
    return Bars(path="".join(parts), most=round(most), minutes=share)
