"""Codes and numbers that come from the gate's own keyboard: typed by people, or by a reader that types what it reads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.admit import Shown
from shared.clock import Clock
from shared.problems import Unavailable


class HandStatus(Struct, frozen=True, kw_only=True):
    """How the keyboard is doing, in a camera's terms."""

    fps: float
    camera_alive: bool


class HandSource:
    """A source like any other, which a screen fills; it always stands beside the chosen one."""

    def __init__(self, show: Callable[[Shown], None], clock: Clock) -> None:
        self._show = show
        self._clock = clock
        self._open = False

    def start(self) -> None:
        """Take texts from now on."""
        self._open = True

    def stop(self) -> bool:
        """Take no more; nothing is left at work."""
        self._open = False
        return True

    def status(self) -> HandStatus:
        """Return that it takes texts, and that there is no camera."""
        return HandStatus(fps=0.0, camera_alive=False)

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:  # noqa: ARG002 - a screen asks every source
        """Return None: there is nothing to see."""
        return None

    async def give(self, text: str) -> None:
        """Show a text to the gate, waiting for room in front of it.

        Raises:
            Unavailable: the gate looks at no codes any more.
        """
        if not self._open:
            raise Unavailable("This gate is stopping and looks at no more codes: start it again.")
        # In a thread, as every source does: whoever takes the text may make it wait.
        await asyncio.to_thread(self._show, Shown(text=text, taken_s=self._clock.monotonic()))
