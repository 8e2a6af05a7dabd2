"""The server of the simulation: its real use cases, called by what the network brings, with a process that can die."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random
from uuid import UUID

from msgspec import Struct

from gate.sync.problems import ServerAway
from server.db.relay_session import PgRelaySession, open_relay_session
from server.domain.access import GateCaller
from server.services import link
from server.services.gate_commands import settle_commands
from server.services.ingest import take_batch
from server.services.snapshot import Snapshots
from shared.clock import unix_ms
from shared.problems import TicketTokenError
from shared.sync.feed import SnapshotManifest
from shared.sync.wire import (
    Ack,
    BundleFrame,
    Bye,
    CommandsFrame,
    FeedFrame,
    Hello,
    Ping,
    Pong,
    Receipts,
    Scans,
    ServerFrame,
    SnapshotNeeded,
    decode_gate_frame,
    decode_server_frame,
    encode_frame,
)
from tests.simulation.hall import Hall, Post, ServerDied
from tests.simulation.network import Network, Wire
from tests.simulation.timeline import Timeline
from tests.simulation.truth import Truth

ToGate = Callable[[Wire, bytes | None], Awaitable[None]]
"""Brings a frame to the gate at the end of a wire, or None when the server ended the connection."""


_UNASKED_SNAPSHOT = 0.1


class Session(Struct, kw_only=True, eq=False):
    """What the server remembers of one link."""

    caller: GateCaller
    wire: Wire
    bundle_version: int = 0
    pings: int = 0


class SimServer:
    """A server process, the relay beside it, and the ways to end both."""

    def __init__(self, hall: Hall, posts: list[Post], truth: Truth, rng: Random) -> None:
        self.hall = hall
        self.posts = posts
        self.truth = truth
        self.up = True
        self.context = hall.start_context()
        self._rng = rng
        self._snapshots = Snapshots(hall.db, self.context.vault, os.urandom)
        self._sessions: dict[Wire, Session] = {}
        self._relay: PgRelaySession | None = None
        self._relay_stack = AsyncExitStack()
        self._published = 0
        self._news = False
        self.relay_due = True

    def join(self, timeline: Timeline, network: Network, to_gate: ToGate) -> None:
        """Take the means to be reached and to answer."""
        self._timeline, self._network, self._to_gate = timeline, network, to_gate

    async def receive(self, wire: Wire, data: bytes) -> None:
        """A gate's frame arrived."""
        if not self.up or not wire.open:
            return
        try:
            await self._answer(wire, data)
        except ServerDied:
            await self.die()
        except TicketTokenError as problem:
            self.truth.tally(f"bye {problem.code}")
            self._send(wire, Bye(code=problem.code, message=str(problem)[:500]))
            self._hang_up(wire)

    async def die(self) -> None:
        """End the process: every link and everything only remembered is gone; another starts soon."""
        self.truth.tally("server crash")
        self.up = False
        for wire in list(self._sessions):
            self._hang_up(wire)
        self._timeline.after(self._rng.randrange(1000, 12_000), self._start)

    async def fetch_feed(self, gate: int, after: int) -> FeedFrame:
        """Answer a gate's question for a part of the feed."""
        if not self.up:
            raise ServerAway("The server is down.")
        try:
            packed = await link.read_feed(self.context, self._caller(gate), after, 40)
        except ServerDied as death:
            await self.die()
            raise ServerAway("The server died.") from death
        frame = decode_server_frame(packed.data)
        assert isinstance(frame, FeedFrame)
        return frame

    async def manifest(self) -> SnapshotManifest:
        """Answer a gate's question for a snapshot."""
        if not self.up:
            raise ServerAway("The server is down.")
        return await self._snapshots.current(self.hall.tenant, self.hall.event.id, self.hall.clock.now())

    async def chunk(self, snapshot: str, number: int) -> bytes:
        """Return one part of a snapshot, unless the way to it just broke."""
        if not self.up or (self._network.stormy and self._rng.random() < 0.2):
            raise ServerAway("The server is down.")
        return await self._snapshots.chunk(self.hall.tenant, self.hall.event.id, UUID(snapshot), number)

    async def run_relay(self, limit: int = 500) -> None:
        """Let the relay do one turn, opening its session if it has none, and tell the gates."""
        if self.relay_due:
            if self._relay is None:
                self._relay = await self._relay_stack.enter_async_context(open_relay_session(self.hall.db))
            assert await self._relay.lead()
            moved = await self._relay.turn(limit)
            self.relay_due = moved == limit
            self._news = self._news or moved > 0
        await self._tell_gates()

    async def kill_relay(self) -> None:
        """End the relay's session, and its leadership with it."""
        self.truth.tally("relay crash")
        self._relay = None
        self.relay_due = True
        await self._relay_stack.aclose()
        self._relay_stack = AsyncExitStack()

    async def close(self) -> None:
        """Let go of the database."""
        await self._relay_stack.aclose()

    async def _start(self) -> None:
        self.hall.door.doom = None
        self.context = self.hall.start_context()
        self._snapshots = Snapshots(self.hall.db, self.context.vault, os.urandom)
        async with self.hall.db.tenant(self.hall.tenant) as tx:
            self._published = await tx.feed.head(self.hall.event.id)
        self.up = self.relay_due = True

    async def _answer(self, wire: Wire, data: bytes) -> None:
        frame = decode_gate_frame(data)
        session = self._sessions.get(wire)
        match frame:
            case Hello():
                await self._greet(wire, frame)
            case _ if session is None:
                self._hang_up(wire)
            case Ping():
                await self._pong(session, frame)
            case Receipts():
                await settle_commands(self.context, session.caller, frame.receipts)
            case Scans():
                self._send(wire, await self.take(session.caller, frame))

    async def take(self, caller: GateCaller, frame: Scans) -> Ack:
        """Keep a batch and return the answer."""
        self.relay_due = True
        receipt = await take_batch(self.context.db, self.context.vault, caller, frame.signed, self.hall.clock.now())
        return receipt.ack

    async def greet(self, caller: GateCaller, hello: Hello) -> link.Greeting:
        """Return what a gate is told first."""
        return await link.greet(self.context, caller, hello)

    async def _greet(self, wire: Wire, hello: Hello) -> None:
        if wire in self._sessions:
            return
        caller = self._caller(wire.gate)
        greeting = await self.greet(caller, hello)
        session = Session(caller=caller, wire=wire, bundle_version=hello.bundle_version)
        said = [encode_frame(greeting.welcome)]
        if greeting.bundle is not None:
            session.bundle_version = greeting.bundle.version
            said.append(encode_frame(BundleFrame(bundle=greeting.bundle.sealed)))
        if greeting.needs_snapshot or (self._network.stormy and self._rng.random() < _UNASKED_SNAPSHOT):
            self.truth.tally("snapshot")
            said.append(
                encode_frame(
                    SnapshotNeeded(event=hello.event, feed_high=greeting.welcome.feed_high, anew=greeting.anew)
                )
            )
        elif hello.feed_seq < greeting.welcome.feed_high:
            said.append((await link.read_feed(self.context, caller, hello.feed_seq, link.FRAME_ENTRIES)).data)
        self._sessions[wire] = session

        async def deliver() -> None:
            for data in said:
                await self._to_gate(wire, data)

        self._network.carry(wire.gate, deliver)

    async def _pong(self, session: Session, ping: Ping) -> None:
        self._send(session.wire, Pong(sent_ms=ping.sent_ms, server_ms=unix_ms(self.hall.clock.now())))
        if ping.feed_seq < self._published:
            hint = FeedFrame(event=self.hall.event.id, after=self._published, entries=[])
            self._send(session.wire, hint)
        session.pings += 1
        if session.pings % 8 == 0:
            known = link.Known(bundle_version=session.bundle_version, commands=True)
            due = await link.check_up(self.context, session.caller, known, ping)
            if due.bundle is not None:
                session.bundle_version = due.bundle.version
                self._send(session.wire, BundleFrame(bundle=due.bundle.sealed))
            if due.commands:
                self._send(session.wire, CommandsFrame(commands=due.commands))

    async def _tell_gates(self) -> None:
        if not self.up or not self._news:
            return
        self._news = False
        async with self.hall.db.tenant(self.hall.tenant) as tx:
            entries = await tx.feed.after(self.hall.event.id, self._published, 500)
        if not entries:
            return
        data = encode_frame(FeedFrame(event=self.hall.event.id, after=self._published, entries=entries))
        self._published = entries[-1].seq
        for wire in list(self._sessions):
            self._send_bytes(wire, data)

    def _caller(self, gate: int) -> GateCaller:
        return GateCaller(tenant=self.hall.tenant, gate=self.posts[gate].row.id)

    def _send(self, wire: Wire, frame: ServerFrame) -> None:
        self._send_bytes(wire, encode_frame(frame))

    def _send_bytes(self, wire: Wire, data: bytes) -> None:
        self._network.carry(wire.gate, lambda: self._to_gate(wire, data))

    def _hang_up(self, wire: Wire) -> None:
        self._sessions.pop(wire, None)
        self._network.carry(wire.gate, lambda: self._to_gate(wire, None))
