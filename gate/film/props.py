"""What people hold: a phone or a sheet of paper with a code on it, in a hand, drawn flat on a transparent ground."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.film.script import Showing

Image = NDArray[np.uint8]

TRANSPARENT = 0
"""The gray level that stands for nothing; no prop is drawn with it."""

_QUIET_MODULES = 4
_SKIN = (95, 170)
_WRIST_MARGINS = 4


class Ink(NamedTuple):
    """Gray levels of a prop: its body, the ground of its screen, and the code's light and dark squares."""

    body: int
    ground: int
    light: int
    dark: int


class Prop(Struct, frozen=True, kw_only=True, eq=False):
    """A prop as a gray picture, the point in it that is the middle of the code, and the code's width in its pixels."""

    image: Image
    code_x: float
    code_y: float
    code_width: int


def draw_prop(modules: NDArray[np.bool_], kind: Showing, module_px: int, rng: np.random.Generator) -> Prop:
    """Return the prop for a code at a whole number of pixels a module."""
    ink = _INKS[kind]
    panel = _draw_panel(modules, ink, module_px)
    side = panel.shape[0]
    sheet = _draw_paper(side, ink, rng) if kind is Showing.PAPER else _draw_phone(side, ink)
    top, left = round(sheet.shape[0] * 0.44 - side / 2), (sheet.shape[1] - side) // 2
    sheet[top : top + side, left : left + side] = panel
    margin = round(side * 0.16)
    canvas = _draw_hand_behind(sheet.shape, margin, rng)
    inside = canvas[margin : margin + sheet.shape[0], margin : margin + sheet.shape[1]]
    np.copyto(inside, sheet, where=sheet != TRANSPARENT)
    _draw_thumb(canvas, margin, rng)
    return Prop(
        image=canvas,
        code_x=margin + left + side / 2,
        code_y=margin + top + side / 2,
        code_width=modules.shape[0] * module_px,
    )


def _draw_panel(modules: NDArray[np.bool_], ink: Ink, module_px: int) -> Image:
    squares = np.pad(modules, _QUIET_MODULES, constant_values=False)
    tones = np.where(squares, ink.dark, ink.light).astype(np.uint8)
    return tones.repeat(module_px, axis=0).repeat(module_px, axis=1)


def _draw_phone(side: int, ink: Ink) -> Image:
    bezel, width = round(side * 0.035), round(side * 1.14)
    height = round(width * 1.95)
    phone = np.full((height, width), TRANSPARENT, dtype=np.uint8)
    _fill_rounded(phone, (0, 0, width - 1, height - 1), round(side * 0.13), ink.body)
    _fill_rounded(phone, (bezel, bezel, width - 1 - bezel, height - 1 - bezel), round(side * 0.1), ink.ground)
    writing = (ink.light + ink.dark) // 2
    size = side / 300
    cv2.putText(phone, "ADMIT ONE", (bezel * 3, round(height * 0.11)), _FONT, size, writing, max(1, round(size * 2)))
    for row, share in enumerate((0.8, 0.55, 0.65)):
        y = round(height * (0.8 + row * 0.045))
        cv2.line(phone, (bezel * 3, y), (round(width * share), y), writing, max(1, round(side * 0.02)))
    return phone


def _draw_paper(side: int, ink: Ink, rng: np.random.Generator) -> Image:
    width, height = round(side * 1.3), round(side * 1.75)
    grain = cv2.resize(rng.normal(0, 5, (height // 12, width // 12)), (width, height), interpolation=cv2.INTER_LINEAR)
    fold = np.linspace(-9, 9, width, dtype=np.float64)[None, :]
    paper = np.clip(ink.ground + grain + fold, 1, 255).astype(np.uint8)
    for row in range(9):
        y = round(height * (0.82 + row * 0.018)) if row else round(height * 0.07)
        cv2.line(paper, (width // 10, y), (round(width * rng.uniform(0.5, 0.9)), y), ink.dark, max(1, side // 140))
    return paper


def _draw_hand_behind(sheet_shape: tuple[int, ...], margin: int, rng: np.random.Generator) -> Image:
    height, width = sheet_shape[0] + _WRIST_MARGINS * margin, sheet_shape[1] + 2 * margin
    canvas = np.full((height, width), TRANSPARENT, dtype=np.uint8)
    tone = int(rng.integers(*_SKIN))
    palm = (round(width * 0.62), round(height * 0.76))
    cv2.ellipse(canvas, palm, (round(width * 0.36), round(height * 0.23)), 0, 0, 360, tone, cv2.FILLED)
    for finger in range(4):
        tip = (round(margin * 0.95), round(height * (0.52 + finger * 0.065)))
        axes = (round(margin * 0.8), round(height * 0.028))
        cv2.ellipse(canvas, tip, axes, -12, 0, 360, tone - 12 + finger * 6, cv2.FILLED)
    return canvas


def _draw_thumb(canvas: Image, margin: int, rng: np.random.Generator) -> None:
    height, width = canvas.shape
    tone = int(rng.integers(*_SKIN))
    root = (width - round(margin * 0.75), round(height * rng.uniform(0.62, 0.68)))
    cv2.ellipse(canvas, root, (round(margin * 0.62), round(height * 0.09)), -25, 0, 360, tone, cv2.FILLED)
    nail = (root[0] - round(margin * 0.2), root[1] - round(height * 0.045))
    cv2.ellipse(canvas, nail, (round(margin * 0.2), round(height * 0.02)), -25, 0, 360, min(tone + 35, 255), cv2.FILLED)


def _fill_rounded(picture: Image, box: tuple[int, int, int, int], radius: int, tone: int) -> None:
    left, top, right, bottom = box
    cv2.rectangle(picture, (left + radius, top), (right - radius, bottom), tone, cv2.FILLED)
    cv2.rectangle(picture, (left, top + radius), (right, bottom - radius), tone, cv2.FILLED)
    for x in (left + radius, right - radius):
        for y in (top + radius, bottom - radius):
            cv2.circle(picture, (x, y), radius, tone, cv2.FILLED)


_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INKS = {
    Showing.PHONE: Ink(body=30, ground=222, light=242, dark=22),
    Showing.PAPER: Ink(body=200, ground=186, light=196, dark=34),
    Showing.DARK_MODE: Ink(body=26, ground=24, light=20, dark=222),
    Showing.SMALL: Ink(body=30, ground=222, light=242, dark=22),
    Showing.DIM: Ink(body=14, ground=66, light=76, dark=12),
    Showing.GLARE: Ink(body=30, ground=205, light=222, dark=30),
}
