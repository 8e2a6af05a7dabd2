"""Cameras: local ones and network streams, which vanish and come back while the lane keeps running."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gate.scanner.frames import Frame, Image, SourceEvent, StatusCallback
from gate.scanner.pace import Pace
from shared.problems import Unavailable

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 5.0
_TRIES_PER_PICTURE = 3


class Connection(Protocol):
    """One attempt to reach a camera, which may have failed."""

    @property
    def is_open(self) -> bool:
        """True when the camera answered."""
        ...

    def grab(self) -> Image | None:
        """Return the next picture, or None when none came."""
        ...

    def release(self) -> None:
        """Let go of the camera."""
        ...


class CameraSource:
    """A camera that is connected anew, with growing pauses, whenever it stops giving pictures."""

    live = True

    def __init__(self, connect: Callable[[], Connection], label: str, pace: Pace, on_status: StatusCallback) -> None:
        self._connect = connect
        self._label = label
        self._pace = pace
        self._on_status = on_status
        self._connection: Connection | None = None
        self._next_index = 0

    def open(self) -> None:
        """Connect and take one picture to be sure; raises Unavailable when no camera answers."""
        self._connection = self._try_connecting()
        if self._connection is None:
            raise Unavailable(
                f"no picture from {self._label}: check its cable and name, and that no other program is using it"
            )
        self._on_status(SourceEvent.READY, f"{self._label} gives pictures")

    def read(self) -> Frame | None:
        """Return the next picture; while the camera is away, wait until it is back."""
        while not self._pace.wait(0.0):
            image = self._grab()
            if image is not None:
                self._next_index += 1
                taken_s = self._pace.monotonic()
                return Frame(image=image, index=self._next_index - 1, taken_s=taken_s, shown_s=taken_s)
            if not self._pace.wait(0.0):
                self._reconnect()
        return None

    def close(self) -> None:
        """Let go of the camera."""
        if self._connection is not None:
            self._connection.release()
            self._connection = None

    def interrupt(self) -> None:
        """Stop waiting for a camera that is away."""
        self._pace.call_off()

    def _grab(self) -> Image | None:
        if self._connection is None:
            return None
        # Cheap cameras drop a single picture now and then; reconnecting for that would cost a second.
        for _ in range(_TRIES_PER_PICTURE):
            image = self._connection.grab()
            if image is not None or self._pace.wait(0.0):
                return image
        return None

    def _reconnect(self) -> None:
        self.close()
        self._on_status(SourceEvent.LOST, f"{self._label} stopped giving pictures; looking for it again")
        pause_s = _FIRST_PAUSE_S
        while not self._pace.wait(pause_s):
            self._connection = self._try_connecting()
            if self._connection is not None:
                self._on_status(SourceEvent.BACK, f"{self._label} gives pictures again")
                return
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _try_connecting(self) -> Connection | None:
        connection = self._connect()
        if connection.is_open and connection.grab() is not None:
            return connection
        connection.release()
        return None
