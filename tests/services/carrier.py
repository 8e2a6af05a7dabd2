"""Carries TCP connections between a port of its own and somewhere else; what happens to the bytes on the way, its heirs say."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias, TypeVar

End: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Carrier(ABC):
    """Knows the connections it carries and lets all of them go at the end."""

    def __init__(self) -> None:
        self._pairs: set[asyncio.Task[None]] = set()
        self.port = 0

    @abstractmethod
    async def reach(self) -> End:
        """Connect to the far side, or raise OSError."""

    @abstractmethod
    async def pass_on(self, near: End, far: End) -> None:
        """Carry bytes until the connection is over; OSError and IncompleteReadError say that one side has gone."""

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection until either side ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        try:
            far = await self.reach()
            try:
                await self.pass_on((reader, writer), far)
            finally:
                far[1].transport.abort()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side has gone, and the other is let go below
        finally:
            self._pairs.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """Let go of every connection."""
        for pair in tuple(self._pairs):
            pair.cancel()
        await asyncio.gather(*self._pairs, return_exceptions=True)


CarrierT = TypeVar("CarrierT", bound=Carrier)


@asynccontextmanager
async def carrying(carrier: CarrierT) -> AsyncIterator[CarrierT]:
    """Listen on a free port of this machine until the block ends."""
    listener = await asyncio.start_server(carrier.carry, "127.0.0.1", 0)
    carrier.port = listener.sockets[0].getsockname()[1]
    try:
        yield carrier
    finally:
        listener.close()
        await carrier.close()
