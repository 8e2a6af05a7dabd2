"""The cable between gates and server: what it carries, what a cut does, and that it comes back where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.demo.cable import Cable, laid_cable

PATIENCE_S = 30
BIG = b"x" * 300_000


@asynccontextmanager
async def echo_server() -> AsyncIterator[int]:
    """Run a server that sends back what it gets; give its port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while block := await reader.read(65536):
                writer.write(block)
                await writer.drain()
        except OSError:
            pass  # the other side went away, which is what these tests are about
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    """Give a cable to a server that echoes."""
    async with asyncio.timeout(PATIENCE_S * 3), echo_server() as port, laid_cable(port) as laid:
        yield laid


async def ask(port: int, question: bytes) -> bytes:
    """Send something over a new connection and return as much as comes back."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(question)
        answer = await reader.readexactly(len(question))
        writer.transport.abort()
    return answer


async def test_what_goes_in_comes_out_on_both_sides(cable: Cable) -> None:
    assert await ask(cable.port, BIG) == BIG
    assert list(await asyncio.gather(ask(cable.port, b"one"), ask(cable.port, b"two"))) == [b"one", b"two"]


async def test_cut_drops_connections_that_stood(cable: Cable) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", cable.port)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    await cable.cut()
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        async with asyncio.timeout(PATIENCE_S):
            await reader.readexactly(1)
    writer.transport.abort()


async def test_cut_cable_takes_no_new_connection(cable: Cable) -> None:
    await cable.cut()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", cable.port)


async def test_cable_comes_back_on_the_same_port(cable: Cable) -> None:
    port = cable.port
    await cable.cut()
    await cable.plug_in()
    assert cable.port == port
    assert await ask(port, b"again") == b"again"


async def test_cutting_twice_is_no_fault(cable: Cable) -> None:
    await cable.cut()
    await cable.cut()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", cable.port)


async def test_connection_ends_when_there_is_nobody_at_the_far_end() -> None:
    async with echo_server() as port:
        pass
    async with asyncio.timeout(PATIENCE_S), laid_cable(port) as laid:
        reader, writer = await asyncio.open_connection("127.0.0.1", laid.port)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.transport.abort()
