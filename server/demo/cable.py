"""The network between gates and server as a cable that can be pulled and plugged in again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_BLOCK = 64 * 1024
_CONNECT_TIMEOUT_S = 5.0


class Cable:
    """A TCP relay on the loopback interface; while it is cut, nothing answers on its port."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()
        self.port = 0

    async def plug_in(self) -> None:
        """Start to carry connections, on the same port as before."""
        self._listener = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Drop every connection and accept no new one."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for pair in tuple(self._pairs):
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._pairs.add(task)
        try:
            await self._join(reader, writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # a cut cable says nothing; both ends notice by themselves
        finally:
            self._pairs.discard(task)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        finally:
            far_writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(_BLOCK):
        writer.write(block)
        await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()


@asynccontextmanager
async def laid_cable(server_port: int) -> AsyncIterator[Cable]:
    """Lay a cable to a local port and take it away again."""
    cable = Cable(server_port)
    await cable.plug_in()
    try:
        yield cable
    finally:
        await cable.cut()
