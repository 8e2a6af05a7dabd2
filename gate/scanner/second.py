"""The second decoder, zbar: another way of looking at a picture in which the first found nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from gate.scanner.decoder import Decoder, has_contrast, to_gray
from gate.scanner.frames import Image
from shared.clock import Clock
from shared.problems import Unavailable

SHARE = 0.2
"""The part of the reading thread's time that the second decoder may take; it needs ten times as long for a picture."""

LONGEST_MS = 60.0
"""A look that took longer than two pictures of a camera was too dear for this machine and picture size."""

_REST_S = 30.0

ZbarCall = Callable[[Image], list[Any]]
"""Gives zbar's symbols in a gray picture; each has its bytes in ``data``."""


class ZbarAway(Unavailable):
    """The system's libzbar is not there, or cannot be loaded."""

    code = "zbar_away"


class ZbarDecoder:
    """Looks once, and once more at the picture's negative: zbar itself reads only dark on light."""

    def __init__(self, call: ZbarCall) -> None:
        self._call = call

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        gray = to_gray(image)
        return self._look(gray) or self._look(255 - gray)

    def _look(self, gray: Image) -> list[str]:
        texts = (_read_text(symbol.data) for symbol in self._call(gray))
        return list(dict.fromkeys(text for text in texts if text))


class Pause(Struct):
    """When the second decoder may look again, in monotonic seconds."""

    until_s: float = 0.0

    def after(self, began_s: float, ended_s: float) -> None:
        """Rest after a look so long that it took its share and no more; one that was far too long, for half a minute."""
        took_s = ended_s - began_s
        rest_s = _REST_S if took_s * 1000 > LONGEST_MS else took_s * (1 / SHARE - 1)
        self.until_s = ended_s + rest_s


class TwoDecoders:
    """The first decoder reads every picture; the second only what the first found nothing in, and within its share."""

    def __init__(self, first: Decoder, second: Decoder, clock: Clock) -> None:
        self._first = first
        self._second = second
        self._clock = clock
        self._pause = Pause()

    def decode(self, image: Image) -> list[str]:
        """Return the text of each code found in a gray or colour picture, in no particular order."""
        texts = self._first.decode(image)
        began_s = self._clock.monotonic()
        if texts or began_s < self._pause.until_s:
            return texts
        gray = to_gray(image)
        if not has_contrast(gray):
            return []
        found = self._second.decode(gray)
        self._pause.after(began_s, self._clock.monotonic())
        return found


def load_zbar() -> ZbarCall:
    """Return zbar's reading function, set to QR codes alone.

    Raises:
        ZbarAway: the library is missing on this machine.
    """
    try:
        # Loaded here: importing it fails where the system has no libzbar, and a gate works without.
        from pyzbar.pyzbar import ZBarSymbol, decode  # noqa: PLC0415
    except (ImportError, OSError) as exc:
        raise ZbarAway(
            "The second decoder is not there: codes are read by the first alone. "
            "To have it, install libzbar (Debian: apt install libzbar0)."
        ) from exc

    def call(gray: Image) -> list[Any]:
        return list(decode(gray, symbols=[ZBarSymbol.QRCODE]))

    return call


def open_decoder(first: Decoder, clock: Clock, load: Callable[[], ZbarCall] = load_zbar) -> Decoder:
    """Return the first decoder helped by the second, or the first alone on a machine without zbar."""
    try:
        second = ZbarDecoder(load())
    except ZbarAway:
        return first
    return TwoDecoders(first, second, clock)


def _read_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
