"""Waiting for a condition of the gate without asking all the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Watch:
    """Rung whenever something may have changed; those who wait look again."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def ring(self) -> None:
        """Make everybody who waits look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def next(self, timeout_s: float | None = None) -> bool:
        """Wait for the next ring; return False when it did not come in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def until(self, holds: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until a condition holds; return False when it did not in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            return holds()
        return True
