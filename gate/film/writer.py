"""Films written to video files, complete or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.film.render import draw_frames
from gate.film.script import Film
from gate.scanner.capture import silence_opencv
from shared.clock import Clock, SystemClock
from shared.problems import InputUnusable, Unavailable

CODECS = {".avi": "MJPG", ".mp4": "mp4v"}
"""Video file endings and the codec in each, both built into the OpenCV wheel and readable by it."""

Image = NDArray[np.uint8]


class FilmReport(Struct, frozen=True, kw_only=True):
    """A finished film: frames written, seconds it took to draw and write them, milliseconds for each."""

    frames: int
    seconds: float
    ms_per_frame: float


def render_film(
    film: Film, path: Path, progress: Callable[[int, int], None] | None = None, clock: Clock | None = None
) -> FilmReport:
    """Draw a film into a video file, .avi or .mp4; `progress` is told frames done and frames in all.

    The file appears under its name only when it is whole. Raises InputUnusable for a script or path that cannot be
    used, and Unavailable when the disk does not take the file.
    """
    clock = clock or SystemClock()
    began_s = clock.monotonic()
    total = film.total_frames
    if total == 0:
        raise InputUnusable("the film has no people in it: give at least one")
    with _open_writer(film, path) as write:
        for done, shot in enumerate(draw_frames(film), start=1):
            write(shot.image)
            if progress is not None:
                progress(done, total)
    seconds = clock.monotonic() - began_s
    return FilmReport(frames=total, seconds=seconds, ms_per_frame=seconds * 1000 / total)


@contextmanager
def _open_writer(film: Film, path: Path) -> Iterator[Callable[[Image], object]]:
    codec = CODECS.get(path.suffix.lower())
    if codec is None:
        raise InputUnusable(f"{path.name} does not end in {' or '.join(CODECS)}: choose one of these endings")
    if not path.parent.is_dir():
        raise InputUnusable(f"there is no folder {path.parent}: create it first")
    # The leading dot tells a folder that is being followed to leave the file alone until it is renamed.
    unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
    silence_opencv()
    size = (film.width, film.height)
    writer = cv2.VideoWriter(str(unfinished), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), film.fps, size, False)
    try:
        if not writer.isOpened():
            raise Unavailable(f"{path} cannot be written: check that the folder is yours and the disk is not full")
        yield writer.write
        writer.release()
        _require_whole(unfinished, path, film.total_frames)
        unfinished.replace(path)
    finally:
        writer.release()
        unfinished.unlink(missing_ok=True)


def _require_whole(unfinished: Path, path: Path, frames: int) -> None:
    # OpenCV says nothing when a write fails, so the only proof is to read the file back.
    check = cv2.VideoCapture(str(unfinished), cv2.CAP_FFMPEG)
    written = int(check.get(cv2.CAP_PROP_FRAME_COUNT)) if check.isOpened() else 0
    check.release()
    if written != frames:
        raise Unavailable(
            f"only {max(0, written)} of {frames} frames reached {path}: free some disk space and try again"
        )
