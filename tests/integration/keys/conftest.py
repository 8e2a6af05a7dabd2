"""The festival on which tests about keys play."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.clock import ManualClock
from tests.conftest import Databases
from tests.integration.keys.grounds import Grounds, open_grounds
from tests.integration.keys.stage import Festival, open_festival


@pytest.fixture
async def festival(database: Databases, clock: ManualClock) -> AsyncIterator[Festival]:
    """Give an event of three days on its first evening."""
    async with open_festival(database, clock) as opened:
        yield opened


@pytest.fixture
async def grounds(database: Databases, clock: ManualClock, tmp_path: Path) -> AsyncIterator[Grounds]:
    """Give the whole server with that event, ready for real gates."""
    async with open_grounds(database, clock, tmp_path) as opened:
        yield opened
