"""How a person moves a ticket through the picture: in, held with an unsteady hand, and out again."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from gate.film.script import Showing

_FOCAL = 1.4
_ENTER_SHARE = 0.24
_LEAVE_SHARE = 0.16
# Two people side by side: where their tickets' middles are, and how wide a code may be, in shares of the frame's width.
_ASIDE = (0.29, 0.71)
_ASIDE_CODE = 0.24
# Part of the time between two pictures in which the shutter is open.
_SHUTTER = 0.3


class Pose(Struct, frozen=True, kw_only=True):
    """Where the code is and how it looks: pixels of the middle, radians of turn and tilt, pixels of blur."""

    x: float
    y: float
    turn: float
    pitch: float
    yaw: float
    defocus_px: float
    presence: float


class Manner(Struct, frozen=True, kw_only=True):
    """One person's way of holding things up; lengths are shares of the frame's height, angles are radians."""

    hold_x: float
    hold_y: float
    from_x: float
    from_y: float
    to_x: float
    to_y: float
    turn: float
    pitch: float
    yaw: float
    sway: float
    sway_hz: float
    shake: float
    focus: float
    out_of_focus: float
    code_width: float
    exposure: float
    glare: float
    glare_x: float
    glare_y: float


def draw_manner(kind: Showing, aspect: float, rng: np.random.Generator) -> Manner:
    """Return a random person's manner; `aspect` is the frame's width over its height."""
    narrow, wide = (0.245, 0.275) if kind is Showing.SMALL else (0.31, 0.39)
    gone = ((0.0, 1.5), (-1.5, 0.3), (1.5, 0.3))
    come, leave = gone[int(rng.choice(3, p=(0.6, 0.2, 0.2)))], gone[int(rng.choice(3, p=(0.4, 0.3, 0.3)))]
    return Manner(
        hold_x=aspect * rng.uniform(0.4, 0.6),
        hold_y=rng.uniform(0.42, 0.56),
        from_x=come[0],
        from_y=come[1],
        to_x=leave[0],
        to_y=leave[1],
        turn=math.radians(rng.uniform(-14, 14)),
        pitch=math.radians(rng.uniform(-24, 24)),
        yaw=math.radians(rng.uniform(-24, 24)),
        sway=rng.uniform(0.006, 0.022),
        sway_hz=rng.uniform(0.5, 1.6),
        shake=min(0.024, rng.gamma(1.6, 0.0055)),
        focus=rng.uniform(0.0011, 0.0018 if kind is Showing.SMALL else 0.0024),
        out_of_focus=rng.uniform(0.003, 0.0055),
        code_width=rng.uniform(narrow, wide),
        exposure=rng.uniform(0.82, 1.12),
        glare=_draw_glare(kind, rng),
        glare_x=rng.uniform(-0.2, 0.2),
        glare_y=rng.uniform(-0.2, 0.2),
    )


def stand_aside(manner: Manner, side: int, aspect: float) -> Manner:
    """Return the manner of somebody who leaves room for another: 0 on the left, 1 on the right."""
    width = min(manner.code_width, _ASIDE_CODE * aspect)
    return replace(manner, hold_x=aspect * _ASIDE[side], code_width=width, turn=manner.turn / 2)


def pose_at(manner: Manner, frame: int, frames: int, fps: float, height: int) -> Pose:
    """Return the pose in one of a person's pictures, for frames of this height in pixels."""
    enter, leave = enter_frames(frames), leave_frames(frames)
    arriving = _ease(1 - min(1.0, (frame + 1) / (enter + 1)))
    leaving = _ease(max(0.0, (frame - (frames - leave) + 1) / (leave + 1)))
    seconds = frame / fps
    phase = 2 * math.pi * manner.sway_hz * seconds
    # Two frequencies that never meet again stand for a hand's tremor.
    tremor_x, tremor_y = math.sin(seconds * 47.1 + manner.turn * 90), math.sin(seconds * 38.3 + manner.yaw * 70)
    x = manner.hold_x + manner.from_x * arriving + manner.to_x * leaving + manner.sway * math.sin(phase)
    y = manner.hold_y + manner.from_y * arriving + manner.to_y * leaving + manner.sway * math.cos(phase * 0.83)
    # A hand steadies once it has come to rest.
    shake = manner.shake * (1 - 0.6 * frame / frames)
    # The lens finds the ticket only a while after the ticket has arrived.
    hunting = manner.focus * (1 + 0.3 * math.sin(seconds * 9.7 + manner.turn * 40))
    blur = hunting + manner.out_of_focus * math.exp(-2.4 * frame / enter)
    return Pose(
        x=(x + shake * tremor_x) * height,
        y=(y + shake * tremor_y) * height,
        turn=manner.turn + 0.05 * math.sin(phase * 0.7) + 0.35 * arriving,
        pitch=manner.pitch + 0.07 * math.sin(phase * 0.9) + 0.3 * leaving,
        yaw=manner.yaw + 0.07 * math.cos(phase * 0.6),
        defocus_px=blur * height,
        presence=min(1.0, (frame + 1) / enter, (frames - frame) / leave),
    )


def smear_px(before: Pose, now: Pose) -> tuple[int, int]:
    """Return the odd numbers of pixels, across and down, a point travels while the shutter is open."""
    across, down = abs(now.x - before.x) * _SHUTTER, abs(now.y - before.y) * _SHUTTER
    return 2 * round(across / 2) + 1, 2 * round(down / 2) + 1


def enter_frames(frames: int) -> int:
    """Return how many of a person's pictures show the ticket on its way in."""
    return max(2, round(frames * _ENTER_SHARE))


def leave_frames(frames: int) -> int:
    """Return how many of a person's pictures show the ticket on its way out."""
    return max(1, round(frames * _LEAVE_SHARE))


def project(pose: Pose, scale: float, height: int) -> NDArray[np.float64]:
    """Return the 3x3 map from points on the flat prop, measured from the code's middle, to frame pixels.

    A pinhole camera with a focal length of 1.4 frame heights looks at a plane turned about its normal, then tilted;
    `scale` is frame pixels per prop pixel where the plane meets the code's middle.
    """
    focal = _FOCAL * height
    across = math.cos(pose.turn), math.sin(pose.turn)
    spin = np.array([[across[0], -across[1], 0.0], [across[1], across[0], 0.0], [0.0, 0.0, 1.0]])
    rock = _about_x(pose.pitch) @ _about_y(pose.yaw) @ spin
    # Rows: where a point lands relative to the middle, and how much farther it is than the middle.
    flat = np.array(
        [
            [rock[0, 0] * scale, rock[0, 1] * scale, 0.0],
            [rock[1, 0] * scale, rock[1, 1] * scale, 0.0],
            [rock[2, 0] * scale / focal, rock[2, 1] * scale / focal, 1.0],
        ]
    )
    shift = np.array([[1.0, 0.0, pose.x], [0.0, 1.0, pose.y], [0.0, 0.0, 1.0]])
    return np.asarray(shift @ flat, dtype=np.float64)


def _about_x(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def _about_y(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _ease(share: float) -> float:
    return share * share * (3 - 2 * share)


def _draw_glare(kind: Showing, rng: np.random.Generator) -> float:
    match kind:
        case Showing.GLARE:
            return rng.uniform(0.4, 0.7)
        case Showing.PAPER:
            return 0.0
        case _:
            return rng.uniform(0.1, 0.35) if rng.random() < 0.35 else 0.0
