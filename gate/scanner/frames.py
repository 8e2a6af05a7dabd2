"""One picture taken by a camera, and the interface every supplier of pictures has."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Pixels as OpenCV has them: (height, width) gray, or (height, width, 3) in the order blue, green, red."""


class Frame(Struct, frozen=True, kw_only=True, eq=False):
    """One picture and its place in the source, counted from 0.

    `taken_s` is the monotonic second it reached the program. `shown_s` is the second on the source's own time line:
    the same for a camera, the time in the film for a film that is played faster than it was filmed.
    """

    image: Image
    index: int
    taken_s: float
    shown_s: float


class SourceEvent(StrEnum):
    """What a source tells about itself while it runs."""

    READY = "ready"
    LOST = "lost"
    BACK = "back"
    SKIPPED = "skipped"


StatusCallback = Callable[[SourceEvent, str], None]
"""Told what happened and one sentence for a person; called from the thread that reads the source."""


class FrameSource(Protocol):
    """Anything that supplies pictures one after the other; used by one thread, interrupted from any."""

    @property
    def live(self) -> bool:
        """True when pictures come at their own pace, so that only the newest is worth reading."""
        ...

    def open(self) -> None:
        """Make it ready; raises Unavailable for a camera that is away and InputUnusable for a bad file."""
        ...

    def read(self) -> Frame | None:
        """Return the next picture, waiting for it as long as it takes, or None at the end or when interrupted."""
        ...

    def close(self) -> None:
        """Let go of the device or file; closing twice is fine."""
        ...

    def interrupt(self) -> None:
        """Make a waiting `read` return None soon and every later one at once."""
        ...
