"""Recorded video played back, at the speed it was filmed or as fast as it can be read."""

from __future__ import annotations

from pathlib import Path

from gate.scanner.capture import Capture, capture_file
from gate.scanner.frames import Frame, Image
from gate.scanner.pace import Pace
from shared.problems import InputUnusable

_ASSUMED_FPS = 30.0
_FASTEST_CREDIBLE_FPS = 1000.0
# Containers without an index only estimate their length, so a few missing pictures prove nothing.
_ANNOUNCED_SHARE = 0.95


class VideoSource:
    """A video file; paced playback behaves like a live camera, unpaced playback gives every picture."""

    def __init__(self, path: Path, pace: Pace, *, paced: bool) -> None:
        self.live = paced
        self._path = path
        self._pace = pace
        self._capture: Capture | None = None
        self._first: Image | None = None
        self._started_s = 0.0
        self._fps = _ASSUMED_FPS
        self._played = 0

    def open(self) -> None:
        """Open the file and decode its first picture; raises InputUnusable when either fails."""
        if not self._path.is_file():
            raise InputUnusable(f"there is no video file {self._path}: check the path")
        capture = capture_file(self._path)
        self._first = capture.grab() if capture.is_open else None
        if self._first is None:
            capture.release()
            raise InputUnusable(
                f"{self._path} holds no video that can be read: it may be empty, cut short or of another kind; "
                "record or copy it again"
            )
        self._capture = capture
        self._fps = capture.fps if 0 < capture.fps <= _FASTEST_CREDIBLE_FPS else _ASSUMED_FPS
        self._played = 0
        self._started_s = self._pace.monotonic()

    def read(self) -> Frame | None:
        """Return the next picture, when its time has come; raises InputUnusable when the file was cut short."""
        if self._capture is None or self._pace.wait(self._seconds_until_next()):
            return None
        image = self._first if self._first is not None else self._capture.grab()
        self._first = None
        if image is None:
            self._require_whole_file(self._capture)
            return None
        shown_s = self._started_s + self._played / self._fps
        self._played += 1
        return Frame(image=image, index=self._played - 1, taken_s=self._pace.monotonic(), shown_s=shown_s)

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def interrupt(self) -> None:
        """End the playback."""
        self._pace.call_off()

    def _seconds_until_next(self) -> float:
        if not self.live:
            return 0.0
        return max(0.0, self._started_s + self._played / self._fps - self._pace.monotonic())

    def _require_whole_file(self, capture: Capture) -> None:
        announced = capture.announced_frames
        if self._played < announced * _ANNOUNCED_SHARE - 1:
            raise InputUnusable(
                f"{self._path} is cut short: {self._played} of {announced} pictures could be read; copy it again"
            )
