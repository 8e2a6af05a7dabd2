"""The whole server beside a real RabbitMQ: facts go out, payments come in, and without the broker everything else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aio_pika
import aiohttp
import pytest
from aio_pika.abc import AbstractIncomingMessage
from msgspec.structs import replace

from server.app import run_server
from server.bus.envelope import decode_envelope
from server.listening import bind
from server.services.dead_letters import Stranded, list_stranded, replay_stranded
from shared.clock import ManualClock
from shared.ids import TenantId
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.messages.post import Notice, notice, waiting
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import open_shop, plan_for
from tests.services.plugin import VirtualHost
from tests.services.processes import free_port
from tests.services.wire import open_wire


@asynccontextmanager
async def serve(database: Databases, clock: ManualClock, url: str) -> AsyncIterator[Served]:
    """Run the whole server with a broker, and a shop in it."""
    plan = replace(plan_for(database, clock), rabbitmq_url=Secret(url))
    with bind("127.0.0.1", 0) as listener:
        async with (
            run_server(plan, listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            yield Served(running=running, shop=shop, session=session)


@pytest.fixture
async def served(database: Databases, clock: ManualClock, vhost: VirtualHost) -> AsyncIterator[Served]:
    """Give a server whose broker is there."""
    async with serve(database, clock, vhost.url) as running:
        yield running


class Neighbour:
    """Another program at the same broker: it hears what tickets do and tells of payments."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self._channel = channel
        self._heard: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def listen(self) -> None:
        """Hear everything about tickets from here on."""
        queue = await self._channel.declare_queue("ticket.neighbour", durable=True)
        await queue.bind("ticket.events", "ticket.#")
        await queue.consume(self._heard.put, no_ack=True)

    async def hear(self, key: str) -> AbstractIncomingMessage:
        """Return the next message of a kind, within twenty seconds."""
        async with asyncio.timeout(20):
            while True:
                message = await self._heard.get()
                if message.routing_key == key:
                    return message

    async def tell(self, told: Notice | bytes, key: str = "payment.completed") -> None:
        """Publish as another service does."""
        exchange = await self._channel.get_exchange("tickettoken_events", ensure=False)
        if isinstance(told, bytes):
            await exchange.publish(aio_pika.Message(told, message_id=str(uuid4())), key)
        else:
            await exchange.publish(aio_pika.Message(told.body, message_id=str(told.id)), told.event)


@asynccontextmanager
async def neighbour(vhost: VirtualHost) -> AsyncIterator[Neighbour]:
    """Give another program beside the server, which has declared its exchanges."""
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        yield Neighbour(channel)


async def until(served: Served, what: Callable[[Served], bool], /) -> None:
    """Return once something is so, within twenty seconds."""
    async with asyncio.timeout(20):
        while not what(served):
            await served.call("GET", "/health/live")


async def until_well(served: Served) -> None:
    """Return once every part, the broker included, is well."""
    async with asyncio.timeout(20):
        while (await served.call("GET", "/health/ready")).json["status"] != "ok":
            pass


async def stranded(served: Served, count: int) -> list[Stranded]:
    """Return what did not get through once it is so much."""
    parts = served.running.parts
    async with asyncio.timeout(20):
        while len(found := await list_stranded(parts.bus, parts.database, 100)) != count:
            pass
    return found


async def test_a_payment_told_by_the_broker_becomes_tickets_that_are_told_to_it(
    served: Served, vhost: VirtualHost
) -> None:
    await until_well(served)
    shop = served.shop
    buyer = shop.buyer()
    async with neighbour(vhost) as other:
        await other.listen()
        held = await shop.reserve(buyer, 1)
        paid = notice(
            "payment.completed",
            shop.tenant,
            shop.clock.now(),
            paymentId="pay-1",
            amountCents=held.total_cents,
            currency="EUR",
            reservationId=str(held.reservation_id),
        )
        await other.tell(paid)
        await other.tell(paid)
        message = await other.hear("ticket.purchased")
    envelope = decode_envelope(message.body)
    assert (message.message_id, message.content_type) == (str(envelope.id), "application/json")
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert (envelope.event, envelope.tenant_id) == ("ticket.purchased", shop.tenant)
    assert envelope.correlation_id == str(paid.id)
    assert f'"ownerId":"{buyer.user}"'.encode() in bytes(envelope.payload)
    await until(served, lambda one: one.running.parts.inbox.taken == 2)
    assert (await shop.stock()).sold == 1
    assert served.running.parts.inbox.refused == 0


async def test_a_message_nobody_can_handle_is_kept_with_its_reason_until_it_can_be(
    served: Served, vhost: VirtualHost
) -> None:
    await until_well(served)
    parts, newcomer = served.running.parts, TenantId(uuid4())
    word = {"paymentId": "pay-7", "amountCents": 4500, "currency": "EUR"}
    early = notice("payment.completed", newcomer, served.shop.clock.now(), **word)
    async with neighbour(vhost) as other:
        await other.tell(b"{")
        await other.tell(early)
    found = {one.code: one for one in await stranded(served, 2)}
    assert set(found) == {"code_malformed", "tenant_not_found"}
    letter = found["tenant_not_found"]
    assert (letter.message_id, letter.queue, letter.key) == (str(early.id), "ticket.inbox", "payment.completed")
    assert letter.body == early.body.decode()
    async with parts.context.db.tenant(newcomer) as tx:
        await tx.events.add_tenant("New here")
    assert (await replay_stranded(parts.bus, parts.database, [letter.message_id])).letters == 1
    await until(served, lambda one: one.running.parts.inbox.taken == 1)
    async with parts.context.db.tenant(newcomer) as tx:
        known = await tx.inbox.get_payment("pay-7")
    assert known is not None
    assert [one.code for one in await stranded(served, 1)] == ["code_malformed"]


async def test_without_its_broker_a_server_serves_and_catches_up_when_it_is_back(
    database: Databases, clock: ManualClock, vhost: VirtualHost
) -> None:
    address, port = urlsplit(vhost.url), free_port()
    away = urlunsplit(address._replace(netloc=address.netloc.replace(f":{address.port}", f":{port}")))
    async with serve(database, clock, away) as served:
        await until(served, lambda one: one.running.parts.publisher.problem is not None)
        ready = await served.call("GET", "/health/ready")
        parts = ready.json["parts"]
        assert (ready.status, ready.json["status"]) == (200, "degraded")
        assert isinstance(parts, dict)
        assert parts["broker"] == {"status": "degraded", "tookMs": parts["broker"]["tookMs"], "code": "broker_away"}
        bought = await served.buy(served.shop.buyer(), 2)
        assert len(await waiting(served.running.parts.database)) == 5
        async with open_wire(address.port or 5672, port):
            await until_well(served)
            async with neighbour(vhost) as other, asyncio.timeout(20):
                await other.listen()
                while await waiting(served.running.parts.database):
                    pass
                await until(served, lambda one: one.running.parts.publisher.published >= 5)  # counted once it is gone
            assert served.running.parts.publisher.published == 5
            assert len(bought) == 2
