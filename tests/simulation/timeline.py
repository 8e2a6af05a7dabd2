"""Virtual time: what happens next is taken from a heap and done to its end, so one seed always gives one evening."""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count

from shared.clock import ManualClock, unix_ms

Happening = Callable[[], Awaitable[None]]


class Timeline:
    """Happenings in the order of their time; those of one millisecond in the order they were planned."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self._planned: list[tuple[int, int, Happening]] = []
        self._numbers = count()
        self._began_ms = unix_ms(clock.now())

    @property
    def now_ms(self) -> int:
        """The true time since the beginning."""
        return unix_ms(self.clock.now()) - self._began_ms

    def after(self, delay_ms: int, happening: Happening) -> None:
        """Plan something for later."""
        heapq.heappush(self._planned, (self.now_ms + max(0, delay_ms), next(self._numbers), happening))

    async def run_until(self, end_ms: int) -> None:
        """Let everything happen that is planned up to a time."""
        while self._planned and self._planned[0][0] <= end_ms:
            at_ms, _, happening = heapq.heappop(self._planned)
            self._move_to(at_ms)
            await happening()
        self._move_to(end_ms)

    def _move_to(self, at_ms: int) -> None:
        if at_ms > self.now_ms:
            self.clock.advance(timedelta(milliseconds=at_ms - self.now_ms))
