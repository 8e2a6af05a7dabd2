"""Room for one picture between the thread that takes pictures and the thread that reads them."""

from __future__ import annotations

import threading

from gate.scanner.frames import Frame


class FrameSlot:
    """Holds one picture; when full, a new one replaces it (`newest_only`) or the giver waits.

    Older pictures are worthless at a door: the person has moved on, and reading them late would only add delay.
    """

    def __init__(self, *, newest_only: bool) -> None:
        self._newest_only = newest_only
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._finished = False
        self._closed = False
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """Number of pictures that were never read because a newer one came."""
        return self._replaced

    def put(self, frame: Frame) -> bool:
        """Give a picture; return False when nobody reads any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._newest_only or self._frame is None)
            if self._closed:
                return False
            self._replaced += self._frame is not None
            self._frame = frame
            self._changed.notify_all()
            return True

    def take(self) -> Frame | None:
        """Wait for a picture and remove it; None when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._finished or self._frame is not None)
            frame = None if self._closed else self._frame
            self._frame = None
            self._changed.notify_all()
            return frame

    def finish(self) -> None:
        """Say that no more pictures come; the one waiting is still handed out."""
        with self._changed:
            self._finished = True
            self._changed.notify_all()

    def close(self) -> None:
        """Send both sides home at once; the one waiting is dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
