"""A message tells in its headers which trace it belongs to, for programs that trace but do not read our envelope."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import aio_pika
import pytest
from msgspec import Raw
from msgspec.structs import replace

from server.bus.rabbit import open_rabbit
from server.bus.topology import EVENTS
from server.services.ports_bus import Envelope
from shared.ids import TenantId
from shared.trace import read_trace
from tests.contract.bus.test_rabbit_faults import plan_for
from tests.services.plugin import VirtualHost

TRACE = "0af7651916cd43dd8448eb211c80319c"
FACT = Envelope(
    id=UUID(int=7),
    event="ticket.reserved",
    timestamp=datetime(2026, 6, 20, tzinfo=UTC),
    tenant_id=TenantId(UUID(int=1)),
    payload=Raw(b"{}"),
    correlation_id=TRACE,
)


@pytest.mark.parametrize("cause", [TRACE, "order-77", None])
async def test_a_message_bears_its_trace(vhost: VirtualHost, cause: str | None) -> None:
    async with open_rabbit(plan_for(vhost.url)) as bus, await aio_pika.connect(vhost.admin_url) as connection:
        await bus.check()
        async with connection.channel() as channel, asyncio.timeout(60):
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(EVENTS, "ticket.reserved")
            await bus.publish(replace(FACT, correlation_id=cause))
            async with queue.iterator() as arriving:
                message = await anext(arriving)
                await message.ack()
    parent = message.headers.get("traceparent")
    assert (None if parent is None else read_trace(str(parent))) == (TRACE if cause == TRACE else None)
