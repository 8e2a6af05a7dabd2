"""A real gate in the test's own loop: everything but the camera, with short pauses so that no test has to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from gate.app import Agent, AgentSetup, open_agent
from gate.identity import Identity, load_identity
from gate.keystore import GateKeys, load_keys
from gate.outcome import GateStatus, Outcome
from gate.remote import BrokerChoice
from gate.running import RunPlan, Stopper, run_agent
from gate.sources import NO_SOURCE, SourceChoice
from gate.sync.backoff import BackoffRange
from shared.clock import Clock, SystemClock

QUICK = BackoffRange(first_s=0.02, longest_s=0.05, patient_s=0.1)
TICK_S = 0.05


class Running:
    """A gate at work and what it said."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.told: list[tuple[str, GateStatus]] = []
        self.task: asyncio.Task[None] | None = None
        self._agent: Agent | None = None
        self._stopper: Stopper | None = None
        self._changed = asyncio.Condition()

    @property
    def agent(self) -> Agent:
        """The gate's parts."""
        assert self._agent is not None
        return self._agent

    def begin(self, agent: Agent, stopper: Stopper) -> None:
        """Take the parts of the gate that is about to run."""
        self._agent, self._stopper = agent, stopper

    async def take(self, outcome: Outcome) -> None:
        """Be the gate's sink."""
        async with self._changed:
            self.outcomes.append(outcome)
            self._changed.notify_all()

    async def tell(self, what: str, status: GateStatus) -> None:
        """Be told of changes."""
        self.told.append((what, status))

    async def show(self, *texts: str) -> list[Outcome]:
        """Present codes one after the other; return what the gate answered to them."""
        before = len(self.outcomes)
        for text in texts:
            await self.agent.view.submit(text)
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.outcomes) >= before + len(texts))
        return self.outcomes[before:]

    async def until(self, holds: Callable[[GateStatus], bool], within_s: float = 20) -> GateStatus:
        """Wait until the gate's condition is as a test wants it."""
        view = self.agent.view
        async with asyncio.timeout(within_s):
            await view.refresh()
            while not holds(view.status()):
                await self.agent.watch.next(0.2)
                await view.refresh()
        return view.status()

    async def until_applied(self, feed_seq: int) -> None:
        """Wait until the gate has taken in the feed up to a position."""
        async with asyncio.timeout(20):
            while self.agent.knowledge.feed_seq < feed_seq:
                await self.agent.watch.next(0.2)

    async def ended(self) -> None:
        """Wait until the gate ends by itself."""
        assert self.task is not None
        async with asyncio.timeout(20):
            await self.task

    def stop(self) -> None:
        """Ask the gate to stop."""
        assert self._stopper is not None
        self._stopper.stop()


def setup_of(
    directory: Path,
    parts: tuple[Identity, GateKeys],
    running: Running,
    clock: Clock | None = None,
    broker: BrokerChoice | None = None,
) -> AgentSetup:
    """Return how a test's gate is made."""
    return AgentSetup(
        directory=directory,
        identity=parts[0],
        keys=parts[1],
        clock=clock or SystemClock(),
        software="tickettoken-gate/test",
        sink=running.take,
        backoff=QUICK,
        tick_s=TICK_S,
        broker=broker or BrokerChoice(),
    )


@asynccontextmanager
async def gate_running(
    directory: Path, *, wait_s: float | None = 20, clock: Clock | None = None, broker: BrokerChoice | None = None
) -> AsyncIterator[Running]:
    """Run the gate of a directory; its problems come out when it ends."""
    running = Running()
    parts = await asyncio.to_thread(lambda: (load_identity(directory), load_keys(directory)))
    plan = RunPlan(source=SourceChoice(text=NO_SOURCE), wait_s=wait_s, drain_s=10, exit_at_end=False)
    async with open_agent(setup_of(directory, parts, running, clock, broker)) as agent:
        stopper = Stopper(agent.watch.ring)
        running.begin(agent, stopper)
        running.task = asyncio.ensure_future(run_agent(agent, plan, stopper, running.tell))
        try:
            yield running
            stopper.stop()
            await running.task
        finally:
            if not running.task.done():
                running.task.cancel()
                await asyncio.wait([running.task])


async def run_to_its_end(directory: Path, *, wait_s: float | None = 20) -> None:
    """Run the gate of a directory until it ends by itself; its problem comes out."""
    async with gate_running(directory, wait_s=wait_s) as gate:
        await gate.ended()
