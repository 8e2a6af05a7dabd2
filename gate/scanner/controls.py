"""What a camera's driver lets one set: lamp, exposure and focus, through Video4Linux, where the driver has them."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from msgspec import Struct

from shared.problems import InputUnusable

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

# Numbers of linux/v4l2-controls.h and videodev2.h; exposure is in steps of 100 microseconds.
_SET_CONTROL = 0xC008561C
_EXPOSURE_MODE, _EXPOSURE_TIME, _EXPOSURE_BY_HAND, _EXPOSURE_BY_DRIVER = 0x009A0901, 0x009A0902, 1, 3
_FOCUS_BY_DRIVER, _FOCUS = 0x009A090C, 0x009A090A
_LAMP_MODE, _LAMP_OFF, _LAMP_TORCH = 0x009C0901, 0, 2
_STEPS_PER_MS = 10
_LONGEST_MS = 1000.0
_NOT_THERE = {errno.EINVAL, errno.ENOTTY, errno.ERANGE, errno.EACCES}

SetControl = Callable[[int, int], None]
"""Sets one control of an open camera; raises OSError where the driver does not have it."""


class Controls(Struct, frozen=True, kw_only=True):
    """What is wished of a camera; None leaves it as it is. ``exposure_ms`` of 0 and ``focus`` of -1 leave them to the driver."""

    torch: bool | None = None
    exposure_ms: float | None = None
    focus: int | None = None


def parse_controls(text: str) -> Controls:
    """Return what a person wrote, such as ``torch=on,exposure=4,focus=120``.

    Raises:
        InputUnusable: it means nothing.
    """
    wishes: dict[str, bool | float | int] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _, value = part.partition("=")
        read = _READERS.get(name)
        wished = read(value) if read is not None else None
        if wished is None:
            raise InputUnusable(
                f"{part!r} sets nothing of a camera: write torch=on, exposure=4 (ms, or auto), focus=120 (or auto)."
            )
        wishes[_FIELDS[name]] = wished
    return Controls(**wishes)  # type: ignore[arg-type]  # each reader gives its field's type


def apply_controls(controls: Controls, set_control: SetControl) -> list[str]:
    """Set what is wished; return the names of what the driver does not have. Never raises for those."""
    missing = []
    for name, settings in _settings(controls):
        try:
            for number, value in settings:
                set_control(number, value)
        except OSError as exc:
            if exc.errno not in _NOT_THERE:
                raise
            missing.append(name)
    return missing


def set_up_camera(device: int | str, controls: Controls) -> None:
    """Set what is wished of a camera, by number or device; what cannot be set is noted in the log and stops nothing."""
    if controls == Controls():
        return
    path = Path(f"/dev/video{device}") if isinstance(device, int) else Path(device)
    try:
        with _opened(path) as set_control:
            missing = apply_controls(controls, set_control)
    except OSError as exc:
        _log.warning("camera.not_set", device=str(path), why=exc.strerror)
        return
    if missing:
        _log.warning("camera.driver_has_not", device=str(path), controls=missing)


@contextmanager
def _opened(path: Path) -> Iterator[SetControl]:
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        yield lambda number, value: _set(descriptor, number, value)
    finally:
        os.close(descriptor)


def _set(descriptor: int, number: int, value: int) -> None:
    fcntl.ioctl(descriptor, _SET_CONTROL, struct.pack("=Ii", number, value))


def _settings(controls: Controls) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    if controls.torch is not None:
        yield "torch", [(_LAMP_MODE, _LAMP_TORCH if controls.torch else _LAMP_OFF)]
    if controls.exposure_ms == 0:
        yield "exposure", [(_EXPOSURE_MODE, _EXPOSURE_BY_DRIVER)]
    elif controls.exposure_ms is not None:
        steps = max(1, round(controls.exposure_ms * _STEPS_PER_MS))
        yield "exposure", [(_EXPOSURE_MODE, _EXPOSURE_BY_HAND), (_EXPOSURE_TIME, steps)]
    if controls.focus is not None and controls.focus < 0:
        yield "focus", [(_FOCUS_BY_DRIVER, 1)]
    elif controls.focus is not None:
        yield "focus", [(_FOCUS_BY_DRIVER, 0), (_FOCUS, controls.focus)]


def _read_switch(text: str) -> bool | None:
    return {"on": True, "off": False}.get(text)


def _read_ms(text: str) -> float | None:
    if text == "auto":
        return 0.0
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value <= _LONGEST_MS else None


def _read_focus(text: str) -> int | None:
    if text == "auto":
        return -1
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


_READERS: dict[str, Callable[[str], bool | float | int | None]] = {
    "torch": _read_switch,
    "exposure": _read_ms,
    "focus": _read_focus,
}
_FIELDS = {"torch": "torch", "exposure": "exposure_ms", "focus": "focus"}
