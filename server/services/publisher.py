"""The publisher: hands committed facts to the bus, in order for each subject, one publisher at a time, until confirmed.

At least once: a fact is forgotten only after the broker has confirmed it, and bears the same message id however often it is
sent. A fact that cannot be sent keeps back only those about the same subject; one that never can be is parked in the open.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog
from msgspec import Raw, Struct

from server.services.ports_bus import Bus, Envelope, MessageRefused
from server.services.ports_facts import OpenPublisherSession, PublisherSession
from server.services.pulse import Beat, no_beat
from server.services.rows_facts import QueuedFact
from shared.clock import Clock
from shared.problems import Conflict, DataDamaged, Denied, TicketTokenError, Unavailable

BATCH = 500
AT_ONCE = 100
POLL_S = 1.0
LONGEST_PAUSE_S = 60.0
_RETRY_S = (0.1, 0.5, 2.0)

# What a broker, its operator or time can mend; anything else lies in the fact itself.
_MENDABLE = (Unavailable, Denied, Conflict)

log = structlog.get_logger()


class PublisherState(Struct, kw_only=True):
    """What a publisher is doing, for the health page; ``problem`` is the code of what is wrong with the bus."""

    connected: bool = False
    leading: bool = False
    published: int = 0
    parked: int = 0
    problem: str | None = None


def _is_of_bus(problem: TicketTokenError | None) -> bool:
    """Tell whether a problem would meet every fact, not just the one it met."""
    return isinstance(problem, _MENDABLE) and not isinstance(problem, MessageRefused)


class _Lane(Struct, kw_only=True):
    """The facts about one subject, how many of them got through, and what stopped the next."""

    facts: list[QueuedFact]
    done: int = 0
    problem: TicketTokenError | None = None


class Publisher:
    """Publishes what waits, a turn at a time."""

    def __init__(self, bus: Bus, clock: Clock, state: PublisherState) -> None:
        self._bus = bus
        self._clock = clock
        self._state = state

    async def check_bus(self) -> bool:
        """Tell whether the bus can be reached, and keep what is wrong otherwise."""
        try:
            await self._bus.check()
        except TicketTokenError as problem:
            self._note(problem)
            return False
        self._note(None)
        return True

    async def turn(self, session: PublisherSession) -> bool:
        """Publish up to a batch of what waits; tell whether there may be more that can be published now."""
        facts = await session.waiting(self._clock.now(), BATCH)
        lanes: dict[UUID, _Lane] = defaultdict(lambda: _Lane(facts=[]))
        for fact in facts:
            lanes[fact.subject].facts.append(fact)
        room, away = asyncio.Semaphore(AT_ONCE), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for lane in lanes.values():
                group.create_task(self._send(lane, room, away))
        done = [fact.id for lane in lanes.values() for fact in lane.facts[: lane.done]]
        if done:
            await session.published(done)
            self._state.published += len(done)
        stopped = [lane for lane in lanes.values() if lane.problem is not None]
        if stopped and not done and all(_is_of_bus(lane.problem) for lane in stopped):
            # Nothing got through: that is no fault of a single fact, so none is held against any.
            self._note(stopped[0].problem)
            return False
        for lane in stopped:
            await self._set_aside(session, lane)
        return len(facts) == BATCH or bool(stopped)

    async def _send(self, lane: _Lane, room: asyncio.Semaphore, away: asyncio.Event) -> None:
        async with room:
            for fact in lane.facts:
                # Each try may last long: with a bus that is away, one round of them is enough.
                if away.is_set():
                    return
                try:
                    await self._bus.publish(_wrap(fact))
                except TicketTokenError as problem:
                    lane.problem = problem
                    if isinstance(problem, Unavailable) and _is_of_bus(problem):
                        away.set()
                    return
                lane.done += 1

    async def _set_aside(self, session: PublisherSession, lane: _Lane) -> None:
        fact, problem = lane.facts[lane.done], lane.problem
        if problem is None:
            return
        now = self._clock.now()
        if isinstance(problem, _MENDABLE):
            pause = timedelta(seconds=min(LONGEST_PAUSE_S, 2.0 ** min(fact.attempts, 10)))
            await session.postpone(fact.id, now + pause, problem.code)
            log.warning("publisher.postponed", message=str(fact.message_id), key=fact.key, code=problem.code)
            return
        await session.park(fact.id, now, problem.code)
        self._state.parked += 1
        log.error("publisher.parked", message=str(fact.message_id), key=fact.key, code=problem.code)

    def _note(self, problem: TicketTokenError | None) -> None:
        code = problem.code if problem is not None else None
        if code == self._state.problem:
            return
        self._state.problem = code
        if problem is None:
            log.info("publisher.bus_reached")
        else:
            log.warning("publisher.bus_away", code=code, problem=str(problem))


async def run_publisher(
    open_session: OpenPublisherSession,
    publisher: Publisher,
    state: PublisherState,
    beat: Beat = no_beat,
    *,
    poll_s: float = POLL_S,
) -> None:
    """Publish until cancelled; a lost session is opened anew, a bus that is away is looked for again and again.

    ``poll_s`` bounds how long a fact waits that came without a notice, and how soon another publisher takes over.
    """
    failures = 0
    while True:
        beat()
        try:
            async with open_session() as session:
                state.connected, failures = True, 0
                await _serve(session, publisher, state, beat, poll_s)
        except TicketTokenError as problem:
            # Facts wait in the database until this works again: giving up would help nobody.
            log.warning("publisher.stopped", code=problem.code)
        finally:
            state.connected = state.leading = False
        await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
        failures += 1


async def _serve(
    session: PublisherSession, publisher: Publisher, state: PublisherState, beat: Beat, poll_s: float
) -> None:
    while True:
        beat()
        # Also while another one leads: it tells this process's health whether the broker can be reached from here.
        reached = await publisher.check_bus()
        state.leading = await session.lead()
        while reached and state.leading and await publisher.turn(session):
            beat()
        await session.wait(poll_s)


def _wrap(fact: QueuedFact) -> Envelope:
    try:
        msgspec.json.decode(fact.payload, type=dict[str, Raw])
    except msgspec.DecodeError as exc:
        raise DataDamaged("A queued fact is not JSON: look at the row in `facts`.") from exc
    return Envelope(
        event=fact.key,
        id=fact.message_id,
        timestamp=fact.occurred_at,
        tenant_id=fact.tenant,
        payload=Raw(fact.payload),
        correlation_id=fact.correlation_id,
    )
