"""The hall in which the contract is tried."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.contract.hall import Hall, open_hall
from tests.integration.server.selling.stage import NOON


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at noon of the event's day."""
    return ManualClock(NOON)


@pytest.fixture
async def hall(database: Databases, clock: ManualClock) -> AsyncIterator[Hall]:
    """Give a served hall with two organisers."""
    async with open_hall(database, clock) as opened:
        yield opened
