"""A served shop, in which people are named."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.selling.client import Served, serve_shop
from tests.integration.server.selling.stage import NOON


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at noon of the event's day."""
    return ManualClock(NOON)


@pytest.fixture
async def served(database: Databases, clock: ManualClock) -> AsyncIterator[Served]:
    """Give a shop behind a real socket."""
    async with serve_shop(database, clock) as running:
        yield running
