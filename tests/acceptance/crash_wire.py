"""The wire between a server and PostgreSQL, which counts statements and kills the server right after a chosen one.

It reads PostgreSQL's frontend/backend protocol 3.0: a type byte, a length, the rest. Nothing is changed on the way. When the
chosen statement was answered, the answer is held back and the server's process gets SIGKILL, so that what the statement did is
all that remains of the server's knowledge.
"""

from __future__ import annotations

import asyncio
import os
import signal
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

from tests.services.carrier import Carrier, End, carrying

_STARTUP, _SSL = 196608, 80877103
_CONNECT_TIMEOUT_S = 10.0


class CrashWire(Carrier):
    """Carries connections to PostgreSQL; once armed it kills after so many statements."""

    def __init__(self, dsn: str) -> None:
        super().__init__()
        place = urlsplit(dsn)
        assert place.hostname is not None
        self._far = (place.hostname, place.port or 5432)
        self._dsn = dsn
        self._victim = 0
        self._left = 0
        self.seen: list[str] = []
        self.cut = asyncio.Event()

    @property
    def dsn(self) -> str:
        """Return the database's URL as it is reached through the wire."""
        place = urlsplit(self._dsn)
        proof = place.netloc.rpartition("@")[0]
        return urlunsplit(place._replace(netloc=f"{proof}@127.0.0.1:{self.port}"))

    def arm(self, victim: int, statement: int) -> None:
        """Kill a process once the n-th statement from here on was carried out."""
        self._victim, self._left = victim, statement
        self.seen = []
        self.cut.clear()

    def disarm(self) -> None:
        """Only carry, from here on."""
        self._left = 0

    def count(self, statement: str) -> bool:
        """Take note of a statement; tell whether it is the last one this server is to see the end of."""
        if self._left == 0:
            return False
        self.seen.append(statement)
        self._left -= 1
        return self._left == 0

    def kill(self) -> None:
        """End the server as a power cut would."""
        os.kill(self._victim, signal.SIGKILL)
        self.cut.set()

    async def reach(self) -> End:
        """Connect to the database."""
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            return await asyncio.open_connection(*self._far)

    async def pass_on(self, near: End, far: End) -> None:
        """Follow what both say until either side ends it."""
        await _Session(self, near, far).run()


class _Session:
    """One connection of the server to its database."""

    def __init__(self, wire: CrashWire, near: End, far: End) -> None:
        self._wire = wire
        self._near_in, self._near_out = near
        self._far_in, self._far_out = far
        self._prepared: dict[bytes, str] = {}
        self._running = ""
        self._last = False

    async def run(self) -> None:
        await self._start()
        ends = {asyncio.ensure_future(self._carry_requests()), asyncio.ensure_future(self._carry_answers())}
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in ends:
                one.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _start(self) -> None:
        """Pass the opening on, whose packets have no type byte."""
        code = 0
        while code != _STARTUP:
            head = await self._near_in.readexactly(8)
            length, code = struct.unpack("!ii", head)
            self._far_out.write(head + await self._near_in.readexactly(length - 8))
            if code == _SSL:
                self._near_out.write(await self._far_in.readexactly(1))

    async def _carry_requests(self) -> None:
        while True:
            kind, rest = await _read(self._near_in)
            self._note(kind, rest[4:])
            self._far_out.write(kind + rest)
            await self._far_out.drain()

    async def _carry_answers(self) -> None:
        while True:
            kind, rest = await _read(self._far_in)
            if self._last and kind == b"Z":
                self._wire.kill()
                return
            if not self._last:
                self._near_out.write(kind + rest)
                await self._near_out.drain()

    def _note(self, kind: bytes, body: bytes) -> None:
        """Follow which statement is being carried out."""
        if kind == b"P":
            name, text, *_ = body.split(b"\0", 2)
            self._prepared[name] = text.decode()
        elif kind == b"B":
            self._running = self._prepared.get(body.split(b"\0", 2)[1], "")
        elif kind == b"E":
            self._last = self._wire.count(self._running)
        elif kind == b"Q":
            self._last = self._wire.count(body.rstrip(b"\0").decode())


async def _read(stream: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await stream.readexactly(5)
    (length,) = struct.unpack("!i", head[1:])
    return head[:1], head[1:] + await stream.readexactly(length - 4)


@asynccontextmanager
async def laid_wire(dsn: str) -> AsyncIterator[CrashWire]:
    """Lay a wire to a database and take it away again."""
    async with carrying(CrashWire(dsn)) as wire:
        yield wire
