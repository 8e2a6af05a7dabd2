"""The bus in RabbitMQ keeps the contract, by an account that may do no more than it needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from server.bus.rabbit import open_rabbit
from server.bus.rabbit_link import RabbitPlan
from shared.settings import Secret
from tests.contract.bus.contract import BusContract
from tests.contract.bus.rig import TOPOLOGY, Rig
from tests.services.plugin import VirtualHost


class TestRabbitBus(BusContract):
    """The contract, without waiting between attempts."""

    @pytest.fixture
    async def rig(self, vhost: VirtualHost) -> AsyncIterator[Rig]:
        waited_s: list[float] = []

        async def note_pause(seconds: float) -> None:
            waited_s.append(seconds)
            await asyncio.sleep(0)

        plan = RabbitPlan(url=Secret(vhost.url), topology=TOPOLOGY, pause=note_pause)
        async with open_rabbit(plan) as bus:
            yield Rig(bus, waited_s)
