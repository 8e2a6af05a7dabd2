"""A whole server on a socket, and real gates enrolled at it over the wire, each with a data directory of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from msgspec import Struct

from gate.identity import Identity, load_identity
from gate.sync.enrol import EnrolmentOrder, enrol
from server.app import run_server
from server.listening import bind
from server.parts import Parts, ServerPlan
from server.services.enrol import GateWish
from shared.admission.policy import Policy
from shared.clock import ManualClock
from shared.settings import Secret
from tests.conftest import Databases
from tests.integration.gate.harness import Running, gate_running
from tests.integration.keys.stage import RING, Festival, long_policy
from tests.integration.server.doors.stage import set_up_with

PATIENCE_S = 20.0


class Grounds(Struct, frozen=True, kw_only=True, eq=False):
    """The server, the festival at it, and where gates keep their data."""

    base_url: str
    parts: Parts
    festival: Festival
    home: Path

    async def enrol(self, name: str) -> Path:
        """Make a gate as people do, and return its data directory."""
        stage = self.festival.stage
        issued = await stage.enrolment.issue_code(
            stage.tenant, GateWish(event=stage.event, name=name), stage.clock.now()
        )
        order = EnrolmentOrder(server=self.base_url, code=issued.code, name=None, software="test 1")
        await enrol(self.home / name, order, stage.clock)
        return self.home / name

    @asynccontextmanager
    async def gate(self, directory: Path) -> AsyncIterator[Running]:
        """Run a gate until it has tickets and keys and is linked."""
        async with gate_running(directory, clock=self.festival.clock) as gate:
            # it is ready once a heartbeat confirmed that nothing is missing
            await self.beat_until(gate, lambda: gate.agent.view.status().linked and gate.agent.knowledge.ready)
            yield gate

    async def beat_until(self, gate: Running, holds: Callable[[], bool]) -> None:
        """Let heartbeats go by until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self.festival.clock.advance(timedelta(seconds=1))
                await gate.agent.watch.next(0.1)


async def identity_of(directory: Path) -> Identity:
    """Return what a gate's disk says of whom it believes."""
    return await asyncio.to_thread(load_identity, directory)


@asynccontextmanager
async def open_grounds(
    database: Databases, clock: ManualClock, home: Path, policy: Policy | None = None
) -> AsyncIterator[Grounds]:
    """Run the server with one event on sale."""
    plan = ServerPlan(
        app_dsn=database.app_dsn,
        worker_dsn=database.worker_dsn,
        jwt_secret=Secret("0123456789abcdef" * 4),
        ring=RING,
        clock=clock,
    )
    with bind("127.0.0.1", 0) as listener:
        async with run_server(plan, listener) as running:
            parts = running.parts
            stage = await set_up_with(parts.database, parts.context.vault, clock, policy or long_policy())
            festival = Festival(stage=stage, mint=parts.mint)
            yield Grounds(base_url=running.base_url, parts=parts, festival=festival, home=home)
