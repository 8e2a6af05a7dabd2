"""Real gates at a server with a broker: enrolled over HTTP, running in the test's own loop, linked by whichever way there is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from gate.broker import load_access
from gate.identity import load_identity
from gate.remote import BrokerChoice
from gate.sync.enrol import EnrolmentOrder, enrol
from gate.sync.ways import WayTimes
from server.services.enrol import GateWish
from shared.clock import SystemClock
from shared.ids import GateId
from shared.sync.access import BrokerAccess
from tests.integration.broker.stage import Exchange
from tests.integration.gate.harness import Running, gate_running

# Soon enough for a test; a broker link that breaks soon gives the WebSocket a turn, as in service.
QUICK_WAYS = WayTimes(first_s=0.05, longest_s=0.2, short_s=15.0)


class Post(Struct, frozen=True, kw_only=True, eq=False):
    """A gate's data directory, who it is, and its account."""

    directory: Path
    gate: GateId
    access: BrokerAccess

    @asynccontextmanager
    async def running(self, times: WayTimes = QUICK_WAYS) -> AsyncIterator[Running]:
        """Run the gate."""
        access = await asyncio.to_thread(load_access, self.directory)
        async with gate_running(self.directory, broker=BrokerChoice(access=access, times=times)) as gate:
            yield gate


async def enrol_at(exchange: Exchange, directory: Path, server: str | None = None) -> Post:
    """Make a gate as people do."""
    stage = exchange.house.stage
    wish = GateWish(event=stage.event, name=directory.name)
    issued = await stage.enrolment.issue_code(stage.tenant, wish, stage.clock.now())
    order = EnrolmentOrder(server=server or exchange.house.base_url, code=issued.code, name=None, software="test 1")
    await enrol(directory, order, SystemClock())
    identity, access = await asyncio.to_thread(lambda: (load_identity(directory), load_access(directory)))
    assert access is not None
    return Post(directory=directory, gate=identity.gate, access=access)


async def scan_junk(gate: Running, count: int, tag: str) -> None:
    """Have a gate record so many refusals."""
    await gate.show(*(f"{tag} {number}" for number in range(count)))


async def stored_seqs(exchange: Exchange, gate: GateId) -> list[int]:
    """Return the numbers of a gate's records that the server has."""
    stage = exchange.house.stage
    async with stage.db.tenant(stage.tenant) as tx:
        scans = await tx.scans.list_of_event(stage.event, None, 100_000)
    return sorted(scan.gate_seq for scan in scans if scan.gate == gate)
