"""A wire between a program and a server that a test can cut, or through which it can let only one direction pass."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.services.processes import HOST


class Wire:
    """A loopback port that leads to another one."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._ends: set[_End] = set()
        self._dialling: set[asyncio.Task[None]] = set()
        self._whole = True
        self.answers_pass = True
        self.port = 0
        self.connections = 0
        """How many there were so far."""

    def hold_answers(self) -> None:
        """Let requests pass and keep the server's answers back; they are lost with the connection."""
        self.answers_pass = False

    def cut(self) -> None:
        """Break every connection, answers held back are lost; new connections are whole again."""
        for end in list(self._ends):
            end.abort()
        self.answers_pass = True

    def part(self) -> None:
        """Break every connection, and each new one as soon as it comes, until `join`."""
        self._whole = False
        self.cut()

    def join(self) -> None:
        """Carry connections again."""
        self._whole = True

    def accept(self) -> _End:
        """Return what serves the next connection."""
        self.connections += 1
        return _Near(self)

    def take(self, end: _End) -> None:
        """Know of an end that stands."""
        self._ends.add(end)

    def leave(self, end: _End) -> None:
        """Forget an end that is gone."""
        self._ends.discard(end)

    def dial(self, near: _Near) -> None:
        """Connect the other end of a connection, or break it."""
        task = asyncio.create_task(self._reach(near))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)

    async def _reach(self, near: _Near) -> None:
        far = _Far(self)
        try:
            if self._whole:
                await asyncio.get_running_loop().create_connection(lambda: far, HOST, self._target_port)
        except OSError:
            # There is nobody; whoever connected is told so by the end of the connection.
            pass
        if far.transport is None or not self._whole:
            far.abort()
            near.abort()
        else:
            near.join(far)


class _End(asyncio.Protocol):
    """One end of a connection: what comes in here goes out at the other."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._early = bytearray()
        self._other: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._wire.take(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._wire.leave(self)
        if self._other is not None and self._other.transport is not None:
            self._other.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._other is None or self._other.transport is None:
            self._early += data
        else:
            self._other.transport.write(data)

    def join(self, other: _End) -> None:
        """Pass everything on to another end, what came before too, and let it do the same."""
        self._other, other._other = other, self
        for end in (self, other):
            early, end._early = bytes(end._early), bytearray()
            if early:
                end.data_received(early)
        if self.transport is None or self.transport.is_closing():
            other.abort()

    def abort(self) -> None:
        """Break the connection."""
        if self.transport is not None:
            self.transport.abort()


class _Near(_End):
    """The end at the program."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wire.dial(self)


class _Far(_End):
    """The end at the server, whose answers may be held back."""

    def data_received(self, data: bytes) -> None:
        if self._wire.answers_pass:
            super().data_received(data)


@asynccontextmanager
async def open_wire(target_port: int, port: int = 0) -> AsyncIterator[Wire]:
    """Lay a wire for the length of a block; it begins at the given port, or at any free one."""
    wire = Wire(target_port)
    server = await asyncio.get_running_loop().create_server(wire.accept, HOST, port)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        wire.cut()
        await server.wait_closed()
