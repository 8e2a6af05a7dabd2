"""The border to OpenCV's video input: opens it quietly, with time limits, and types what comes out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

CAMERA_WIDTH = 1280
CAMERA_HEIGHT = 720
CAMERA_FPS = 30

_OPEN_TIMEOUT_MS = 4000
_READ_TIMEOUT_MS = 1500


class Capture:
    """An opened (or failed) video input."""

    def __init__(self, handle: cv2.VideoCapture) -> None:
        self._handle = handle

    @property
    def is_open(self) -> bool:
        """True when the input could be opened."""
        return self._handle.isOpened()

    @property
    def fps(self) -> float:
        """Frames per second as the input claims, 0 when it does not say."""
        return _finite(self._handle.get(cv2.CAP_PROP_FPS))

    @property
    def announced_frames(self) -> int:
        """Number of frames the container claims to hold, 0 when it does not say."""
        return int(_finite(self._handle.get(cv2.CAP_PROP_FRAME_COUNT)))

    def grab(self) -> NDArray[np.uint8] | None:
        """Return the next picture in blue, green, red, or None when there is none."""
        try:
            taken, image = self._handle.read()
        except cv2.error:
            # A driver whose device is pulled out may hand over half a buffer; for the caller that is no picture.
            return None
        return np.asarray(image, dtype=np.uint8) if taken else None

    def release(self) -> None:
        """Close the input; closing twice is fine."""
        self._handle.release()


def silence_opencv() -> None:
    """Keep OpenCV and its video library from writing to the terminal the agent draws on."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def capture_file(path: Path) -> Capture:
    """Open a video file; look at `is_open` for whether that worked."""
    silence_opencv()
    return Capture(cv2.VideoCapture(str(path), cv2.CAP_FFMPEG))


def capture_url(url: str) -> Capture:
    """Open a network camera; opening and each read give up after a few seconds."""
    silence_opencv()
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
    return Capture(cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits))


def capture_camera(device: int | str) -> Capture:
    """Open a local camera by index or device path, asking for 720p motion JPEG: raw 720p does not fit USB 2."""
    silence_opencv()
    backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
    handle = cv2.VideoCapture(device, backend)
    if not handle.isOpened():
        return Capture(handle)
    handle.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    handle.set(cv2.CAP_PROP_FRAME_WIDTH, CAMERA_WIDTH)
    handle.set(cv2.CAP_PROP_FRAME_HEIGHT, CAMERA_HEIGHT)
    handle.set(cv2.CAP_PROP_FPS, CAMERA_FPS)
    # The driver's queue would hand over pictures of people who have moved on.
    handle.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    return Capture(handle)


def _finite(value: float) -> float:
    return value if 0 < value < 1e9 else 0.0
