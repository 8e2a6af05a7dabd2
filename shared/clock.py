"""Time is an argument: the protocol every part takes, the system's clock, and one moved by hand."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time and a monotonic counter."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards and do not stop while the machine sleeps; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic counter in seconds, time asleep included where the system can say."""
        # A counter that stands still while the lid is shut would make the wall time look as if somebody had set it.
        return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


class ManualClock:
    """A clock that stands still until it is moved: for drills, simulations and tests."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._monotonic_s = 0.0

    def now(self) -> datetime:
        """Return the time it was last set to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was advanced by in all."""
        return self._monotonic_s

    def advance(self, step: timedelta) -> None:
        """Move both counters forward."""
        self._now += step
        self._monotonic_s += step.total_seconds()

    def step_wall(self, step: timedelta) -> None:
        """Move the wall time alone, as a time server or a careless hand does."""
        self._now += step


def unix_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970-01-01T00:00Z, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def from_unix_ms(value: int) -> datetime:
    """Return the aware UTC moment of whole milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
