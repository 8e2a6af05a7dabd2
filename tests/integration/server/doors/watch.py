"""Waiting for a feed to grow, by the relay's own notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.sync.feed import FeedEntry
from tests.integration.server.doors.stage import Stage

PATIENCE_S = 20.0


class FeedWatch:
    """Wakes whoever waits whenever the relay says that a feed has grown."""

    def __init__(self) -> None:
        self._grown = asyncio.Event()
        self.listening = asyncio.Event()

    def notice(self, _channel: str, _payload: str) -> None:
        """Take a notice of the database."""
        self.listening.set()
        self._grown.set()

    async def until(self, stage: Stage, enough: Callable[[list[FeedEntry]], bool]) -> list[FeedEntry]:
        """Return the feed once it is as wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self._grown.clear()
                entries = await stage.feed()
                if enough(entries):
                    return entries
                await self._grown.wait()

    async def until_count(self, stage: Stage, count: int) -> list[FeedEntry]:
        """Return the feed once it has so many entries."""
        return await self.until(stage, lambda entries: len(entries) >= count)


@asynccontextmanager
async def watching(stage: Stage) -> AsyncIterator[tuple[FeedWatch, asyncio.TaskGroup]]:
    """Listen to the feed while a test's own tasks run beside; all end with the block."""
    watch = FeedWatch()
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(stage.db.listen(["feed"], watch.notice))
        async with asyncio.timeout(PATIENCE_S):
            await watch.listening.wait()
        yield watch, tasks
        listener.cancel()
