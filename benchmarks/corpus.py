"""Pictures of tickets as a lane's camera might take them, each spoiled in one way, from mildly to hopelessly."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache

import cv2
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from gate.film.motion import Pose, project
from gate.film.props import TRANSPARENT, draw_prop
from gate.film.room import Room, draw_room, draw_visitor
from gate.film.script import Showing
from gate.film.symbol import draw_symbol

Image = NDArray[np.uint8]
Light = NDArray[np.float32]

SIZES = ((640, 480), (1280, 720), (1920, 1080))
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$%*+-./:"
_TEXT_LENGTHS = (219, 219, 192)
_GAMMA = 2.2
_JPEG_QUALITY = 85


class Kind(StrEnum):
    """What is the matter with a picture."""

    CLEAN = "clean"
    TILT = "tilt"
    ROTATION = "rotation"
    DEFOCUS = "defocus"
    MOTION = "motion"
    NOISE = "noise"
    LOW_LIGHT = "low light"
    DIM = "dim screen"
    GLARE = "glare"
    MOIRE = "moire"
    FINGER = "finger"
    SMALL = "small"
    INVERTED = "inverted"
    PAPER = "paper"
    SEVERAL = "several"
    EMPTY = "empty"


class Spoiling(Struct, frozen=True, kw_only=True):
    """How a picture is spoiled.

    ``width`` is the code's as a share of the picture's height; ``turn`` and ``tilt`` are radians; ``blur`` is a disk's radius and
    ``smear`` a path's length, in modules; ``gain`` multiplies the light; ``photons`` is how many make a full pixel, fewer
    meaning more noise; ``covered`` is the share of the code under a finger.
    """

    showing: Showing = Showing.PHONE
    width: float = 0.36
    turn: float = 0.05
    tilt: float = 0.1
    blur: float = 0.12
    smear: float = 0.0
    gain: float = 1.0
    photons: float = 900.0
    glare: float = 0.0
    moire: float = 0.0
    covered: float = 0.0
    codes: int = 1


class Picture(Struct, frozen=True, kw_only=True, eq=False):
    """A gray picture, what is the matter with it, and the texts of the codes in it."""

    image: Image
    kind: Kind
    texts: frozenset[str]


def draw_corpus(each: int, seed: int, sizes: Sequence[tuple[int, int]] = SIZES) -> Iterator[Picture]:
    """Yield ``each`` pictures of each kind and size; the same arguments give the same pixels."""
    for size in sizes:
        for place, kind in enumerate(Kind):
            for number in range(each):
                rng = np.random.default_rng([seed, size[1], place, number])
                yield _draw(kind, (number + 0.5) / each, size, rng)


def _draw(kind: Kind, severity: float, size: tuple[int, int], rng: np.random.Generator) -> Picture:
    spoiling = _spoil(kind, severity, rng)
    room = _room(size)
    scene = draw_visitor(room.empty, rng)
    texts = [_make_text(rng) for _ in range(spoiling.codes)]
    for place, text in enumerate(texts):
        _hold_up(scene, text, spoiling, _middle(place, spoiling.codes, size, rng), rng)
    module_px = spoiling.width * size[1] / 49
    light = _spoil_light(np.power(scene.astype(np.float32) / 255, _GAMMA), spoiling, module_px, rng)
    return Picture(image=_expose(light, spoiling, rng), kind=kind, texts=frozenset(texts))


def _spoil(kind: Kind, severity: float, rng: np.random.Generator) -> Spoiling:
    """Return a picture's faults; the ranges go from what any reader takes to what none does."""
    usual = Spoiling(turn=rng.uniform(-0.15, 0.15), tilt=rng.uniform(0.0, 0.2), width=rng.uniform(0.32, 0.4))
    changes: dict[Kind, dict[str, object]] = {
        Kind.CLEAN: {"blur": 0.05},
        Kind.TILT: {"tilt": _between(0.2, 1.1, severity)},
        Kind.ROTATION: {"turn": _between(0.2, 2 * math.pi - 0.2, severity)},
        Kind.DEFOCUS: {"blur": _between(0.2, 0.9, severity)},
        Kind.MOTION: {"smear": _between(0.3, 2.0, severity)},
        Kind.NOISE: {"photons": _fall(400.0, 12.0, severity)},
        Kind.LOW_LIGHT: {"showing": Showing.PAPER, "gain": _fall(0.4, 0.03, severity), "photons": 250.0},
        Kind.DIM: {"gain": _fall(0.5, 0.06, severity)},
        Kind.GLARE: {"glare": _between(0.3, 1.4, severity)},
        Kind.MOIRE: {"moire": _between(0.1, 0.6, severity)},
        Kind.FINGER: {"covered": _between(0.01, 0.2, severity)},
        Kind.SMALL: {"width": _fall(0.3, 0.1, severity)},
        Kind.INVERTED: {"showing": Showing.DARK_MODE},
        Kind.PAPER: {"showing": Showing.PAPER},
        Kind.SEVERAL: {"codes": int(rng.integers(2, 4)), "width": 0.3},
        Kind.EMPTY: {"codes": 0},
    }
    return replace(usual, **changes[kind])


def _between(mild: float, hard: float, severity: float) -> float:
    return mild + (hard - mild) * severity


def _fall(mild: float, hard: float, severity: float) -> float:
    return mild * math.pow(hard / mild, severity)


def _make_text(rng: np.random.Generator) -> str:
    length = _TEXT_LENGTHS[int(rng.integers(len(_TEXT_LENGTHS)))]
    return "".join(_LETTERS[place] for place in rng.integers(len(_LETTERS), size=length))


@cache
def _room(size: tuple[int, int]) -> Room:
    return draw_room(*size, np.random.default_rng(size[1]))


def _middle(place: int, codes: int, size: tuple[int, int], rng: np.random.Generator) -> tuple[float, float]:
    across = (place + 0.5) / codes + rng.uniform(-0.02, 0.02)
    return across * size[0], size[1] * rng.uniform(0.42, 0.52)


def _hold_up(
    scene: Image, text: str, spoiling: Spoiling, middle: tuple[float, float], rng: np.random.Generator
) -> None:
    height, width = scene.shape
    modules = draw_symbol(text, "M")
    width_px = spoiling.width * height
    prop = draw_prop(modules, spoiling.showing, max(2, math.ceil(width_px / modules.shape[0])), rng)
    sheet = prop.image.copy()
    _cover(sheet, (prop.code_x, prop.code_y), prop.code_width, spoiling.covered, rng)
    pose = Pose(
        x=middle[0], y=middle[1], turn=spoiling.turn, pitch=spoiling.tilt, yaw=0.0, defocus_px=0.0, presence=1.0
    )
    shift = np.array([[1.0, 0.0, -prop.code_x], [0.0, 1.0, -prop.code_y], [0.0, 0.0, 1.0]])
    onto = project(pose, width_px / prop.code_width, height) @ shift
    seen = np.asarray(cv2.warpPerspective(sheet, onto, (width, height), flags=cv2.INTER_AREA), dtype=np.uint8)
    np.copyto(scene, seen, where=seen != TRANSPARENT)


def _cover(sheet: Image, code: tuple[float, float], width: int, share: float, rng: np.random.Generator) -> None:
    """Lay a fingertip over the code from its right edge, away from its corners; half of the tip lies beside the code."""
    if share <= 0:
        return
    deep = width * math.sqrt(share * 4 / math.pi)
    tip = (round(code[0] + width / 2), round(code[1] + width * rng.uniform(-0.1, 0.1)))
    axes = (round(deep), round(deep / 2))
    cv2.ellipse(sheet, tip, axes, 0, 0, 360, int(rng.integers(110, 170)), cv2.FILLED)


def _spoil_light(light: Light, spoiling: Spoiling, module_px: float, rng: np.random.Generator) -> Light:
    """Let the lens and the lamps do to the light what they do, before the sensor sees it."""
    if spoiling.moire:
        light = light * _moire(light.shape, spoiling.moire, rng)
    if spoiling.glare:
        light = light + _glare(light.shape, spoiling.glare, rng)
    for kernel in (_disk(spoiling.blur * module_px), _path(spoiling.smear * module_px, rng)):
        if kernel is not None:
            light = np.asarray(cv2.filter2D(light, -1, kernel), dtype=np.float32)
    return light * np.float32(spoiling.gain)


def _moire(shape: tuple[int, ...], contrast: float, rng: np.random.Generator) -> Light:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    pitch, turn = rng.uniform(6, 24), rng.uniform(0, math.pi)
    wave = np.sin(2 * math.pi * (x * math.cos(turn) + y * math.sin(turn)) / pitch)
    return np.asarray(1 - contrast * (1 + wave) / 2, dtype=np.float32)


def _glare(shape: tuple[int, ...], strength: float, rng: np.random.Generator) -> Light:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    middle_x = shape[1] / 2 + rng.uniform(-0.15, 0.15) * shape[0]
    middle_y = shape[0] * rng.uniform(0.35, 0.6)
    away = np.hypot(x - middle_x, (y - middle_y) * 1.4) / (shape[0] * 0.22)
    return np.asarray(strength * np.exp(-(away**2)), dtype=np.float32)


def _disk(radius: float) -> Light | None:
    """Return a lens' circle of confusion, its edge softened by a pixel."""
    if radius < 0.3:
        return None
    reach = math.ceil(radius + 1)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return np.asarray(disk / disk.sum(), dtype=np.float32)


def _path(length: float, rng: np.random.Generator) -> Light | None:
    if length < 0.5:
        return None
    reach, turn = math.ceil(length / 2 + 1), rng.uniform(0, math.pi)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, aside = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    path = np.clip(length / 2 + 0.5 - np.abs(along), 0, 1) * np.clip(1 - np.abs(aside), 0, 1)
    return np.asarray(path / path.sum(), dtype=np.float32)


def _expose(light: Light, spoiling: Spoiling, rng: np.random.Generator) -> Image:
    """Count photons, read them out, and keep the picture as a camera's JPEG."""
    counted = np.clip(light, 0, 1) * spoiling.photons
    noisy = counted + np.sqrt(counted + 1) * rng.standard_normal(light.shape, dtype=np.float32)
    # A camera turns up its gain in the dark, and the noise with it.
    lifted = noisy / spoiling.photons / max(spoiling.gain, 0.25) ** 0.5
    levels = np.power(np.clip(lifted, 0, 1), 1 / _GAMMA) * 255
    _, data = cv2.imencode(".jpg", levels.astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
