"""Waiting that can be called off, so that a stopped lane never has to sit out a pause, and waiting that takes no time."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Protocol

from shared.clock import Clock, ManualClock


class Pace(Protocol):
    """A monotonic counter and pauses measured by it."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards; only differences mean anything."""
        ...

    def wait(self, seconds: float) -> bool:
        """Pause; return True when the pause was called off."""
        ...

    def call_off(self) -> None:
        """End the present pause and every later one at once."""
        ...


class ThreadPace:
    """Pauses of the calling thread, by the clock given."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._off = threading.Event()

    def monotonic(self) -> float:
        """Return the clock's monotonic seconds."""
        return self._clock.monotonic()

    def wait(self, seconds: float) -> bool:
        """Pause the calling thread; return True when the pause was called off."""
        return self._off.wait(max(0.0, seconds))

    def call_off(self) -> None:
        """End the present pause and every later one at once; may be called from any thread."""
        self._off.set()


class SteppedPace:
    """Pauses that are over at once and move a clock by their length: for drills, simulations and tests."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._off = threading.Event()

    def monotonic(self) -> float:
        """Return the clock's monotonic seconds."""
        return self._clock.monotonic()

    def wait(self, seconds: float) -> bool:
        """Move the clock instead of pausing; return True when pauses were called off."""
        if not self._off.is_set():
            self._clock.advance(timedelta(seconds=max(0.0, seconds)))
        return self._off.is_set()

    def call_off(self) -> None:
        """Make every later pause return True and leave the clock alone."""
        self._off.set()
