"""A gate's run from start to stop: wait until it can decide, scan, hand the log over, end in order."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
from msgspec import Struct

from gate.app import Agent
from gate.bulletin import Bulletin, Teller
from gate.feeder import Feeder
from gate.sources import OpenedSource, SourceChoice, SourceEvents, open_hand, open_source
from gate.sync.problems import DeviceRevoked, GateWiped
from shared.clock import Clock
from shared.problems import Internal, TicketTokenError, Unavailable

_HAND_OVER_S = 60.0
_LAST_WORD_S = 15.0
"""Longer than between two heartbeats, after each of which the server asks again."""

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


Opener = Callable[[SourceChoice, SourceEvents, Clock], OpenedSource | None]


class RunPlan(Struct, frozen=True, kw_only=True):
    """How to run: seconds to wait for the server at the start (None: for ever) and to hand over the log at the end.

    Without ``linked`` the gate talks to no server. ``opener`` makes the source of the chosen name.
    """

    source: SourceChoice
    wait_s: float | None
    drain_s: float
    exit_at_end: bool
    linked: bool = True
    opener: Opener = open_source


class Stopper:
    """The wish to stop, from a signal, a screen or the end of a source; a second one means at once."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self.wanted = asyncio.Event()
        self.at_once = False
        self.fault: Exception | None = None

    def stop(self) -> None:
        """Ask to stop."""
        self.at_once = self.wanted.is_set()
        self.wanted.set()
        self._on_change()

    def fail(self, fault: Exception) -> None:
        """Ask to stop because the source broke."""
        self.fault = self.fault or fault
        self.wanted.set()
        self._on_change()


class _Run(Struct, frozen=True, kw_only=True, eq=False):
    agent: Agent
    plan: RunPlan
    stopper: Stopper
    bulletin: Bulletin


@contextmanager
def stopping_on_signals(stopper: Stopper) -> Iterator[None]:
    """Let SIGINT and SIGTERM stop the gate while this is open."""
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stopper.stop)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def run_agent(agent: Agent, plan: RunPlan, stopper: Stopper, tell: Teller) -> None:
    """Run a gate until it is stopped or its source ends, if the plan says so.

    Raises:
        Unavailable: it has no tickets or keys and the server did not provide them in time.
        DeviceRevoked: the organiser has revoked it.
        TicketTokenError: the disk, the source or the line output failed; nobody was let in without a record.
    """
    bulletin = Bulletin(agent.view, agent.watch, agent.setup.clock, tell)
    fault: TicketTokenError | None = None
    try:
        await bulletin.announce("started")
        async with asyncio.TaskGroup() as group:
            following = [
                group.create_task(bulletin.keep_telling()),
                group.create_task(agent.listings.keep_recording()),
            ]
            if plan.linked:
                following.insert(0, group.create_task(agent.driver.run()))
            await _work(_Run(agent=agent, plan=plan, stopper=stopper, bulletin=bulletin))
            for task in reversed(following):
                task.cancel()
        await bulletin.announce("stopped")
    except* TicketTokenError as problems:
        fault = first_problem(problems)
    finally:
        agent.audience.end(fault)
    if fault is not None:
        raise fault


def first_problem(problems: BaseExceptionGroup[TicketTokenError]) -> TicketTokenError:
    """Return one of several problems that ended a group of tasks together."""
    inner = problems.exceptions[0]
    return first_problem(inner) if isinstance(inner, BaseExceptionGroup) else inner


async def _work(run: _Run) -> None:
    if not await _wait_until_ready(run):
        return
    async with asyncio.TaskGroup() as group:
        working = group.create_task(run.agent.desk.work())
        async with _scanning(run) as feeder:
            ending = group.create_task(_watch_end(run, feeder))
            obedience, wanted = run.agent.obedience, run.stopper.wanted
            await run.agent.watch.until(lambda: wanted.is_set() or obedience.wiping)
            ending.cancel()
        await run.agent.desk.finish()
        await working
    await _forget_if_told(run)
    if run.stopper.fault is not None:
        raise _as_problem(run.stopper.fault)
    await _drain(run)


async def _wait_until_ready(run: _Run) -> bool:
    """Return True once the gate can decide, False when it is to stop before that."""
    knowledge, server, wanted = run.agent.knowledge, run.agent.setup.identity.server, run.stopper.wanted
    if knowledge.revoked:
        await _hand_in(run)
        raise DeviceRevoked("The organiser has revoked this gate: enrol it anew in another --data.")
    obedience = run.agent.obedience
    await _forget_if_told(run)
    if knowledge.ready:
        return True
    _log.warning("gate.waiting", server=server, message="no tickets or keys yet: waiting for the server")

    def waited() -> bool:
        return knowledge.ready or wanted.is_set() or obedience.wiping

    if await run.agent.watch.until(waited, run.plan.wait_s):
        await _forget_if_told(run)
        return knowledge.ready
    raise Unavailable(
        f"This gate has no tickets or keys yet, and {server} did not provide them in {run.plan.wait_s or 0:.0f} s: "
        "check the network and that the server runs, then start the gate again."
    )


@asynccontextmanager
async def _scanning(run: _Run) -> AsyncIterator[Feeder]:
    """Keep the source and the keyboard reading while this is open."""
    feeder = Feeder(run.agent.desk, run.stopper.fail)
    with _typing(run):
        async with _reading(run, feeder):
            yield feeder


@contextmanager
def _typing(run: _Run) -> Iterator[None]:
    feeder = Feeder(run.agent.desk, run.stopper.fail)
    feeder.live = False  # somebody typed it for a guest who waits
    hand = open_hand(feeder.events(), run.agent.setup.clock)
    hand.start()
    run.agent.view.take_hand(hand)
    try:
        yield
    finally:
        hand.stop()
        feeder.close()


@asynccontextmanager
async def _reading(run: _Run, feeder: Feeder) -> AsyncIterator[None]:
    # In a thread: the camera's libraries take a second to load, and the link is at work already.
    opened = await asyncio.to_thread(run.plan.opener, run.plan.source, feeder.events(), run.agent.setup.clock)
    if opened is None:
        yield
        return
    feeder.live = opened.live
    run.agent.view.source = opened.source
    opened.source.start()
    try:
        yield
    finally:
        if not await asyncio.to_thread(opened.source.stop):
            _log.warning("source.stuck")
        feeder.close()


async def _watch_end(run: _Run, feeder: Feeder) -> None:
    await feeder.ended.wait()
    await run.agent.desk.settle()
    await run.bulletin.announce("source_ended")
    if run.plan.exit_at_end:
        run.stopper.stop()


async def _drain(run: _Run) -> None:
    """Give the server what it does not have yet, while it listens and nobody is in a hurry."""
    driver, engine, stopper = run.agent.driver, run.agent.engine, run.stopper
    done = lambda: driver.backlog == 0 or not engine.linked or stopper.at_once  # noqa: E731 - a condition asked again and again
    await run.agent.watch.until(done, run.plan.drain_s)
    if driver.backlog:
        _log.warning("gate.log_kept", backlog=driver.backlog, message="the rest is handed over at the next start")
    await run.bulletin.look()


async def _forget_if_told(run: _Run) -> None:
    """Hand the log over and say so, while there is a link; then end, so that everything can be erased.

    Raises:
        GateWiped: unless it was not told to, or somebody stops the gate before; the next start goes on here.
    """
    if not run.agent.obedience.wiping:
        return
    obedience, watch, stopper = run.agent.obedience, run.agent.watch, run.stopper
    told = lambda: obedience.wipe_told or stopper.wanted.is_set()  # noqa: E731 - a condition asked again and again
    if not await watch.until(told, _HAND_OVER_S):
        await obedience.give_up()
        await watch.until(told, _LAST_WORD_S)
    if obedience.wipe_due:
        raise GateWiped(
            "The organiser had this gate wiped: its keys and data are erased. Enrol it anew to use it again."
        )


async def _hand_in(run: _Run) -> None:
    """Give a revoked gate's log away before it ends, so that nothing is left on a device nobody may trust."""
    driver, stopper = run.agent.driver, run.stopper
    if run.plan.linked:
        await run.agent.watch.until(lambda: driver.backlog == 0 or stopper.wanted.is_set(), run.plan.drain_s)


def _as_problem(fault: Exception) -> TicketTokenError:
    if isinstance(fault, TicketTokenError):
        return fault
    problem = Internal(f"The source of codes broke ({type(fault).__name__}: {fault}): report this with the log.")
    problem.__cause__ = fault
    return problem
