"""A wire between a program and a server that a test can cut, or through which it can let only one direction pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.services.processes import HOST

_CHUNK = 65_536


class Wire:
    """A loopback port that leads to another one."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._answers_pass = asyncio.Event()
        self._answers_pass.set()
        self.port = 0
        self.connections = 0
        """How many there were so far."""

    def hold_answers(self) -> None:
        """Let requests pass and keep the server's answers back."""
        self._answers_pass.clear()

    def cut(self) -> None:
        """Break every connection, answers held back are lost; new connections are whole again."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self._answers_pass.set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side ends it."""
        self.connections += 1
        far_reader, far_writer = await asyncio.open_connection(HOST, self._target_port)
        ends = {writer, far_writer}
        self._writers |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, far_writer))
                group.create_task(self._pass_on(far_reader, writer, held=True))
        except* OSError:
            # A broken connection is what this is for.
            pass
        finally:
            self._writers -= ends
            for end in ends:
                end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, held: bool = False) -> None:
        while data := await reader.read(_CHUNK):
            if held:
                await self._answers_pass.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def open_wire(target_port: int, port: int = 0) -> AsyncIterator[Wire]:
    """Lay a wire for the length of a block; it begins at the given port, or at any free one."""
    wire = Wire(target_port)
    server = await asyncio.start_server(wire.carry, HOST, port)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        await server.wait_closed()
