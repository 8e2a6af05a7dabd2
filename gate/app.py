"""The gate's composition root: opens the stores, connects the parts, and hands over a gate that is ready to run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from msgspec import Struct

from gate.admit import AdmitParts, Admitter
from gate.clockbelief import ClockBelief
from gate.desk import Audience, ScanDesk
from gate.gauge import Gauge
from gate.knowledge import Knowledge, KnowledgeParts
from gate.listings import Listings
from gate.lookup import Lookup
from gate.obedience import Obedience
from gate.orders import load_orders
from gate.outcome import Outcome
from gate.overrule import Overruler
from gate.pins import PinDesk
from gate.remote import GateRemote
from gate.selfcheck import ClockSelfCheck
from gate.setup import AgentSetup, OutcomeSink, Stores
from gate.store.log import ScanLog, open_log
from gate.store.recovery import open_world_or_anew
from gate.store.world import World
from gate.supervise import Supervision, SupervisionParts
from gate.sync.driver import SyncDriver
from gate.sync.engine import SyncEngine
from gate.sync.http import open_session
from gate.sync.progress import Progress
from gate.trust import OrganiserTrust
from gate.view import AgentView, ViewParts
from gate.watch import Watch
from gate.wiring import Ears, make_driver, make_obedience, make_post, make_remote
from shared.ids import IncarnationId, uuid7

__all__ = ["Agent", "AgentSetup", "OutcomeSink", "open_agent"]

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


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
    obedience: Obedience
    listings: Listings
    supervision: Supervision


class _Seen(Struct, frozen=True, kw_only=True, eq=False):
    """The parts a view shows, besides the stores."""

    audience: Audience
    desk: ScanDesk
    driver: SyncDriver
    staff: Supervision
    obedience: Obedience


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
        agent = _connect(setup, stores, make_remote(setup, session))
        await agent.obedience.load()
        yield agent


async def _load_stores(setup: AgentSetup, log: ScanLog, world: World) -> Stores:
    trust, post = OrganiserTrust(setup.directory, setup.identity), make_post(setup.identity)
    knowledge = Knowledge(
        KnowledgeParts(
            identity=setup.identity,
            trust=trust,
            keys=setup.keys,
            log=log,
            world=world,
            clock=setup.clock,
            post=post,
        )
    )
    orders = await asyncio.to_thread(load_orders, setup.directory)
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
            commands=orders.last,
        )
    )
    knowledge.follow(engine)
    belief = ClockBelief(ClockSelfCheck(), setup.clock)
    return Stores(log=log, world=world, knowledge=knowledge, engine=engine, belief=belief, trust=trust, post=post)


def _connect(setup: AgentSetup, stores: Stores, server: GateRemote) -> Agent:
    watch, audience, gauge = Watch(), Audience(), Gauge()
    admitter = Admitter(_admit_parts(setup, stores))

    def count(outcome: Outcome) -> None:
        if outcome.gate_seq is not None:
            stores.knowledge.note_scan(outcome.gate_seq, outcome.at, admitted=outcome.admitted, kind=outcome.kind)
            driver.note_logged(outcome.gate_seq, stores.knowledge.counts().per_minute)

    async def answer(outcome: Outcome) -> None:
        count(outcome)
        audience.publish(outcome)
        await setup.sink(outcome)

    desk = ScanDesk(admitter, answer)
    obedience = make_obedience(setup, stores, desk, admitter)
    driver = make_driver(setup, stores, server, Ears(watch=watch, obedience=obedience, gauge=gauge))
    staff = _make_staff(setup, stores, admitter, _Telling(desk=desk, answer=answer, count=count))
    seen = _Seen(audience=audience, desk=desk, driver=driver, staff=staff, obedience=obedience)
    view = _make_view(setup, stores, seen)
    gauge.follow(view.status)
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
        obedience=obedience,
        listings=Listings(setup.directory, lambda: stores.knowledge.ready, staff.note_taken_out),
        supervision=staff,
    )


def _make_view(setup: AgentSetup, stores: Stores, seen: _Seen) -> AgentView:
    return AgentView(
        ViewParts(
            identity=setup.identity,
            knowledge=stores.knowledge,
            engine=stores.engine,
            belief=stores.belief,
            audience=seen.audience,
            desk=seen.desk,
            driver=seen.driver,
            clock=setup.clock,
            staff=seen.staff,
            obedience=seen.obedience,
            post=stores.post,
            software=setup.software,
        )
    )


def _make_staff(setup: AgentSetup, stores: Stores, admitter: Admitter, telling: _Telling) -> Supervision:
    parts = _admit_parts(setup, stores)
    return Supervision(
        SupervisionParts(
            roster=stores.knowledge,
            pins=PinDesk(stores.log, setup.clock),
            overruler=Overruler(parts, admitter.turn, admitter.refused, admitter.ages),
            lookup=Lookup(parts),
            post=stores.post,
            journal=stores.log,
            desk=telling.desk,
            clock=setup.clock,
            answer=telling.answer,
            count=telling.count,
        )
    )


def _admit_parts(setup: AgentSetup, stores: Stores) -> AdmitParts:
    return AdmitParts(
        post=stores.post,
        journal=stores.log,
        tickets=stores.world,
        surroundings=stores.knowledge,
        belief=stores.belief,
        clock=setup.clock,
        random_bytes=os.urandom,
    )
