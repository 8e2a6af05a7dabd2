"""The bus in RabbitMQ when something breaks: nothing confirmed is lost, and it goes on by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import aio_pika
import aiohttp
import msgspec
import pytest
from aiormq.exceptions import ChannelAccessRefused
from msgspec import Struct

from server.bus.problems import BusAway, BusDenied, TopologyDiffers
from server.bus.rabbit import RabbitBus, open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import DEAD_LETTERS, FOREIGN_EVENTS, INBOX
from server.services.ports_bus import Arrived, Outcome, Posting
from shared.settings import Secret
from tests.contract.bus.rig import TOPOLOGY, Inbox, consuming, payment, until
from tests.services.plugin import VirtualHost
from tests.services.processes import free_port
from tests.services.wire import Wire, open_wire


class Connection(Struct):
    """A connection as the management API names it."""

    name: str
    user: str = ""


async def give_way(_: float) -> None:
    """Wait for nothing."""
    await asyncio.sleep(0)


def plan_for(url: str, **changes: object) -> RabbitPlan:
    """Return a plan that does not wait between tries."""
    return msgspec.structs.replace(RabbitPlan(url=Secret(url), topology=TOPOLOGY, pause=give_way), **changes)


@pytest.fixture
async def bus(vhost: VirtualHost) -> AsyncIterator[RabbitBus]:
    async with open_rabbit(plan_for(vhost.url)) as bus:
        yield bus


@pytest.fixture
async def wire(vhost: VirtualHost) -> AsyncIterator[Wire]:
    async with open_wire(urlsplit(vhost.url).port or 5672) as wire:
        yield wire


@pytest.fixture
async def api(vhost: VirtualHost) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(vhost.api_url) as session:
        yield session


def through(wire: Wire, url: str) -> str:
    """Return the address that leads through the wire."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{wire.port}"))


async def close_connections(api: aiohttp.ClientSession, vhost: VirtualHost, count: int) -> None:
    """Have the broker close the program's connections, once it lists as many as expected."""

    async def ours() -> list[Connection]:
        async with api.get(f"/api/vhosts/{vhost.name}/connections") as answer:
            listed = msgspec.json.decode(await answer.read(), type=list[Connection])
        return [one for one in listed if one.user == vhost.name]

    for connection in await until(ours, lambda found: len(found) >= count):
        async with api.delete(f"/api/connections/{connection.name.replace(' ', '%20')}") as answer:
            answer.raise_for_status()


async def test_bus_goes_on_after_the_broker_closed_its_connections(
    bus: RabbitBus, vhost: VirtualHost, api: aiohttp.ClientSession
) -> None:
    inbox = Inbox(Outcome.DONE)
    async with consuming(bus, inbox):
        await bus.post(payment("before"))
        await inbox.have(1)
        await close_connections(api, vhost, 2)
        for number in range(20):
            await bus.post(payment(f"after{number}"))
        await until(inbox.ids, lambda ids: len(ids) == 21)
    assert {one.message_id for one in inbox.arrived} == {"before", *(f"after{number}" for number in range(20))}


async def test_a_message_whose_confirmation_is_lost_is_posted_again_under_its_id(
    wire: Wire, vhost: VirtualHost
) -> None:
    async with open_rabbit(plan_for(through(wire, vhost.url))) as bus, open_rabbit(plan_for(vhost.url)) as reader:
        await bus.post(payment("warm-up"))
        inbox = Inbox(Outcome.DONE)
        async with consuming(reader, inbox):
            await inbox.have(1)
            wire.hold_answers()
            posting = asyncio.create_task(bus.post(payment("p1")))
            # The broker has it and has said so, but the word is not through.
            await inbox.have(2)
            assert not posting.done()
            wire.cut()
            await posting
            assert [one.message_id for one in await inbox.have(3)] == ["warm-up", "p1", "p1"]
            assert inbox.arrived[1].body == inbox.arrived[2].body
    assert wire.connections == 2


async def test_a_confirmation_that_never_comes_ends_as_a_problem(wire: Wire, vhost: VirtualHost) -> None:
    plan = plan_for(through(wire, vhost.url), confirm_timeout_s=0.3, connect_timeout_s=0.3, tries=2)
    async with open_rabbit(plan) as bus:
        await bus.post(payment("warm-up"))
        wire.hold_answers()
        with pytest.raises(BusAway, match="RABBITMQ_URL"):
            await bus.post(payment("p1"))
        wire.cut()
        await bus.post(payment("p2"))


async def test_messages_in_the_hands_of_a_consumer_whose_connection_broke_come_again(
    wire: Wire, vhost: VirtualHost, bus: RabbitBus
) -> None:
    taken = asyncio.Event()

    async def hold_the_first(arrived: Arrived) -> Outcome:
        seen.append((arrived.message_id, arrived.attempt))
        if arrived.attempt == 1:
            taken.set()
            await asyncio.Event().wait()
        again.set()
        return Outcome.DONE

    seen: list[tuple[str, int]] = []
    again = asyncio.Event()
    async with open_rabbit(plan_for(through(wire, vhost.url))) as broken, consuming(broken, hold_the_first):
        await bus.post(payment("p1"))
        async with asyncio.timeout(20):
            await taken.wait()
            wire.cut()
            await again.wait()
    assert seen == [("p1", 1), ("p1", 2)]


async def test_messages_that_wait_for_another_attempt_keep_nobody_from_being_handled(vhost: VirtualHost) -> None:
    async def wait_for_ever(_: float) -> None:
        await asyncio.Event().wait()

    async def fail(arrived: Arrived) -> Outcome:
        return Outcome.AGAIN if arrived.key == "payment.failed" else await good(arrived)

    good = Inbox(Outcome.DONE)
    async with open_rabbit(plan_for(vhost.url, pause=wait_for_ever)) as bus:
        for number in range(20):
            await bus.post(payment(f"poison {number}", "payment.failed"))
        await bus.post(payment("p1"))
        async with consuming(bus, fail):
            assert [one.message_id for one in await good.have(1)] == ["p1"]


async def test_a_deleted_queue_is_made_again_and_read(
    bus: RabbitBus, vhost: VirtualHost, api: aiohttp.ClientSession
) -> None:
    inbox = Inbox(Outcome.DONE)
    async with consuming(bus, inbox):
        await bus.post(payment("before"))
        await inbox.have(1)
        async with api.delete(f"/api/queues/{vhost.name}/{INBOX}") as answer:
            answer.raise_for_status()
        number = 0
        async with asyncio.timeout(20):
            while len(inbox.arrived) < 2:
                # What is posted while there is no queue goes nowhere, which is why real ones are posted as `must_route`.
                number += 1
                await bus.post(payment(f"after{number}"))
    assert inbox.arrived[1].message_id.startswith("after")


async def test_a_refused_message_is_told_and_those_beside_it_are_taken(vhost: VirtualHost) -> None:
    async with open_rabbit(plan_for(vhost.url)) as bus:
        forbidden = Posting(exchange="amq.topic", key="x", message_id="no", body=b"")
        posts = [bus.post(forbidden), *(bus.post(payment(f"p{number}")) for number in range(20))]
        results = await asyncio.gather(*posts, return_exceptions=True)
        assert isinstance(results[0], BusDenied)
        assert results[1:] == [None] * 20
        inbox = Inbox(Outcome.DONE)
        async with consuming(bus, inbox):
            await until(inbox.ids, lambda ids: len(ids) == 20)


async def test_the_account_of_these_tests_cannot_write_to_the_default_exchange(
    bus: RabbitBus, vhost: VirtualHost
) -> None:
    # The contract ran by this account, so nothing in it went through the default exchange.
    await bus.post(payment("p1"))
    connection = await aio_pika.connect(vhost.url)
    async with connection, connection.channel() as channel:
        with pytest.raises(ChannelAccessRefused):
            await channel.default_exchange.publish(aio_pika.Message(b""), DEAD_LETTERS)


async def test_a_queue_of_another_form_is_told_and_left_alone(vhost: VirtualHost) -> None:
    connection = await aio_pika.connect(vhost.admin_url)
    async with connection, connection.channel() as channel:
        await channel.declare_queue(INBOX, durable=True)
        async with open_rabbit(plan_for(vhost.url)) as bus:
            with pytest.raises(TopologyDiffers, match="doctor"):
                await bus.post(payment("p1"))
            with pytest.raises(TopologyDiffers, match="doctor"):
                await bus.consume(INBOX, Inbox(Outcome.DONE))
        assert (await channel.get_queue(INBOX)).name == INBOX


async def test_an_account_without_rights_is_told(vhost: VirtualHost, api: aiohttp.ClientSession) -> None:
    rights = {"configure": "^$", "write": "^$", "read": "^$"}
    async with api.put(f"/api/permissions/{vhost.name}/{vhost.name}", json=rights) as answer:
        answer.raise_for_status()
    async with open_rabbit(plan_for(vhost.url)) as bus:
        with pytest.raises(BusDenied, match="permission"):
            await bus.post(payment("p1"))


async def test_a_consumer_that_may_not_read_is_told(vhost: VirtualHost, api: aiohttp.ClientSession) -> None:
    async with open_rabbit(plan_for(vhost.url)) as bus:
        await bus.check()
    rights = {
        "configure": ".*",
        "write": ".*",
        "read": r"^(ticket\.events|tickettoken_events|ticket\.dead|ticket\.replay)$",
    }
    async with api.put(f"/api/permissions/{vhost.name}/{vhost.name}", json=rights) as answer:
        answer.raise_for_status()
    async with open_rabbit(plan_for(vhost.url)) as bus, asyncio.timeout(20):
        with pytest.raises(BusDenied, match=INBOX):
            await bus.consume(INBOX, Inbox(Outcome.DONE))


async def test_a_broker_that_is_not_there_is_told(vhost: VirtualHost) -> None:
    parts = urlsplit(vhost.url)
    address = urlunsplit(parts._replace(netloc=f"{parts.username}:secret@127.0.0.1:{free_port()}"))
    async with open_rabbit(plan_for(address)) as bus:
        for call in (bus.post(payment("p1")), bus.list_dead(1), bus.replay_dead(None)):
            with pytest.raises(BusAway) as told:
                await call
            assert "secret" not in str(told.value)


async def test_messages_are_persistent_and_name_themselves(bus: RabbitBus, vhost: VirtualHost) -> None:
    await bus.post(payment("p1"))
    connection = await aio_pika.connect(vhost.admin_url)
    async with connection, connection.channel() as channel:
        message = await (await channel.get_queue(INBOX)).get()
        await message.ack()
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert (message.message_id, message.content_type) == ("p1", "application/json")


async def test_a_foreign_message_without_an_id_gets_one_from_its_body(bus: RabbitBus, vhost: VirtualHost) -> None:
    await bus.post(payment("first"))
    connection = await aio_pika.connect(vhost.admin_url)
    async with connection, connection.channel(publisher_confirms=False) as channel:
        exchange = await channel.get_exchange(FOREIGN_EVENTS)
        for _ in range(2):
            # A header of ours on a message that is none of our replays must not change its key.
            message = aio_pika.Message(b"{}", headers={"tt-key": "order.cancelled"})
            message.message_id = None
            await (await channel.get_underlay_channel()).basic_publish(
                b"{}", exchange=exchange.name, routing_key="payment.failed", properties=message.properties
            )
    inbox = Inbox(Outcome.DONE)
    async with consuming(bus, inbox):
        arrived = (await inbox.have(3))[1:]
    assert {one.key for one in arrived} == {"payment.failed"}
    assert len(arrived) == 2


async def test_asking_for_a_broker_that_is_away_is_answered_in_time_and_truly(wire: Wire, vhost: VirtualHost) -> None:
    plan = plan_for(through(wire, vhost.url), confirm_timeout_s=3.0, connect_timeout_s=3.0)
    async with open_rabbit(plan) as bus:
        wire.hold_answers()
        with pytest.raises(BusAway, match="RABBITMQ_URL"):
            await bus.check()
        wire.cut()
        await bus.check()
        await bus.post(payment("p1"))
    async with open_rabbit(plan_for(f"amqp://127.0.0.1:{free_port()}/")) as bus:
        with pytest.raises(BusAway):
            await bus.check()
