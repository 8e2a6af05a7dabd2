"""The part of the picture in which codes are looked for: what stands beside it is neither read nor paid for."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from gate.scanner.decoder import Decoder
from gate.scanner.frames import Image
from gate.scanner.lane import Lane, LaneStatus
from shared.problems import InputUnusable

_SHADE = 3
"""What lies outside the area is this many times darker in the preview."""

_LEAST_PERCENT = 5


class Area(Struct, frozen=True, kw_only=True):
    """A rectangle in percent of the picture's width and height, from its upper left corner."""

    left: int = 0
    top: int = 0
    width: int = 100
    height: int = 100

    def slices(self, image: Image) -> tuple[slice, slice]:
        """Return the rows and columns of a picture that lie inside; at least one of each."""
        rows, columns = image.shape[0], image.shape[1]
        top, left = rows * self.top // 100, columns * self.left // 100
        bottom, right = -(-rows * (self.top + self.height) // 100), -(-columns * (self.left + self.width) // 100)
        return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


WHOLE = Area()


def parse_area(text: str) -> Area:
    """Return what a person wrote, such as ``25,10,50,80``: left, top, width and height in percent; nothing is the whole.

    Raises:
        InputUnusable: it is no rectangle inside the picture.
    """
    if not text.strip():
        return WHOLE
    parts = [part.strip() for part in text.split(",")]
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= 3]
    if len(numbers) == len(parts) == 4:
        left, top, width, height = numbers
        if min(width, height) >= _LEAST_PERCENT and left + width <= 100 and top + height <= 100:
            return Area(left=left, top=top, width=width, height=height)
    raise InputUnusable(
        f"{text!r} is no part of a picture: write left,top,width,height in whole percent, such as 25,10,50,80 "
        f"(at least {_LEAST_PERCENT} wide and high, nothing beyond 100)."
    )


class AreaDecoder:
    """Reads only what lies inside the area."""

    def __init__(self, inner: Decoder, area: Area) -> None:
        self._inner = inner
        self._area = area

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found inside the area, in no particular order."""
        return self._inner.decode(np.ascontiguousarray(image[self._area.slices(image)]))


class AreaLane:
    """A lane whose preview shows the area: what lies outside is dark."""

    def __init__(self, lane: Lane, area: Area) -> None:
        self._lane = lane
        self._area = area

    def start(self) -> None:
        """Start reading."""
        self._lane.start()

    def stop(self) -> bool:
        """Stop; return False when a driver still holds on to a thread."""
        return self._lane.stop()

    def status(self) -> LaneStatus:
        """Return how the lane is doing now."""
        return self._lane.status()

    def thumbnail(self, width: int, height: int) -> Image | None:
        """Return the last picture shrunk to fit, its surroundings dark; None before the first."""
        picture = self._lane.thumbnail(width, height)
        if picture is None:
            return None
        shown = picture // _SHADE
        inside = self._area.slices(picture)
        shown[inside] = picture[inside]
        return np.asarray(shown, dtype=np.uint8)
