"""How long to wait before connecting again: longer each time, and never all gates at the same moment."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

Jitter = Callable[[], float]
"""A source of numbers from 0 up to 1."""


class BackoffRange(Struct, frozen=True, kw_only=True):
    """Seconds: the first pause, the longest, and the one when trying soon would not help."""

    first_s: float = 0.2
    longest_s: float = 5.0
    patient_s: float = 30.0


class Backoff:
    """Doubling pauses with jitter, so that a server that comes back is not met by everybody at once."""

    def __init__(self, pauses: BackoffRange, jitter: Jitter) -> None:
        self._pauses = pauses
        self._jitter = jitter
        self._next_s = pauses.first_s

    def reset(self) -> None:
        """The connection was good: begin with the first pause again."""
        self._next_s = self._pauses.first_s

    def next_s(self, *, patient: bool = False) -> float:
        """Return the seconds to wait now, between half and all of the step."""
        step_s = self._pauses.patient_s if patient else self._next_s
        if not patient:
            self._next_s = min(self._next_s * 2, self._pauses.longest_s)
        return step_s * (0.5 + self._jitter() / 2)
