"""The link over a WebSocket keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from gate.sync.credential import Credential
from gate.sync.http import open_session
from gate.sync.link_ws import WsDialler
from shared.clock import ManualClock
from tests.conftest import Databases
from tests.contract.links.contract import LinkContract
from tests.contract.links.rig import Rig
from tests.integration.server.doors.house import open_house
from tests.services.wire import open_wire


@pytest.fixture
async def rig(database: Databases, clock: ManualClock) -> AsyncIterator[Rig]:
    """Give a gate whose WebSocket goes through a wire."""
    async with open_house(database, clock) as house, open_session() as session:
        gate = await house.stage.enrol()
        credential = Credential(gate.id, gate.row.tenant, gate.sign, clock)
        port = urlsplit(house.base_url).port
        assert port is not None
        async with open_wire(port) as wire:
            dialler = WsDialler(session, f"http://127.0.0.1:{wire.port}", credential)
            yield Rig(house=house, gate=gate, wire=wire, connect=dialler.connect)


class TestWebSocket(LinkContract):
    """All of the contract."""
