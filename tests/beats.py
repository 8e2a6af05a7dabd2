"""Waiting for a loop's counters by the beats it gives after each piece of work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 20.0


class Beats:
    """Takes a loop's beats: what a transaction shows to others comes before the loop has counted it, its beat after."""

    def __init__(self) -> None:
        self._beaten = asyncio.Event()

    def __call__(self) -> None:
        """Take a beat."""
        self._beaten.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return once it holds; asked anew after each beat."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._beaten.clear()
                await self._beaten.wait()
