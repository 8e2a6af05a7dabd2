"""One life of a simulated gate: the real parts of the gate's program, opened over its files and joined as the program does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from gate.admit import AdmitParts, Admitter
from gate.admit import Post as DoorPost
from gate.clockbelief import ClockBelief
from gate.identity import Identity
from gate.keystore import write_b64url
from gate.knowledge import Knowledge, KnowledgeParts
from gate.selfcheck import ClockSelfCheck
from gate.store.log import ScanLog, open_log
from gate.store.world import World, open_world
from gate.sync.doer import Doer, DoerParts
from gate.sync.engine import SyncEngine
from gate.sync.progress import Progress
from gate.trust import OrganiserTrust
from shared.clock import Clock, ManualClock
from shared.ids import IncarnationId, RandomBytes, uuid7
from shared.sync.wire import GateFrame, ServerFrame
from tests.simulation.hall import Post


class WrongClock(Clock):
    """A clock that runs with the true one and is off by ``skew``."""

    def __init__(self, true: ManualClock, skew: timedelta) -> None:
        self._true = true
        self.skew = skew

    def now(self) -> datetime:
        """Return what this machine takes for the time."""
        return self._true.now() + self.skew

    def monotonic(self) -> float:
        """Return the counter that nobody sets."""
        return self._true.monotonic()


class Sending:
    """The link as the gate's doer knows it: it only sends."""

    def __init__(self, send: Callable[[GateFrame], Awaitable[None]]) -> None:
        self._send = send

    async def send(self, frame: GateFrame) -> None:
        """Give a frame to the network."""
        await self._send(frame)

    async def frames(self) -> AsyncIterator[ServerFrame]:
        """Yield nothing: what comes is brought by the network."""
        nothing: tuple[ServerFrame, ...] = ()
        for frame in nothing:
            yield frame

    async def close(self) -> None:
        """Do nothing: the gate lets go of its wire itself."""


class Machine(Struct, frozen=True, kw_only=True, eq=False):
    """What stays the same over all lives: where the gate stands, its files, its clock and its randomness."""

    post: Post
    directory: Path
    clock: WrongClock
    random_bytes: RandomBytes


class Life(Struct, kw_only=True, eq=False):
    """One run of the gate's program: what is lost when it ends, but for what its files hold."""

    log: ScanLog
    world: World
    knowledge: Knowledge
    engine: SyncEngine
    doer: Doer
    admitting: AdmitParts
    admitter: Admitter


async def begin_life(machine: Machine) -> Life:
    """Open what the files hold and join the parts."""
    clock, keys, who = machine.clock, machine.post.keys, _identity(machine.post)
    log = await open_log(machine.directory, IncarnationId(uuid7(clock.now(), machine.random_bytes)))
    world = await open_world(machine.directory)
    trust = OrganiserTrust(machine.directory, who)
    knowledge = Knowledge(KnowledgeParts(identity=who, trust=trust, keys=keys, log=log, world=world, clock=clock))
    engine = await _make_engine(machine.post, log, knowledge)
    knowledge.follow(engine)
    belief = ClockBelief(ClockSelfCheck(), clock)
    doing = DoerParts(
        gate=who.gate, sign_key=keys.sign, engine=engine, outbox=log, copy=world, listener=knowledge, belief=belief
    )
    admitting = AdmitParts(
        post=DoorPost(gate=who.gate, name=who.name, direction=who.direction, zones=0, products=()),
        journal=log,
        tickets=world,
        surroundings=knowledge,
        belief=belief,
        clock=clock,
        random_bytes=machine.random_bytes,
    )
    return Life(
        log=log,
        world=world,
        knowledge=knowledge,
        engine=engine,
        doer=Doer(doing),
        admitting=admitting,
        admitter=Admitter(admitting),
    )


async def _make_engine(post: Post, log: ScanLog, knowledge: Knowledge) -> SyncEngine:
    state, head = await knowledge.load(), await log.head()
    progress = Progress(
        gate=post.row.id,
        event=post.row.event,
        incarnation=log.incarnation,
        software="simulation",
        feed_seq=state.feed_seq,
        bundle_version=knowledge.bundle_version,
        logged=head.gate_seq,
        acked=log.acked,
    )
    return SyncEngine(progress)


def _identity(post: Post) -> Identity:
    row = post.row
    return Identity(
        gate=row.id,
        tenant=row.tenant,
        event=row.event,
        event_name="Concert",
        name=row.name,
        direction=row.direction,
        zones=0,
        products=(),
        server="",
        config_key=write_b64url(post.config_key),
    )
