"""The camera's picture in a terminal: two pixels to a cell, so that a guest's phone can be guided into view."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

# Eight levels a channel less are not seen, and far fewer style changes are sent over a slow line.
_COARSE = 0xF8
_RAMP = " ░▒▓█"
_ASCII_RAMP = " .:-=+*#%@"


class Picture(Struct, frozen=True, kw_only=True, eq=False):
    """Pixels as rows x columns x 3, red, green, blue, 0-255; two rows become one row of cells."""

    pixels: NDArray[np.uint8]


class Viewfinder(Widget):
    """Shows the newest picture in the middle; without colour, in shades of block characters."""

    picture: reactive[Picture | None] = reactive(None)
    caption: reactive[str] = reactive("")

    def __init__(self, *, colour: bool, unicode: bool) -> None:
        super().__init__(id="viewfinder")
        self._colour = colour and unicode
        self._ramp = _RAMP if unicode else _ASCII_RAMP

    def watch_caption(self, caption: str) -> None:
        """Write the caption into the frame."""
        self.border_title = caption.replace("[", "(")

    def render_line(self, y: int) -> Strip:
        """Draw one row of cells."""
        width, height = self.size
        blank = Strip.blank(width, self.rich_style)
        if self.picture is None or width == 0:
            return blank
        pixels = self.picture.pixels[: 2 * height, :width]
        row = y - (height - (pixels.shape[0] + 1) // 2) // 2
        if not 0 <= row < (pixels.shape[0] + 1) // 2:
            return blank
        upper = pixels[2 * row]
        lower = pixels[2 * row + 1] if 2 * row + 1 < pixels.shape[0] else upper
        cells = paint_row(upper, lower) if self._colour else shade_row(upper, lower, self._ramp)
        margin = (width - pixels.shape[1]) // 2
        return Strip([Segment(" " * margin, self.rich_style), *cells]).adjust_cell_length(width, self.rich_style)


def paint_row(upper: NDArray[np.uint8], lower: NDArray[np.uint8]) -> list[Segment]:
    """Return two rows of pixels as upper half blocks: the ink is the pixel above, the paper the one below."""
    pairs = np.hstack([upper, lower]) & _COARSE
    starts = [0, *(np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1).tolist(), len(pairs)]
    return [Segment("▀" * (end - start), _style(*pairs[start].tolist())) for start, end in pairwise(starts)]


def shade_row(upper: NDArray[np.uint8], lower: NDArray[np.uint8], ramp: str) -> list[Segment]:
    """Return two rows of pixels as characters of a ramp from dark to bright (luma of ITU-R BT.601)."""
    luma = (upper.astype(np.float64) + lower) @ np.array([0.299, 0.587, 0.114]) / 2
    levels = np.minimum(luma * len(ramp) / 256, len(ramp) - 1).astype(int)
    return [Segment("".join(ramp[level] for level in levels), Style.null())]


@lru_cache(maxsize=4096)
def _style(*rgb: int) -> Style:
    ink, paper = rgb[:3], rgb[3:]
    return Style.parse(f"rgb({ink[0]},{ink[1]},{ink[2]}) on rgb({paper[0]},{paper[1]},{paper[2]})")
