"""What stays the same through a film: the room behind the people, the sensor's noise, and a lamp's reflection."""

from __future__ import annotations

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Image = NDArray[np.uint8]

NOISE_ZERO = 128
"""The gray level in a noise picture that changes nothing."""

_NOISE_SIGMA = 4.5
_NOISE_SPARE_PX = 64


class Room(Struct, frozen=True, kw_only=True, eq=False):
    """Pictures drawn once and used in every frame, all gray.

    `empty` is the room without anyone, `noise` is larger than a frame so that it can be laid on at another place
    each time, `spot` is a reflection on black, as wide as half the frame's height.
    """

    empty: Image
    noise: Image
    spot: Image


def draw_room(width: int, height: int, rng: np.random.Generator) -> Room:
    """Return a room for frames of this many pixels."""
    return Room(
        empty=_draw_walls(width, height, rng),
        noise=_draw_noise(width + _NOISE_SPARE_PX, height + _NOISE_SPARE_PX, rng),
        spot=_draw_spot(height // 2),
    )


def draw_visitor(room: Image, rng: np.random.Generator) -> Image:
    """Return the room with someone standing in it: head, shoulders and a coat with a weave, out of focus."""
    height, width = room.shape
    middle = round(width * rng.uniform(0.38, 0.62))
    figure, where = room.copy(), np.zeros_like(room)
    cloth = int(rng.integers(25, 110))
    weave = rng.integers(-14, 15, (height // 8, width // 8)).astype(np.float32)
    coat = np.clip(cv2.resize(weave, (width, height), interpolation=cv2.INTER_LINEAR) + cloth, 0, 255).astype(np.uint8)
    body = ((middle, round(height * 1.02)), (round(height * 0.52), round(height * 0.62)))
    cv2.ellipse(where, body[0], body[1], 0, 180, 360, 255, cv2.FILLED)
    cv2.copyTo(coat, where, figure)
    face = (middle, round(height * 0.2))
    cv2.ellipse(figure, face, (round(height * 0.13), round(height * 0.18)), 0, 0, 360, cloth + 70, cv2.FILLED)
    return np.asarray(cv2.GaussianBlur(figure, (0, 0), height / 120), dtype=np.uint8)


def _draw_walls(width: int, height: int, rng: np.random.Generator) -> Image:
    wall = np.full((height, width), 96.0, dtype=np.float32)
    for cells, strength in ((4, 22.0), (12, 10.0), (48, 6.0), (height // 4, 4.0)):
        rough = rng.normal(0, strength, (cells, cells * 16 // 9)).astype(np.float32)
        wall += np.asarray(cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.float32)
    for _ in range(14):
        left, top = rng.uniform(-0.1, 0.95) * width, rng.uniform(-0.1, 0.9) * height
        right, bottom = left + rng.uniform(0.03, 0.22) * width, top + rng.uniform(0.05, 0.5) * height
        corners = (round(left), round(top)), (round(right), round(bottom))
        cv2.rectangle(wall, *corners, float(rng.uniform(30, 200)), cv2.FILLED)
    for _ in range(6):
        lamp = (round(rng.uniform(0, width)), round(rng.uniform(0, height * 0.4)))
        cv2.circle(wall, lamp, round(height * rng.uniform(0.008, 0.03)), 250.0, cv2.FILLED)
    soft = np.asarray(cv2.GaussianBlur(wall, (0, 0), height / 200), dtype=np.float32)
    return np.asarray(np.clip(soft * _shade_corners(width, height), 0, 255), dtype=np.uint8)


def _shade_corners(width: int, height: int) -> NDArray[np.float32]:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(1.08 - 0.16 * (x**2 + y**2), dtype=np.float32)


def _draw_noise(width: int, height: int, rng: np.random.Generator) -> Image:
    fine = rng.normal(0, _NOISE_SIGMA, (height, width)).astype(np.float32)
    # A camera's own processing smears the noise a little.
    smeared = cv2.GaussianBlur(fine, (0, 0), 0.5)
    return np.asarray(np.clip(smeared + NOISE_ZERO, 0, 255), dtype=np.uint8)


def _draw_spot(side: int) -> Image:
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    away = np.sqrt(x**2 + (y * 1.4) ** 2)
    return np.asarray(np.clip(1.25 - 1.35 * away, 0, 1) ** 1.5 * 255, dtype=np.uint8)
