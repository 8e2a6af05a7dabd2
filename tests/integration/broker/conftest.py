"""A server with a real broker beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.broker.stage import Exchange, open_exchange
from tests.services.plugin import VirtualHost, broker, vhost

__all__ = ["broker", "vhost"]


@pytest.fixture
async def exchange(database: Databases, clock: ManualClock, vhost: VirtualHost) -> AsyncIterator[Exchange]:
    """Give a server whose gates may use the broker."""
    async with open_exchange(database, clock, vhost) as opened:
        yield opened
