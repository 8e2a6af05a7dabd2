"""The gate's composition root: opens the stores, connects the parts, and hands over a gate that is ready to run."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import structlog
from msgspec import Struct

from gate.admit import AdmitParts, Admitter, Post
from gate.clockbelief import ClockBelief
from gate.desk import Audience, ScanDesk
from gate.identity import Identity
from gate.keystore import GateKeys
from gate.knowledge import Knowledge, KnowledgeParts
from gate.lookup import Lookup
from gate.outcome import Outcome
from gate.overrule import Overruler
from gate.pins import PinDesk
from gate.remote import BrokerChoice, GateRemote, RemoteParts
from gate.selfcheck import ClockSelfCheck
from gate.store.log import ScanLog, open_log
from gate.store.recovery import open_world_or_anew
from gate.store.world import World
from gate.supervise import Supervision, SupervisionParts
from gate.sync.backoff import Backoff, BackoffRange
from gate.sync.doer import Doer, DoerParts
from gate.sync.driver import DriverParts, SyncDriver
from gate.sync.engine import Progress, SyncEngine
from gate.sync.http import open_session
from gate.trust import OrganiserTrust
from gate.view import AgentView, ViewParts
from gate.watch import Watch
from shared.clock import Clock
from shared.ids import IncarnationId, uuid7

_log: structlog.stdlib.BoundLogger = structlog.get_logger()

OutcomeSink = Callable[[Outcome], Awaitable[None]]


class AgentSetup(Struct, frozen=True, kw_only=True, eq=False):
    """What a gate is made from; ``sink`` gets every outcome before the next scan is decided."""

    directory: Path
    identity: Identity
    keys: GateKeys
    clock: Clock
    software: str
    sink: OutcomeSink
    backoff: BackoffRange = BackoffRange()
    tick_s: float = 1.0
    broker: BrokerChoice = BrokerChoice()


class Agent(Struct, frozen=True, kw_only=True, eq=False):
    """A gate whose parts are connected; ``gate.running`` runs it."""

    setup: AgentSetup
    world: World
    knowledge: Knowledge
    engine: SyncEngine
    driver: SyncDriver
    desk: ScanDesk
    audience: Audience
    view: AgentView
    watch: Watch


class _Stores(Struct, frozen=True, kw_only=True, eq=False):
    log: ScanLog
    world: World
    knowledge: Knowledge
    engine: SyncEngine
    belief: ClockBelief


class _Telling(Struct, frozen=True, kw_only=True, eq=False):
    """Where answers go: through the desk's queue they come, by ``answer`` everybody hears, ``count`` keeps the numbers."""

    desk: ScanDesk
    answer: OutcomeSink
    count: Callable[[Outcome], None]


@asynccontextmanager
async def open_agent(setup: AgentSetup) -> AsyncIterator[Agent]:
    """Open everything a gate needs and connect it; nothing runs yet.

    Raises:
        StoreDamaged, TooNew, StoreNotWritable: the log or the copy cannot be used; each says what to do.
    """
    async with AsyncExitStack() as stack:
        log = await open_log(setup.directory, IncarnationId(uuid7(setup.clock.now(), os.urandom)))
        stack.push_async_callback(log.close)
        world = await open_world_or_anew(setup.directory, setup.clock.now())
        stack.push_async_callback(world.close)
        session = await stack.enter_async_context(open_session())
        stores = await _load_stores(setup, log, world)
        yield _connect(setup, stores, _remote(setup, session))


def _remote(setup: AgentSetup, session: aiohttp.ClientSession) -> GateRemote:
    parts = RemoteParts(
        directory=setup.directory,
        identity=setup.identity,
        keys=setup.keys,
        clock=setup.clock,
        broker=setup.broker,
    )
    return GateRemote(parts, session)


async def _load_stores(setup: AgentSetup, log: ScanLog, world: World) -> _Stores:
    knowledge = Knowledge(
        KnowledgeParts(
            identity=setup.identity,
            trust=OrganiserTrust(setup.directory, setup.identity),
            keys=setup.keys,
            log=log,
            world=world,
            clock=setup.clock,
        )
    )
    state, head = await knowledge.load(), await log.head()
    engine = SyncEngine(
        Progress(
            gate=setup.identity.gate,
            event=setup.identity.event,
            incarnation=log.incarnation,
            software=setup.software,
            feed_seq=state.feed_seq,
            bundle_version=knowledge.bundle_version,
            logged=head.gate_seq,
            acked=log.acked,
        )
    )
    knowledge.follow(engine)
    belief = ClockBelief(ClockSelfCheck(), setup.clock)
    return _Stores(log=log, world=world, knowledge=knowledge, engine=engine, belief=belief)


def _connect(setup: AgentSetup, stores: _Stores, server: GateRemote) -> Agent:
    watch, audience = Watch(), Audience()
    driver = _make_driver(setup, stores, server, watch)

    def count(outcome: Outcome) -> None:
        if outcome.gate_seq is not None:
            stores.knowledge.note_scan(outcome.gate_seq, outcome.at, admitted=outcome.admitted, kind=outcome.kind)
            driver.note_logged(outcome.gate_seq, stores.knowledge.counts().per_minute)

    async def answer(outcome: Outcome) -> None:
        count(outcome)
        audience.publish(outcome)
        await setup.sink(outcome)

    admitter = Admitter(_admit_parts(setup, stores))
    desk = ScanDesk(admitter, answer)
    view = AgentView(
        ViewParts(
            identity=setup.identity,
            knowledge=stores.knowledge,
            engine=stores.engine,
            belief=stores.belief,
            audience=audience,
            desk=desk,
            driver=driver,
            clock=setup.clock,
            staff=_make_staff(setup, stores, admitter, _Telling(desk=desk, answer=answer, count=count)),
        )
    )
    return Agent(
        setup=setup,
        world=stores.world,
        knowledge=stores.knowledge,
        engine=stores.engine,
        driver=driver,
        desk=desk,
        audience=audience,
        view=view,
        watch=watch,
    )


def _make_staff(setup: AgentSetup, stores: _Stores, admitter: Admitter, telling: _Telling) -> Supervision:
    parts = _admit_parts(setup, stores)
    return Supervision(
        SupervisionParts(
            roster=stores.knowledge,
            pins=PinDesk(stores.log, setup.clock),
            overruler=Overruler(parts, admitter.turn, admitter.refused),
            lookup=Lookup(parts),
            journal=stores.log,
            desk=telling.desk,
            clock=setup.clock,
            answer=telling.answer,
            count=telling.count,
        )
    )


def _admit_parts(setup: AgentSetup, stores: _Stores) -> AdmitParts:
    identity = setup.identity
    return AdmitParts(
        post=Post(
            gate=identity.gate,
            name=identity.name,
            direction=identity.direction,
            zones=identity.zones,
            products=identity.products,
        ),
        journal=stores.log,
        tickets=stores.world,
        surroundings=stores.knowledge,
        belief=stores.belief,
        clock=setup.clock,
        random_bytes=os.urandom,
    )


def _make_driver(setup: AgentSetup, stores: _Stores, server: GateRemote, watch: Watch) -> SyncDriver:
    doer = Doer(
        DoerParts(
            gate=setup.identity.gate,
            sign_key=setup.keys.sign,
            engine=stores.engine,
            outbox=stores.log,
            copy=stores.world,
            listener=stores.knowledge,
            belief=stores.belief,
        )
    )
    return SyncDriver(
        DriverParts(
            event=setup.identity.event,
            engine=stores.engine,
            remote=server,
            doer=doer,
            listener=stores.knowledge,
            backoff=Backoff(setup.backoff, random.random),
            clock=setup.clock,
            on_change=watch.ring,
            tick_s=setup.tick_s,
        )
    )
