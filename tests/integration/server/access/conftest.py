"""The door at which tests of who may call knock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.access.stage import Door, open_door
from tests.integration.server.selling.stage import DOORS


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at half an hour after the doors opened."""
    return ManualClock(DOORS + timedelta(minutes=30))


@pytest.fixture
async def door(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give the whole server on a socket, with an event whose doors are open."""
    async with open_door(database, clock) as opened:
        yield opened
