"""The frames of a film, drawn one after the other: only what a person holds is drawn anew in each."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.film.motion import Manner, Pose, draw_manner, pose_at, project, smear_px, stand_aside
from gate.film.props import TRANSPARENT, Prop, draw_prop
from gate.film.room import NOISE_ZERO, Room, draw_room, draw_visitor
from gate.film.script import Film, Person
from gate.film.symbol import draw_symbol

Image = NDArray[np.uint8]

_EDGE_PX = 12
_FLICKER = 0.025
_MIRROR = 1.6


class Shot(Struct, frozen=True, kw_only=True, eq=False):
    """One gray frame and the place in the script of the person in it, None for an empty scene."""

    image: Image
    person: int | None


class Actor(Struct, frozen=True, kw_only=True, eq=False):
    """One thing held up, made ready for drawing."""

    prop: Prop
    manner: Manner
    scale: float


class Cast(Struct, frozen=True, kw_only=True, eq=False):
    """Whoever stands before the camera together, and the place as it looks with the first of them in it."""

    actors: list[Actor]
    behind: Image


def draw_frames(film: Film) -> Iterator[Shot]:
    """Yield a film's frames in order; the same film gives the same pixels. Raises InputUnusable for a long text."""
    room = draw_room(film.width, film.height, np.random.default_rng([film.seed]))
    for place, person in enumerate(film.people):
        rng = np.random.default_rng([film.seed, place])
        cast = _prepare(film, person, room, rng)
        for frame in range(person.frames):
            yield Shot(image=_draw_cast(film, room, cast, (frame, person.frames), rng), person=place)
        for _ in range(person.pause_frames):
            yield Shot(image=_expose(room.empty, room, 1.0, rng), person=None)


def _prepare(film: Film, person: Person, room: Room, rng: np.random.Generator) -> Cast:
    aspect = film.width / film.height
    first = draw_manner(person.kind, aspect, rng)
    if not person.beside:
        return Cast(actors=[_equip(film, person, person.text, first, rng)], behind=draw_visitor(room.empty, rng))
    pair = ((person.text, first), (person.beside, draw_manner(person.kind, aspect, rng)))
    actors = [
        _equip(film, person, text, stand_aside(manner, side, aspect), rng) for side, (text, manner) in enumerate(pair)
    ]
    return Cast(actors=actors, behind=draw_visitor(room.empty, rng))


def _equip(film: Film, person: Person, text: str, manner: Manner, rng: np.random.Generator) -> Actor:
    modules = draw_symbol(text, person.error)
    width_px = manner.code_width * film.height
    # Drawn a little larger than seen, so that tilting it loses nothing.
    module_px = max(2, math.ceil(width_px / modules.shape[0] * 1.1))
    prop = draw_prop(modules, person.kind, module_px, rng)
    return Actor(prop=prop, manner=manner, scale=width_px / prop.code_width)


def _draw_cast(film: Film, room: Room, cast: Cast, frame: tuple[int, int], rng: np.random.Generator) -> Image:
    at, frames = frame
    scene: Image | None = None
    for actor in cast.actors:
        pose = pose_at(actor.manner, at, frames, film.fps, film.height)
        before = pose_at(actor.manner, at - 1, frames, film.fps, film.height)
        scene = _stand_before(room.empty, cast.behind, pose.presence) if scene is None else scene
        _lay_prop(scene, actor, pose, before)
        if actor.manner.glare > 0:
            _lay_glare(scene, room.spot, actor.manner, pose)
    return _expose(room.empty if scene is None else scene, room, cast.actors[0].manner.exposure, rng)


def _stand_before(empty: Image, behind: Image, presence: float) -> Image:
    if presence >= 1.0:
        return behind.copy()
    return np.asarray(cv2.addWeighted(empty, 1 - presence, behind, presence, 0), dtype=np.uint8)


def _lay_prop(scene: Image, actor: Actor, pose: Pose, before: Pose) -> None:
    prop = actor.prop
    centre = np.array([[1.0, 0.0, -prop.code_x], [0.0, 1.0, -prop.code_y], [0.0, 0.0, 1.0]])
    onto_frame = project(pose, actor.scale, scene.shape[0]) @ centre
    box = _bounds(prop.image.shape, onto_frame, scene.shape)
    if box is None:
        return
    left, top, right, bottom = box
    part = scene[top:bottom, left:right]
    into_part = np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]]) @ onto_frame
    seen = cv2.warpPerspective(prop.image, into_part, (right - left, bottom - top), flags=cv2.INTER_LINEAR)
    np.copyto(part, np.asarray(seen, dtype=np.uint8), where=np.asarray(seen) != TRANSPARENT)
    _blur(part, pose, before)


def _blur(part: Image, pose: Pose, before: Pose) -> None:
    across, down = smear_px(before, pose)
    if across > 1 or down > 1:
        cv2.blur(part, (across, down), dst=part)
    cv2.GaussianBlur(part, (0, 0), pose.defocus_px, dst=part)


def _bounds(
    prop_shape: tuple[int, ...], onto_frame: NDArray[np.float64], frame_shape: tuple[int, ...]
) -> tuple[int, int, int, int] | None:
    height, width = prop_shape[:2]
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], dtype=np.float64)
    landed = corners @ onto_frame.T
    landed = landed[:, :2] / landed[:, 2:]
    low, high = np.floor(landed.min(axis=0)) - _EDGE_PX, np.ceil(landed.max(axis=0)) + _EDGE_PX
    left, top = max(0, int(low[0])), max(0, int(low[1]))
    right, bottom = min(frame_shape[1], int(high[0])), min(frame_shape[0], int(high[1]))
    return (left, top, right, bottom) if right - left > _EDGE_PX and bottom - top > _EDGE_PX else None


def _lay_glare(scene: Image, spot: Image, manner: Manner, pose: Pose) -> None:
    height, width = scene.shape
    side = spot.shape[0]
    # A reflection moves against the ticket, as in a mirror, and runs across it as the ticket is tilted.
    off_x = manner.glare_x + (pose.yaw - manner.yaw) * _MIRROR
    off_y = manner.glare_y + (pose.pitch - manner.pitch) * _MIRROR
    left = round((2 * manner.hold_x + off_x) * height - pose.x - side / 2)
    top = round((2 * manner.hold_y + off_y) * height - pose.y - side / 2)
    x0, y0, x1, y1 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    if x1 <= x0 or y1 <= y0:
        return
    part = scene[y0:y1, x0:x1]
    light = spot[y0 - top : y1 - top, x0 - left : x1 - left]
    cv2.addWeighted(part, 1.0, light, manner.glare, 0, dst=part)


def _expose(scene: Image, room: Room, exposure: float, rng: np.random.Generator) -> Image:
    height, width = scene.shape
    spare_y, spare_x = room.noise.shape[0] - height, room.noise.shape[1] - width
    y, x = int(rng.integers(0, spare_y)), int(rng.integers(0, spare_x))
    gain = exposure * (1 + float(rng.uniform(-_FLICKER, _FLICKER)))
    noise = room.noise[y : y + height, x : x + width]
    return np.asarray(cv2.addWeighted(scene, gain, noise, 1.0, -NOISE_ZERO), dtype=np.uint8)
