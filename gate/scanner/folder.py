"""A folder of pictures and videos, played in the order of their names, with new files picked up as they appear."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace

from gate.scanner.capture import silence_opencv
from gate.scanner.frames import Frame, Image, SourceEvent, StatusCallback
from gate.scanner.pace import Pace
from gate.scanner.replay import VideoSource
from shared.problems import InputUnusable

PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".pgm", ".ppm", ".tif", ".tiff"})
VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".mjpg", ".mjpeg"})
END_NAME = "end"

_LOOK_AGAIN_S = 0.2


class FolderSource:
    """Every picture in a folder, each once; files are taken as complete when they appear under their final name.

    Names that start with a dot are files still being written. With `follow` the folder is watched until a file
    named `end` appears, and a file that cannot be read is reported and passed over; without it, it is an error.
    """

    live = False

    def __init__(self, folder: Path, pace: Pace, on_status: StatusCallback, *, follow: bool) -> None:
        self._folder = folder
        self._pace = pace
        self._on_status = on_status
        self._follow = follow
        self._frames: Iterator[Frame] = iter(())
        self._next_index = 0
        self._ahead_s = 0.0

    def open(self) -> None:
        """Check the folder; raises InputUnusable when it is missing, or empty and not followed."""
        if not self._folder.is_dir():
            raise InputUnusable(f"there is no folder {self._folder}: check the path, or create it first")
        if not self._follow and not self._playable(set()):
            raise InputUnusable(f"the folder {self._folder} holds no pictures or videos to play")
        self._frames = self._play()

    def read(self) -> Frame | None:
        """Return the next picture; when following, wait for the next file."""
        frame = next(self._frames, None)
        if frame is None:
            return None
        self._next_index += 1
        return replace(frame, index=self._next_index - 1)

    def close(self) -> None:
        """Close the file being played."""
        self._frames = iter(())

    def interrupt(self) -> None:
        """Stop playing and waiting."""
        self._pace.call_off()

    def _play(self) -> Iterator[Frame]:
        seen: set[str] = set()
        while not self._pace.wait(0.0):
            # Looked up before the files, so that one renamed just before the end is not missed.
            ended = not self._follow or (self._folder / END_NAME).exists()
            for path in self._playable(seen):
                seen.add(path.name)
                yield from self._play_file(path)
            if ended or self._pace.wait(_LOOK_AGAIN_S):
                return

    def _playable(self, seen: set[str]) -> list[Path]:
        known = PICTURE_SUFFIXES | VIDEO_SUFFIXES
        fresh = (path for path in self._folder.iterdir() if path.name not in seen and not path.name.startswith("."))
        return sorted(path for path in fresh if path.suffix.lower() in known and path.is_file())

    def _play_file(self, path: Path) -> Iterator[Frame]:
        try:
            if path.suffix.lower() in VIDEO_SUFFIXES:
                yield from self._play_video(path)
            else:
                image, now_s = load_picture(path), self._pace.monotonic()
                yield Frame(image=image, index=0, taken_s=now_s, shown_s=now_s + self._ahead_s)
        except InputUnusable as exc:
            if not self._follow:
                raise
            self._on_status(SourceEvent.SKIPPED, str(exc))

    def _play_video(self, path: Path) -> Iterator[Frame]:
        # A followed folder stands in for a camera, so its videos take the time they take.
        video = VideoSource(path, self._pace, paced=self._follow)
        video.open()
        ahead_s = self._ahead_s
        try:
            while (frame := video.read()) is not None:
                shown_s = frame.shown_s + ahead_s
                # What comes after a film played in less than its time must not seem to be shown before its end.
                self._ahead_s = max(0.0, shown_s - frame.taken_s)
                yield replace(frame, shown_s=shown_s)
        finally:
            video.close()


def load_picture(path: Path) -> Image:
    """Return a picture file's pixels; raises InputUnusable when it is not a picture."""
    silence_opencv()
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as exc:
        raise InputUnusable(f"the picture {path} cannot be opened: {exc.strerror}") from exc
    image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if image is None:
        raise InputUnusable(f"{path} is not a picture that can be read: save it again as PNG or JPEG")
    return np.asarray(image, dtype=np.uint8)
