"""The bus inside one process keeps the contract."""

from __future__ import annotations

import asyncio

import pytest

from server.bus.local import LocalBus
from shared.clock import ManualClock
from tests.contract.bus.contract import BusContract
from tests.contract.bus.rig import TOPOLOGY, Rig


class TestLocalBus(BusContract):
    """The contract, without waiting."""

    @pytest.fixture
    def rig(self, clock: ManualClock) -> Rig:
        waited_s: list[float] = []

        async def note_pause(seconds: float) -> None:
            waited_s.append(seconds)
            await asyncio.sleep(0)

        return Rig(LocalBus(clock, topology=TOPOLOGY, pause=note_pause), waited_s)
