"""The store in process memory keeps the contract, and its bounds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.ephemeral.memory import MemoryEphemeral
from shared.clock import ManualClock
from tests.contract.ephemeral.contract import ANNA, EphemeralContract, Rig

MINUTE = timedelta(minutes=1)


class TestMemoryEphemeral(EphemeralContract):
    """The contract, by a clock moved by hand."""

    @pytest.fixture
    def rig(self, clock: ManualClock) -> Rig:
        store = MemoryEphemeral(clock)

        async def pass_time(step: timedelta) -> None:
            clock.advance(step)

        return Rig(store, store, pass_time)


async def test_the_least_recently_used_value_leaves_a_full_cache(clock: ManualClock) -> None:
    store = MemoryEphemeral(clock, most_cached_bytes=1000)
    for key in ("a", "b", "c"):
        await store.put(ANNA, key, bytes(300), MINUTE)
        assert await store.get(ANNA, "a") is not None
    assert await store.get(ANNA, "b") is None
    assert await store.get(ANNA, "c") is not None
