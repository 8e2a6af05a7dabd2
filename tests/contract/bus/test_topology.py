"""The topology as data: sound in itself, declared as it says, and compared with what the broker has."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import aio_pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.bus.inspection import check_topology
from server.bus.problems import BusAway, BusDenied
from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import DEAD, DEAD_LETTERS, FOREIGN_EVENTS, INBOX, TICKETS, Exchange, matches
from shared.problems import Internal
from shared.settings import Secret
from tests.contract.bus.rig import payment
from tests.services.plugin import VirtualHost
from tests.services.processes import free_port

words = st.sampled_from(["ticket", "payment", "created", "x"])
keys = st.lists(words, min_size=1, max_size=4).map(".".join)


async def declare(vhost: VirtualHost) -> None:
    """Have the bus declare the topology."""
    async with open_rabbit(RabbitPlan(url=Secret(vhost.url))) as bus:
        await bus.post(payment("p1"))


async def test_a_fresh_broker_has_no_differences_once_the_bus_has_connected(vhost: VirtualHost) -> None:
    before = await check_topology(Secret(vhost.api_url), vhost.name, TICKETS)
    assert {one.found for one in before} == {"missing"}
    assert len(before) == len(TICKETS.exchanges) + len(TICKETS.queues) + len(TICKETS.bindings)
    await declare(vhost)
    assert await check_topology(Secret(vhost.api_url), vhost.name, TICKETS) == []


async def test_each_kind_of_difference_is_found(vhost: VirtualHost) -> None:
    await declare(vhost)
    connection = await aio_pika.connect(vhost.admin_url)
    async with connection, connection.channel() as channel:
        await channel.queue_delete(DEAD_LETTERS)
        await channel.declare_queue(
            DEAD_LETTERS, durable=True, arguments={"x-queue-type": "quorum", "x-expires": 60_000}
        )
        inbox = await channel.get_queue(INBOX)
        await inbox.unbind(FOREIGN_EVENTS, "payment.failed")
        await inbox.bind(FOREIGN_EVENTS, "#")
        await channel.exchange_delete(DEAD)
        await channel.declare_exchange(DEAD, "fanout", durable=True)
    found = await check_topology(Secret(vhost.api_url), vhost.name, TICKETS)
    told = {(one.what, one.expected, one.found) for one in found}
    assert told >= {
        (f"exchange {DEAD}", "topic, durable", "fanout, durable"),
        (f"queue {DEAD_LETTERS} x-delivery-limit", "2147483647", "not set"),
        (f"queue {DEAD_LETTERS} x-expires", "not set", "60000"),
        (f"binding {FOREIGN_EVENTS} -payment.failed-> {INBOX}", "there", "missing"),
        (f"binding {FOREIGN_EVENTS} -#-> {INBOX}", "none", "there"),
        (f"binding {DEAD} -#-> {DEAD_LETTERS}", "there", "missing"),
    }
    assert not any(one.what.startswith(f"queue {INBOX}") for one in found)


async def test_an_api_that_is_away_or_refuses_is_told(vhost: VirtualHost) -> None:
    parts = urlsplit(vhost.api_url)
    elsewhere = urlunsplit(parts._replace(netloc=f"u:p@127.0.0.1:{free_port()}"))
    stranger = urlunsplit(parts._replace(netloc=f"u:p@127.0.0.1:{parts.port}"))
    with pytest.raises(BusAway):
        await check_topology(Secret(elsewhere), vhost.name, TICKETS)
    with pytest.raises(BusDenied):
        await check_topology(Secret(stranger), vhost.name, TICKETS)


def test_every_binding_joins_what_is_declared() -> None:
    exchanges = {exchange.name for exchange in TICKETS.exchanges}
    queues = {queue.name for queue in TICKETS.queues}
    assert {binding.exchange for binding in TICKETS.bindings} <= exchanges
    assert {binding.queue for binding in TICKETS.bindings} == queues


def test_every_queue_limits_its_deliveries_and_refuses_when_full() -> None:
    for queue in TICKETS.queues:
        assert queue.argument("x-queue-type") == "quorum"
        assert queue.argument("x-delivery-limit")
        assert queue.argument("x-overflow") == "reject-publish"


def test_the_default_exchange_cannot_be_part_of_a_topology() -> None:
    with pytest.raises(Internal):
        Exchange(name="")


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("ticket.created", "ticket.created", True),
        ("ticket.*", "ticket.created", True),
        ("ticket.*", "ticket", False),
        ("ticket.*", "ticket.created.twice", False),
        ("ticket.#", "ticket", True),
        ("ticket.#", "ticket.created.twice", True),
        ("#.created", "ticket.created", True),
        ("*.created", "created", False),
        ("#", "anything.at.all", True),
    ],
)
def test_a_pattern_takes_the_keys_it_should(pattern: str, key: str, *, expected: bool) -> None:
    assert matches(pattern, key) is expected


@given(key=keys)
def test_a_key_takes_itself_and_the_wildcards_of_its_length(key: str) -> None:
    stars = ".".join("*" for _ in key.split("."))
    assert matches(key, key)
    assert matches(stars, key)
    assert not matches(f"{stars}.*", key)
    assert matches(f"{stars}.#", key)
