"""Where in a picture something like a code was seen that could not be read: only there is it worth looking harder."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import zxingcpp

from gate.scanner.frames import Image

_MARGIN = 0.25
"""A code's size is that of what was found of it; by so much of it the region is larger on each side."""

_LEAST_PX = 40
"""Twenty-one modules, the smallest code, cannot be told apart in less."""

_MOST_REGIONS = 3
"""Patterns of a wall may look like codes: so many are looked at in one picture."""


def cut_regions(gray: Image, unread: Iterable[zxingcpp.Barcode]) -> list[Image]:
    """Return the parts of a gray picture around what was seen and not read, the largest first; few at most."""
    parts = [part for part in (_cut(gray, code.position) for code in unread) if part is not None]
    return sorted(parts, key=lambda part: part.size, reverse=True)[:_MOST_REGIONS]


def _cut(gray: Image, place: zxingcpp.Position) -> Image | None:
    corners = (place.top_left, place.top_right, place.bottom_left, place.bottom_right)
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    size = max(max(across) - min(across), max(down) - min(down))
    wide = round(size * _MARGIN)
    part = gray[max(0, min(down) - wide) : max(down) + wide, max(0, min(across) - wide) : max(across) + wide]
    if size < _LEAST_PX or min(part.shape) < _LEAST_PX:
        return None
    return np.ascontiguousarray(part)
