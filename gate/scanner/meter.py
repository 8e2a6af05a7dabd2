"""What a lane has been doing lately, counted by its threads and read by its display."""

from __future__ import annotations

import threading
from collections import deque
from statistics import median

from gate.scanner.frames import Frame, Image

_REMEMBERED = 90


class Meter:
    """Recent arrival times and decode times, and the last picture."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._arrivals_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._decodes_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self._decoded = 0
        self._image: Image | None = None

    def note_arrival(self, frame: Frame) -> None:
        """Count a picture that came from the source."""
        with self._guard:
            self._arrivals_s.append(frame.taken_s)
            self._image = frame.image

    def note_decode(self, took_ms: float) -> None:
        """Count a picture that was looked at for codes."""
        with self._guard:
            self._decoded += 1
            self._decodes_ms.append(took_ms)

    @property
    def decoded(self) -> int:
        """Number of pictures looked at for codes."""
        return self._decoded

    @property
    def image(self) -> Image | None:
        """The last picture that came, or None before the first."""
        return self._image

    def decode_ms(self) -> float:
        """Return the median milliseconds spent on each of the last pictures, 0 before the first."""
        with self._guard:
            return median(self._decodes_ms) if self._decodes_ms else 0.0

    def fps(self) -> float:
        """Return pictures per second over the last ones that came, 0 before the second."""
        with self._guard:
            if len(self._arrivals_s) < 2:
                return 0.0
            span_s = self._arrivals_s[-1] - self._arrivals_s[0]
            return (len(self._arrivals_s) - 1) / span_s if span_s > 0 else 0.0

    def silent_for_s(self, now_s: float) -> float | None:
        """Return the seconds since the last picture came, None before the first."""
        with self._guard:
            return now_s - self._arrivals_s[-1] if self._arrivals_s else None
