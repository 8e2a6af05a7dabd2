"""How often somebody may try: a sliding minute per source, in memory, bounded."""

from __future__ import annotations

from collections import OrderedDict, deque

WINDOW_S = 60.0


class TryCounter:
    """Counts tries per source; the source that was quiet longest is forgotten first when there are too many."""

    def __init__(self, limit: int, *, sources: int = 10_000) -> None:
        self._limit = limit
        self._sources = sources
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, source: str, monotonic_s: float) -> float | None:
        """Count one try and return None, or, if there were too many in the last minute, the seconds to wait."""
        tries = self._tries.setdefault(source, deque())
        self._tries.move_to_end(source)
        while len(self._tries) > self._sources:
            self._tries.popitem(last=False)
        while tries and monotonic_s - tries[0] >= WINDOW_S:
            tries.popleft()
        if len(tries) >= self._limit:
            return WINDOW_S - (monotonic_s - tries[0])
        tries.append(monotonic_s)
        return None
