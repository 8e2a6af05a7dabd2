"""The doctor looks at broker, Redis and what waits to be told, and names each fault with what to do about it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import aio_pika
import aiohttp
from msgspec.structs import replace

from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import DEAD_LETTERS
from server.doctor import Finding, examine
from server.parts import ServerPlan
from shared.clock import ManualClock, SystemClock
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.server.messages.post import Gazette, publish_all, waiting
from tests.integration.server.schema.connections import connected
from tests.integration.server.selling.stage import Shop, plan_for
from tests.services.plugin import VirtualHost
from tests.services.processes import HOST, free_port


def planned(database: Databases, vhost: VirtualHost | None = None, **changes: object) -> ServerPlan:
    """Return a plan on the machine's own clock, with a broker if one is given."""
    plan = replace(plan_for(database, ManualClock(SystemClock().now())), clock=SystemClock(), **changes)
    if vhost is None:
        return plan
    return replace(plan, rabbitmq_url=Secret(vhost.url), rabbitmq_management_url=Secret(vhost.api_url))


async def look(plan: ServerPlan) -> dict[str, Finding]:
    """Return the findings by name."""
    return {one.name: one for one in await examine(plan)}


def bad(found: dict[str, Finding]) -> list[str]:
    """Return the names of what is not well."""
    return [one.name for one in found.values() if not one.ok]


async def declare(vhost: VirtualHost) -> None:
    """Have the broker hold what a server declares."""
    async with open_rabbit(RabbitPlan(url=Secret(vhost.url))) as bus:
        await bus.check()


async def permit(vhost: VirtualHost, **rights: str) -> None:
    """Give the program's account other rights."""
    async with aiohttp.ClientSession(vhost.api_url) as api:
        path = f"/api/permissions/{quote(vhost.name)}/{quote(vhost.name)}"
        async with api.put(path, json={"configure": ".*", "write": ".*", "read": ".*"} | rights) as answer:
            answer.raise_for_status()


async def test_a_sound_installation_is_found_sound(database: Databases, vhost: VirtualHost, redis_url: str) -> None:
    found = await look(planned(database, vhost, redis_url=Secret(redis_url)))
    assert bad(found) == []
    assert [one.name for one in found.values() if one.warning] == []
    assert {"broker", "topology", "permissions", "queues", "broker clock", "redis", "facts"} <= set(found)
    assert "RabbitMQ 3." in found["broker"].detail or "RabbitMQ 4." in found["broker"].detail
    assert found["redis"].detail == "Redis answers"


async def test_without_broker_and_redis_it_says_so_and_is_content(database: Databases) -> None:
    found = await look(planned(database))
    assert bad(found) == []
    assert "RABBITMQ_URL" in found["broker"].detail
    assert "REDIS_URL" in found["redis"].detail


async def test_what_is_away_is_one_finding_each(database: Databases) -> None:
    nobody = f"{HOST}:{free_port()}"
    plan = planned(database, rabbitmq_url=Secret(f"amqp://{nobody}/"), redis_url=Secret(f"redis://{nobody}/0"))
    found = await look(plan)
    assert bad(found) == ["broker", "redis"]
    assert "RABBITMQ_URL" in found["broker"].detail
    assert "REDIS_URL" in found["redis"].detail


async def test_a_queue_of_another_form_is_found(database: Databases, vhost: VirtualHost) -> None:
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        await channel.declare_queue(DEAD_LETTERS, durable=True, arguments={"x-max-length": 3})
    found = await look(planned(database, vhost))
    assert "topology" in bad(found)
    assert DEAD_LETTERS in found["topology"].detail


async def test_a_binding_somebody_added_is_found_by_the_management_api(database: Databases, vhost: VirtualHost) -> None:
    await declare(vhost)
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        queue = await channel.get_queue("ticket.inbox", ensure=False)
        await queue.bind("ticket.events", "ticket.#")
    found = await look(planned(database, vhost))
    assert bad(found) == ["topology"]
    assert "binding ticket.events -ticket.#-> ticket.inbox" in found["topology"].detail


async def test_each_missing_permission_is_named(database: Databases, vhost: VirtualHost) -> None:
    await declare(vhost)
    await permit(vhost, write=r"^(ticket\.inbox|ticket\.dead.*)$")
    found = await look(planned(database, vhost))
    assert "permissions" in bad(found)
    assert "write to the exchange ticket.events" in found["permissions"].detail
    await permit(vhost, read=r"^(tickettoken_events|ticket\.(events|dead|replay))$")
    found = await look(planned(database, vhost))
    assert bad(found) == ["permissions"]
    assert "read the queue ticket.inbox" in found["permissions"].detail
    await permit(vhost, configure="^$")
    assert "topology" in bad(await look(planned(database, vhost)))


async def test_looking_for_permissions_publishes_nothing(database: Databases, vhost: VirtualHost) -> None:
    await declare(vhost)
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        spy = await channel.declare_queue("ticket.spy", durable=True)
        for exchange in ("ticket.events", "ticket.replay"):
            await spy.bind(exchange, "#" if exchange == "ticket.events" else "doctor.check")
        assert bad(await look(planned(database, vhost))) == []
        again = await channel.declare_queue("ticket.spy", passive=True)
        assert again.declaration_result.message_count == 0


async def test_dead_letters_are_worth_a_warning(database: Databases, vhost: VirtualHost) -> None:
    await declare(vhost)
    async with await aio_pika.connect(vhost.admin_url) as connection, connection.channel() as channel:
        dead = await channel.get_exchange("ticket.dead", ensure=False)
        await dead.publish(aio_pika.Message(b"{}"), "payment.completed")
    found = await look(planned(database, vhost))
    assert bad(found) == []
    assert (found["queues"].warning, "tickettoken dlq list" in found["queues"].detail) == (True, True)


async def test_facts_that_wait_too_long_or_were_given_up_are_worth_a_warning(shop: Shop, database: Databases) -> None:
    await shop.buy(shop.buyer())
    later = ManualClock(shop.clock.now() + timedelta(minutes=6))
    found = await look(replace(planned(database), clock=later))
    assert (found["facts"].ok, found["facts"].warning) == (True, True)
    assert "3 facts wait" in found["facts"].detail
    async with connected(database.owner_dsn) as owner:
        await owner.execute("ALTER TABLE facts NO FORCE ROW LEVEL SECURITY")
        await owner.execute("UPDATE facts SET payload = 'x' WHERE key = 'ticket.reserved'")
        await owner.execute("ALTER TABLE facts FORCE ROW LEVEL SECURITY")
    await publish_all(shop.parts.database, Gazette(), shop.clock)
    assert [one.parked for one in await waiting(shop.parts.database)] == [True]
    found = await look(planned(database))
    assert (found["facts"].warning, "1 facts cannot be published" in found["facts"].detail) == (True, True)


async def test_a_broker_whose_clock_is_wrong_is_found(database: Databases, vhost: VirtualHost) -> None:
    plan = replace(planned(database, vhost), clock=ManualClock(SystemClock().now() - timedelta(minutes=2)))
    found = await look(plan)
    assert {"clock", "broker clock"} <= set(bad(found))
    assert "time server" in found["broker clock"].detail
