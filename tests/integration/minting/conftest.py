"""A shop whose event wants its tickets on chain, and a chain for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.clock import ManualClock
from tests.chain_node.bench import Bench, mint_bench
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, open_mint
from tests.integration.server.selling.stage import NOON


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at noon of the event's day."""
    return ManualClock(NOON)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Give a chain behind two addresses."""
    async with mint_bench(2) as running:
        yield running


@pytest.fixture
async def mint(database: Databases, clock: ManualClock, bench: Bench) -> AsyncIterator[Mint]:
    """Give a shop with a chain."""
    async with open_mint(database, clock, bench) as opened:
        yield opened
