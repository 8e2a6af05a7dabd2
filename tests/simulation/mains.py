"""The one real broker of several evenings that are played at once: its process is killed for all of them together."""

from __future__ import annotations

import asyncio

from tests.services.private import PrivateService
from tests.services.processes import HOST


class Mains:
    """Cuts the broker off when every evening has come to that moment, and brings it back when every one waits for it.

    Each evening's moment is its own seed's; the other evenings wait for it, so that nobody's story is another one's chance.
    """

    def __init__(self, service: PrivateService, evenings: int) -> None:
        self._service = service
        self._all_here = asyncio.Barrier(evenings)
        self._starting: asyncio.Task[object] | None = None

    async def cut(self) -> None:
        """Return when the broker's process is dead (SIGKILL); it begins to start again at once, which takes it seconds."""
        if await self._all_here.wait() == 0:
            self._starting = asyncio.create_task(asyncio.to_thread(self._service.restart, cut_off=True))
            await self._until_dead()
        await self._all_here.wait()

    async def restore(self) -> None:
        """Return when the broker answers again, with what it had written down."""
        if await self._all_here.wait() == 0:
            assert self._starting is not None
            await self._starting
        await self._all_here.wait()

    async def _until_dead(self) -> None:
        try:
            while True:
                _, writer = await asyncio.open_connection(HOST, self._service.running.port)
                writer.transport.abort()
        except OSError:
            return
