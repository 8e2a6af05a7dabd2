"""Big letters out of block characters, to be read from two metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ROWS = 7
_GAP = 1
_GAP_AFTER_SYMBOL = 2
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"

# Seven rows each, from top to bottom.
_GLYPHS = {
    "A": ".###. #...# #...# ##### #...# #...# #...#",
    "B": "####. #...# #...# ####. #...# #...# ####.",
    "C": ".###. #...# #.... #.... #.... #...# .###.",
    "D": "####. #...# #...# #...# #...# #...# ####.",
    "E": "##### #.... #.... ####. #.... #.... #####",
    "F": "##### #.... #.... ####. #.... #.... #....",
    "G": ".###. #...# #.... #.### #...# #...# .###.",
    "H": "#...# #...# #...# ##### #...# #...# #...#",
    "I": "### .#. .#. .#. .#. .#. ###",
    "J": "....# ....# ....# ....# ....# #...# .###.",
    "K": "#...# #..#. #.#.. ##... #.#.. #..#. #...#",
    "L": "#.... #.... #.... #.... #.... #.... #####",
    "M": "#...# ##.## #.#.# #.#.# #...# #...# #...#",
    "N": "#...# ##..# ##..# #.#.# #..## #..## #...#",
    "O": ".###. #...# #...# #...# #...# #...# .###.",
    "P": "####. #...# #...# ####. #.... #.... #....",
    "Q": ".###. #...# #...# #...# #.#.# #..#. .##.#",
    "R": "####. #...# #...# ####. #.#.. #..#. #...#",
    "S": ".#### #.... #.... .###. ....# ....# ####.",
    "T": "##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..",
    "U": "#...# #...# #...# #...# #...# #...# .###.",
    "V": "#...# #...# #...# #...# #...# .#.#. ..#..",
    "W": "#...# #...# #...# #.#.# #.#.# ##.## #...#",
    "X": "#...# #...# .#.#. ..#.. .#.#. #...# #...#",
    "Y": "#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..",
    "Z": "##### ....# ...#. ..#.. .#... #.... #####",
    "Ä": "#...# ..... .###. #...# ##### #...# #...#",
    "Ö": "#...# ..... .###. #...# #...# #...# .###.",
    "Ü": "#...# ..... #...# #...# #...# #...# .###.",
    "?": ".###. #...# ....# ...#. ..#.. ..... ..#..",
    "!": "## ## ## ## ## .. ##",
    "✓": "......# .....## #...##. ##.##.. .####.. ..##... .......",
    "✗": "##...## .##.##. ..###.. ...#... ..###.. .##.##. ##...##",
}


def draw_word(word: str, symbol: str, width: int, height: int, *, unicode: bool) -> list[str]:
    """Return rows of block characters that spell a symbol and a word as large as fits; none if nothing fits.

    ``width`` and ``height`` are columns and rows. A terminal's cell is twice as high as wide, so letters are drawn in
    quarter cells; with ASCII alone, in whole ones out of number signs. Characters without a glyph are left out.
    """
    bitmap = _join(word, symbol)
    scale = _fit(bitmap.shape[1], width, height, whole_cells=not unicode)
    if scale is None:
        return []
    across, down = scale
    pixels = bitmap.repeat(down, axis=0).repeat(across, axis=1)
    pixels = np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2)))
    quarters = pixels[::2, ::2] + 2 * pixels[::2, 1::2] + 4 * pixels[1::2, ::2] + 8 * pixels[1::2, 1::2]
    rows = ["".join(_QUADRANTS[quarter] for quarter in row) for row in quarters]
    return rows if unicode else [row.replace("█", "#") for row in rows]


def has_glyphs(text: str) -> bool:
    """Say whether every character of a text can be drawn large."""
    return all(char in _GLYPHS for char in text)


def _join(word: str, symbol: str) -> NDArray[np.uint8]:
    parts: list[NDArray[np.uint8]] = []
    for char in symbol:
        parts += [_glyph(char), np.zeros((ROWS, _GAP_AFTER_SYMBOL), np.uint8)] if char in _GLYPHS else []
    for char in word:
        parts += [_glyph(char), np.zeros((ROWS, _GAP), np.uint8)] if char in _GLYPHS else []
    return np.hstack(parts)[:, :-_GAP] if parts else np.zeros((ROWS, 0), np.uint8)


def _glyph(char: str) -> NDArray[np.uint8]:
    return np.array([[pixel == "#" for pixel in row] for row in _GLYPHS[char].split()], np.uint8)


def _fit(units: int, width: int, height: int, *, whole_cells: bool) -> tuple[int, int] | None:
    """Return half columns and half rows per unit: as large as fits, neither squat nor more than a third too slim."""
    step = 2 if whole_cells else 1
    if not units:
        return None
    across = min(2 * width // units, 2 * (2 * height // ROWS)) // step * step
    down = min(2 * height // ROWS, -(-2 * across // 3)) // step * step
    return (across, down) if across and down else None
