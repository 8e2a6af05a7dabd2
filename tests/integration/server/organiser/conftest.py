"""The office in which tests of the organiser's side play."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.server.doors.house import House, open_house
from tests.integration.server.organiser.office import Office


@pytest.fixture
async def house(database: Databases, clock: ManualClock) -> AsyncIterator[House]:
    """Give the whole server on a socket, with one event whose doors are open."""
    async with open_house(database, clock) as opened:
        yield opened


@pytest.fixture
def office(house: House) -> Office:
    """Give an organiser of that server's first tenant, with nothing but HTTP."""
    return Office(house)
