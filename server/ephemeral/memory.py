"""The ephemeral store inside one process: for the embedded default, and behind Redis while it is away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from server.ephemeral.fanout import BUFFERED, Buffer, Fanout
from server.ephemeral.names import full_name
from server.ephemeral.window import SlidingWindows
from server.services.ports_ephemeral import Allowance, Heard, Limit, Space
from shared.clock import Clock

_MOST_CACHED_BYTES = 32 * 1024 * 1024


class MemoryEphemeral:
    """Bounded in every direction: limits and cache forget the least used."""

    def __init__(
        self,
        clock: Clock,
        *,
        most_cached_bytes: int = _MOST_CACHED_BYTES,
        buffered: int = BUFFERED,
    ) -> None:
        self._clock = clock
        self._buffered = buffered
        self._windows = SlidingWindows()
        self._cache = _Cache(most_cached_bytes)
        self._fanout = Fanout()

    async def take(self, space: Space, key: str, limit: Limit) -> Allowance:
        """Count one call against a limit; refused calls are not counted."""
        return self._windows.take(full_name(space, "limit", key), limit, int(self._clock.monotonic() * 1000))

    async def get(self, space: Space, key: str) -> bytes | None:
        """Return a cached value, None when there is none any more."""
        return self._cache.get(full_name(space, "cache", key), self._clock.monotonic())

    async def put(self, space: Space, key: str, value: bytes, ttl: timedelta) -> None:
        """Cache a value; the least recently used ones give way."""
        self._cache.put(full_name(space, "cache", key), value, self._clock.monotonic() + ttl.total_seconds())

    async def forget(self, space: Space, key: str) -> None:
        """Drop a cached value."""
        self._cache.forget(full_name(space, "cache", key))

    async def publish(self, space: Space, topic: str, body: bytes) -> None:
        """Tell whoever listens in this process."""
        self._fanout.tell(full_name(space, "topic", topic), body)

    @asynccontextmanager
    async def subscribe(self, space: Space, topic: str) -> AsyncIterator[AsyncIterator[Heard]]:
        """Listen to a topic inside a block."""
        name, buffer = full_name(space, "topic", topic), Buffer(self._buffered)
        self._fanout.add(name, buffer)
        try:
            yield buffer
        finally:
            self._fanout.remove(name, buffer)


class _Cache:
    """Values, the least recently used first, within a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._values: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    def get(self, name: str, now_s: float) -> bytes | None:
        found = self._values.get(name)
        if found is None:
            return None
        value, end_s = found
        if end_s <= now_s:
            self.forget(name)
            return None
        self._values.move_to_end(name)
        return value

    def put(self, name: str, value: bytes, end_s: float) -> None:
        self.forget(name)
        self._values[name] = (value, end_s)
        self._bytes += len(name) + len(value)
        while self._bytes > self._most_bytes:
            self.forget(next(iter(self._values)))

    def forget(self, name: str) -> None:
        found = self._values.pop(name, None)
        if found is not None:
            self._bytes -= len(name) + len(found[0])
