"""A TCP proxy in front of servers, as an operator would have one: each new connection goes to the next that says it is ready.

What it knows of a server is up to ``PROBED_EVERY_S`` old, as with any proxy. A server to which no connection can be made is
passed over; once a byte was carried, nothing is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from tests.services.carrier import Carrier, End, carrying

PROBED_EVERY_S = 0.5
_PROBE_TIMEOUT = aiohttp.ClientTimeout(total=10)
_BLOCK = 64 * 1024


class Balancer(Carrier):
    """Carries connections to the servers that were named and are ready."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__()
        self._session = session
        self._ports: list[int] = []
        self._ready: dict[int, tuple[float, bool]] = {}
        self._turn = 0
        self.carried: dict[int, int] = {}

    @property
    def url(self) -> str:
        """Return where clients reach the servers."""
        return f"http://127.0.0.1:{self.port}"

    def add(self, base_url: str) -> None:
        """Know of a server."""
        self._ports.append(_port_of(base_url))
        self.carried[self._ports[-1]] = 0

    def forget(self, base_url: str) -> None:
        """Know no more of a server that has ended."""
        self._ports.remove(_port_of(base_url))

    async def pass_on(self, near: End, far: End) -> None:
        """Carry both ways until both sides have said all they had to."""
        await asyncio.gather(_copy(near[0], far[1]), _copy(far[0], near[1]))

    async def reach(self) -> End:
        """Connect to the next server that is ready."""
        for _ in range(len(self._ports)):
            self._turn += 1
            port = self._ports[self._turn % len(self._ports)]
            if await self._is_ready(port):
                with suppress(ConnectionRefusedError):
                    far = await asyncio.open_connection("127.0.0.1", port)
                    self.carried[port] += 1
                    return far
        raise ConnectionRefusedError("no server is ready")

    async def _is_ready(self, port: int) -> bool:
        now_s = asyncio.get_running_loop().time()
        known_at_s, ready = self._ready.get(port, (float("-inf"), False))
        if now_s - known_at_s < PROBED_EVERY_S:
            return ready
        try:
            url = f"http://127.0.0.1:{port}/health/ready"
            async with self._session.get(url, timeout=_PROBE_TIMEOUT, headers={"Connection": "close"}) as answer:
                ready = answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            ready = False
        self._ready[port] = (now_s, ready)
        return ready


def _port_of(base_url: str) -> int:
    return int(base_url.rpartition(":")[2])


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while block := await reader.read(_BLOCK):
        writer.write(block)
        await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.write_eof()


@asynccontextmanager
async def balancing(session: aiohttp.ClientSession) -> AsyncIterator[Balancer]:
    """Run a proxy with no server behind it yet."""
    async with carrying(Balancer(session)) as balancer:
        yield balancer
