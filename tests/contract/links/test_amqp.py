"""The link over RabbitMQ keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from gate.sync.link_amqp import AmqpLink
from shared.clock import ManualClock
from tests.conftest import Databases
from tests.contract.links.contract import LinkContract
from tests.contract.links.rig import Rig
from tests.integration.broker.stage import open_exchange
from tests.services.plugin import VirtualHost
from tests.services.wire import open_wire


@pytest.fixture
async def rig(database: Databases, clock: ManualClock, vhost: VirtualHost) -> AsyncIterator[Rig]:
    """Give a gate whose connection to the broker goes through a wire."""
    port = urlsplit(vhost.url).port
    assert port is not None
    async with open_wire(port) as wire, open_exchange(database, clock, vhost, wire.port) as exchange:
        gate = await exchange.house.stage.enrol()
        access = await exchange.access(gate)
        await exchange.settled(gate)
        await exchange.streaming(gate)

        async def connect() -> AmqpLink:
            return (await exchange.dial_once(gate, access)).link

        yield Rig(house=exchange.house, gate=gate, wire=wire, connect=connect)


class TestAmqp(LinkContract):
    """All of the contract."""
