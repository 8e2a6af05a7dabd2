"""The stage on which tests of the gates' side play."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.doors.house import House, open_house
from tests.integration.server.doors.stage import Stage, open_stage
from tests.services.plugin import redis_url

__all__ = ["redis_url"]


@pytest.fixture
async def stage(database: Databases, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give an event whose doors are open, each ticket for one entry."""
    async with open_stage(database, clock) as opened:
        yield opened


@pytest.fixture
async def house(database: Databases, clock: ManualClock) -> AsyncIterator[House]:
    """Give the whole server on a socket, with one event whose doors are open."""
    async with open_house(database, clock) as opened:
        yield opened
