"""When to leave a node alone for a while, and when to ask it again."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

WINDOW_S = 30.0
REST_S = 15.0
FEWEST_CALLS = 10
MOST_SILENT = 5


class _Call(Struct, frozen=True):
    at: float
    good: bool
    silent: bool


class Breaker:
    """Counts a node's calls of the last half minute. Times are in seconds of a clock that never goes back.

    It opens when half of ten calls or more failed, or five in a row had no answer; after a rest one single call may try.
    """

    def __init__(self) -> None:
        self._calls: deque[_Call] = deque()
        self._opened: float | None = None
        self._trying = False

    def allows(self, now: float) -> bool:
        """Tell whether a call may be made; after the rest that is true once, until its outcome is known."""
        if self._opened is None:
            return True
        if self._trying or now - self._opened < REST_S:
            return False
        self._trying = True
        return True

    def note(self, now: float, *, good: bool, silent: bool = False) -> None:
        """Take a call's outcome; ``silent`` means that there was no answer at all."""
        self._trying = False
        if good and self._opened is not None:
            self._opened = None
            self._calls.clear()
        self._calls.append(_Call(at=now, good=good, silent=silent))
        while self._calls and now - self._calls[0].at > WINDOW_S:
            self._calls.popleft()
        if not good and (self._opened is not None or self._is_bad()):
            self._opened = now

    def let_go(self) -> None:
        """Take back a call that was allowed and then not made, or given up without an outcome."""
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Tell whether the node is being left alone."""
        return self._opened is not None

    def _is_bad(self) -> bool:
        failed = sum(not call.good for call in self._calls)
        if len(self._calls) >= FEWEST_CALLS and 2 * failed >= len(self._calls):
            return True
        last = list(self._calls)[-MOST_SILENT:]
        return len(last) == MOST_SILENT and all(call.silent for call in last)
