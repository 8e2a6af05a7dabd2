"""A gate of the simulation: its real engine, stores and scan path, with a clock that is wrong and a life that can end."""

from __future__ import annotations

import shutil
from collections import deque
from datetime import timedelta
from pathlib import Path
from random import Random

from msgspec import Struct

from gate.admit import Shown
from gate.outcome import Outcome
from gate.sync.actions import Action, Close, Doubt, FetchFeed, FetchSnapshot, HandIn, Instant, Send, SendScans
from gate.sync.engine import SyncEngine
from shared.clock import unix_ms
from shared.sync.wire import GateFrame, decode_server_frame, encode_frame
from tests.simulation.gate_life import Life, Machine, Sending, WrongClock, begin_life
from tests.simulation.hall import Hall, Post
from tests.simulation.network import Network, Wire
from tests.simulation.questions import Question
from tests.simulation.server_side import SimServer
from tests.simulation.timeline import Timeline
from tests.simulation.truth import Truth


class Means(Struct, frozen=True, kw_only=True, eq=False):
    """What all gates of an evening share."""

    hall: Hall
    server: SimServer
    network: Network
    timeline: Timeline
    truth: Truth
    rng: Random
    blank: Path


class SimGate:
    """One gate over all its lives."""

    def __init__(self, means: Means, number: int, directory: Path, skew: timedelta) -> None:
        self.number = number
        self.post: Post = means.server.posts[number]
        self.clock = WrongClock(means.hall.clock, skew)
        self.life: Life | None = None
        self.fuse: int | None = None
        self._means = means
        self._directory = directory
        self._wire: Wire | None = None
        self._retry_ms = 0
        shutil.copytree(means.blank, directory)

    async def start(self) -> None:
        """Begin a life from what the files hold."""
        machine = Machine(
            post=self.post, directory=self._directory, clock=self.clock, random_bytes=self._means.rng.randbytes
        )
        self.life = await begin_life(machine)
        self._retry_ms = self._means.timeline.now_ms

    async def stop(self) -> None:
        """End the life: whatever is not in the files is gone."""
        life, self.life, self.fuse = self.life, None, None
        if self._wire is not None:
            self._wire.open = False
            self._wire = None
        if life is not None:
            await life.log.close()
            await life.world.close()

    async def crash(self) -> None:
        """Lose power at this very moment; somebody comes and switches the gate on again."""
        means = self._means
        means.truth.tally("gate crash")
        await self.stop()
        if means.rng.random() < 0.2:
            means.truth.tally("copy lost")
            await self._lose_copy()
        means.timeline.after(means.rng.randrange(2000, 40_000), self.revive)

    async def revive(self) -> None:
        """Switch the gate on, unless somebody did."""
        if self.life is None:
            await self.start()

    async def _lose_copy(self) -> None:
        """Let the disk lose the copy of the event while the gate is off; the log, which is the gate's own, stays."""
        assert self.life is None
        for path in self._directory.glob("world.db*"):
            path.unlink()
        shutil.copy(self._means.blank / "world.db", self._directory)

    async def tick(self) -> None:
        """Let a second or two have passed."""
        life = self.life
        if life is None:
            return
        if self._wire is None:
            if self._means.timeline.now_ms >= self._retry_ms:
                await self._connect(life)
            return
        await self._perform(life.engine.on_tick(self._now()))

    async def on_frame(self, wire: Wire, data: bytes | None) -> None:
        """The network brought a frame, or the end of the connection."""
        life = self.life
        if life is None or wire is not self._wire:
            return
        if data is None:
            self._let_go()
            return
        await self._perform(life.engine.on_frame(decode_server_frame(data), self._now()))

    async def show(self, text: str) -> Outcome | None:
        """Present a code; None when the gate is off or knows too little yet to answer."""
        life = self.life
        if life is None or not life.knowledge.ready:
            return None
        return await life.admitter.admit(Shown(text=text, taken_s=self.clock.monotonic()))

    async def note(self, outcome: Outcome) -> None:
        """Do what follows from an answer, as the gate's program does once it has told it."""
        life = self.life
        if life is not None and outcome.gate_seq is not None:
            admitted = outcome.verdict.admitted
            life.knowledge.note_scan(outcome.gate_seq, outcome.at, admitted=admitted, kind=outcome.kind)
            await self._perform(life.engine.on_logged(outcome.gate_seq, 0.0, self._now()))

    async def send(self, frame: GateFrame) -> None:
        """Be the link that the doer sends on."""
        wire = self._wire
        assert wire is not None
        data = encode_frame(frame)
        self._means.network.carry(self.number, lambda: self._means.server.receive(wire, data))

    async def _connect(self, life: Life) -> None:
        self._retry_ms = self._means.timeline.now_ms + self._means.rng.randrange(1000, 4000)
        if self.number in self._means.network.cut or not self._means.server.up:
            return
        self._wire = Wire(self.number)
        await self._perform(life.engine.on_connected(self._now()))

    async def _perform(self, actions: list[Action]) -> None:
        """Carry actions out in their order; the power may go between any two of them."""
        waiting = deque(actions)
        while waiting and self.life is not None:
            if self.fuse is not None:
                self.fuse -= 1
                if self.fuse < 0:
                    await self.crash()
                    return
            waiting.extend(await self._do(self.life, waiting.popleft()))

    async def _do(self, life: Life, action: Action) -> list[Action]:
        match action:
            case Send() | SendScans():
                return await life.doer.send(action, Sending(self.send)) if self._wire is not None else []
            case Close():
                self._means.truth.tally(f"close {action.code}")
                self._let_go()
            case Doubt():
                self._means.truth.tally("doubted")
                return await life.doer.do(action)
            case FetchFeed(after=after):
                means = self._means
                Question(self, life.engine, means.server).ask_feed(after, means.network, means.timeline)
            case FetchSnapshot():
                means = self._means
                Question(self, life.engine, means.server).ask_snapshot(means.network, means.timeline)
            case HandIn():
                return life.engine.on_handed_in(None)
            case _:
                return await life.doer.do(action)
        return []

    async def conclude(self, engine: SyncEngine, actions: list[Action]) -> None:
        """Carry out what follows from an answer, if the life that asked still lasts."""
        if self.lives(engine):
            await self._perform(actions)

    def lives(self, engine: SyncEngine) -> bool:
        """Say whether the life of this engine still lasts."""
        return self.life is not None and self.life.engine is engine

    async def on_loaded(self) -> None:
        """Take over what a snapshot put in the place of everything known."""
        assert self.life is not None
        await self.life.knowledge.on_snapshot()

    def instant(self) -> Instant:
        """Return the moment by this gate's own counters."""
        return self._now()

    @property
    def directory(self) -> Path:
        """Where the gate's files lie."""
        return self._directory

    def _let_go(self) -> None:
        if self._wire is not None:
            self._wire.open = False
            self._wire = None
        if self.life is not None:
            self.life.engine.on_disconnected()

    def _now(self) -> Instant:
        return Instant(wall_ms=unix_ms(self.clock.now()), at_s=self.clock.monotonic())
