"""What tests of messages between programs play with: a shop, a house with gates, and this run's RabbitMQ and Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_stage
from tests.integration.server.selling.stage import NOON, Shop, open_shop_on
from tests.services.plugin import broker, redis_url, vhost

__all__ = ["broker", "redis_url", "vhost"]


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at noon of the event's day."""
    return ManualClock(NOON)


@pytest.fixture
async def shop(database: Databases, clock: ManualClock) -> AsyncIterator[Shop]:
    """Give a shop that is open."""
    async with open_shop_on(database, clock) as opened:
        yield opened


@pytest.fixture
async def stage(database: Databases, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give an event with gates."""
    async with open_stage(database, clock) as opened:
        yield opened
