"""Attempts to connect that came to nothing: no connection is left for the garbage collector to close, in whatever thread."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import aio_pika
import pytest

from gate.sync.broker_address import BrokerAddress
from gate.sync.broker_channel import BrokerTarget
from gate.sync.link_amqp import AmqpDialler, BrokerSelf
from server.bus.checkup import check_version
from server.bus.problems import BusAway
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from shared.ids import EventId, GateId, TenantId
from shared.problems import TicketTokenError
from shared.settings import Secret
from tests.services.processes import HOST, free_port


def left_open() -> list[aio_pika.Connection]:
    """Return the connections that are not closed; a problem that was raised holds the one it came from."""
    return [one for one in gc.get_objects() if type(one) is aio_pika.Connection and not one.is_closed]


@asynccontextmanager
async def answering(said: bytes, spoken_to: asyncio.Event) -> AsyncIterator[int]:
    """Say something to whoever connects and hang up; who has nothing to say listens for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await reader.read(8)
        spoken_to.set()
        if not said:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


def dialler_to(port: int) -> AmqpDialler:
    address = BrokerAddress(host=HOST, port=port, vhost="/", tls=False)
    who = BrokerSelf(tenant=TenantId(uuid4()), event=EventId(uuid4()), gate=GateId(uuid4()))
    return AmqpDialler(BrokerTarget(address=address, account="gate.x", password=Secret("word")), who)


def plan_to(port: int) -> RabbitPlan:
    return RabbitPlan(
        url=Secret(f"amqp://tt:word@{HOST}:{port}/"), tries=1, connect_timeout_s=0.2, confirm_timeout_s=0.2
    )


@pytest.mark.parametrize("said", [None, b"", b"HTTP/1.1 200 OK\r\n\r\n<html>Welcome!</html>"])
async def test_an_attempt_that_fails_leaves_no_connection_behind(said: bytes | None) -> None:
    before = len(left_open())
    spoken_to = asyncio.Event()
    async with answering(said or b"", spoken_to) as there:
        port = free_port() if said is None else there
        async with open_rabbit(plan_to(port)) as bus:
            with pytest.raises(BusAway) as away:
                await bus.check()
        assert len(left_open()) == before, away.value
        if said == b"":
            dialling = asyncio.create_task(dialler_to(port).connect())
            spoken_to.clear()
            await spoken_to.wait()
            dialling.cancel()
            with pytest.raises(asyncio.CancelledError) as ended:
                await dialling
            assert len(left_open()) == before, ended.value
            return
        with pytest.raises(TicketTokenError) as refused:
            await dialler_to(port).connect()
        with pytest.raises(BusAway) as unseen:
            await check_version(plan_to(port).url)
        assert len(left_open()) == before, (refused.value, unseen.value)
