"""The engine against a model of the server over a network that loses, repeats, holds back and breaks.

Whatever happens, every record is stored by the server exactly once and in order, the gate applies every feed entry exactly
once and in order, and once the network is quiet both have everything.
"""

from __future__ import annotations

from collections import deque

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gate.sync.actions import (
    Action,
    ApplyFeed,
    Close,
    FetchFeed,
    FetchSnapshot,
    Instant,
    MarkAcked,
    Send,
    SendScans,
)
from gate.sync.engine import SyncEngine
from gate.sync.progress import Progress
from shared.sync.wire import (
    FeedFrame,
    Hello,
    Ping,
    Pong,
    ServerFrame,
    Welcome,
)
from tests.unit.gate.link_samples import EVENT, GATE, LIFE, frame
from tests.unit.gate.model_server import FEED_LIMIT, Server

RANGE = 5


class GateAndServer(RuleBasedStateMachine):
    """One gate, one server, and everything a network does."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.now_s = 0.0
        self.connected = False
        self.to_gate: deque[ServerFrame] = deque()
        self.batches: deque[tuple[int, int]] = deque()
        self.fetches: deque[int] = deque()
        self.loading = False
        self.logged = 0
        # What the gate has on its disk.
        self.applied = 0
        self.acked = 0

    @initialize()
    def start(self) -> None:
        """Start a gate that knows nothing, connected to a server that has something to tell."""
        self.engine = self._engine()
        self.server.feed = 6
        self.connect()
        self.deliver(1)

    @rule(count=st.integers(1, 300))
    def scan(self, count: int) -> None:
        """Let people through the gate."""
        self.logged += count
        self._do(self.engine.on_logged(self.logged, 0.0, self._now()))

    @rule(count=st.integers(1, 9), told=st.booleans())
    def publish(self, count: int, told: bool) -> None:
        """Commit feed entries; the frame that tells of them may be lost."""
        after = self.server.feed
        self.server.feed += count
        if told and self.connected:
            self.to_gate.append(frame(after, self.server.feed))

    @rule()
    def forget_old_feed(self) -> None:
        """Let the server keep only the last entries."""
        self.server.feed_starts = max(self.server.feed_starts, self.server.feed - FEED_LIMIT)

    @rule()
    def reconnect(self) -> None:
        """Break the connection and make a new one."""
        if self.connected:
            self._cut()
        self.connect()
        self.deliver(1)

    @rule()
    def connect(self) -> None:
        """Make a connection."""
        if not self.connected:
            self.connected = True
            self._do(self.engine.on_connected(self._now()))

    @rule()
    def cut(self) -> None:
        """Break the connection; what was on its way is lost."""
        if self.connected:
            self._cut()

    @rule(count=st.integers(1, 8))
    def deliver(self, count: int) -> None:
        """Bring the next frames to the gate."""
        for _ in range(min(count, len(self.to_gate))):
            if self.to_gate:
                self._do(self.engine.on_frame(self.to_gate.popleft(), self._now()))

    @rule()
    def lose_feed_frame(self) -> None:
        """Lose the next frame if it is one of the feed."""
        if self.to_gate and isinstance(self.to_gate[0], FeedFrame):
            self.to_gate.popleft()

    @rule()
    def repeat_frame(self) -> None:
        """Bring the next frame twice, unless it is a welcome, of which a connection has one."""
        if self.to_gate and not isinstance(self.to_gate[0], Welcome):
            self.to_gate.appendleft(self.to_gate[0])

    @rule()
    def swap_frames(self) -> None:
        """Bring two frames the other way round, the welcome excepted."""
        if len(self.to_gate) >= 2 and not isinstance(self.to_gate[0], Welcome):
            self.to_gate[0], self.to_gate[1] = self.to_gate[1], self.to_gate[0]

    @rule(answered=st.booleans())
    def serve_batch(self, answered: bool) -> None:
        """Let the server store the next batch; its answer may be lost with the connection."""
        if not self.batches:
            return
        ack = self.server.take(*self.batches.popleft())
        if answered:
            self.to_gate.append(ack)
        elif self.connected:
            self._cut()

    @rule(works=st.booleans())
    def serve_fetch(self, works: bool) -> None:
        """Answer a range request, or let it fail."""
        if not self.fetches:
            return
        after = self.fetches.popleft()
        if after < self.server.feed_starts:
            self._do(self.engine.on_fetch_failed(self._now(), too_old=True))
        elif works:
            self._do(self.engine.on_fetched(frame(after, min(after + RANGE, self.server.feed))))
        else:
            self._do(self.engine.on_fetch_failed(self._now(), too_old=False))

    @rule(works=st.booleans())
    def serve_snapshot(self, works: bool) -> None:
        """Answer a snapshot request, or let it fail."""
        if not self.loading:
            return
        self.loading = False
        if works:
            self.applied = self.server.feed
            self._do(self.engine.on_snapshot(self.server.feed))
        else:
            self._do(self.engine.on_snapshot_failed(self._now()))

    @rule(seconds=st.floats(0.5, 12))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds
        self._do(self.engine.on_tick(self._now()))

    @rule()
    def restart_gate(self) -> None:
        """Kill the gate's program and start it from its disk."""
        if self.connected:
            self._cut()
        self.fetches.clear()
        self.loading = False
        self.engine = self._engine()

    @invariant()
    def every_record_is_stored_once_and_in_order(self) -> None:
        """The server has a beginning of the gate's log, and no more than the log."""
        assert self.server.stored == list(range(1, len(self.server.stored) + 1))
        assert len(self.server.stored) <= self.logged

    @invariant()
    def nothing_is_taken_as_stored_that_is_not(self) -> None:
        """What the gate believes acknowledged, the server has."""
        assert self.acked <= len(self.server.stored)

    def teardown(self) -> None:
        """Let the network be quiet, on the connection there is: then both sides get everything."""
        if not self.connected:
            self.connect()
        for _ in range(40 + self.logged // 100 + self.server.feed):
            self._serve_everything()
            self.wait(3.0)
        self._serve_everything()
        assert self.server.stored == list(range(1, self.logged + 1))
        assert self.acked == self.logged
        assert self.applied == self.engine.cursor == self.server.feed
        assert self.engine.backlog == 0
        assert self.engine.current

    def _serve_everything(self) -> None:
        while self.to_gate or self.batches or self.fetches or self.loading:
            if not self.connected:
                self.connect()
            self.deliver(100)
            self.serve_batch(answered=True)
            self.serve_fetch(works=True)
            self.serve_snapshot(works=True)

    def _do(self, actions: list[Action]) -> None:
        todo = deque(actions)
        while todo:
            action = todo.popleft()
            if isinstance(action, ApplyFeed):
                # The heart of it: each entry follows the one before, whatever the network did.
                assert [entry.seq for entry in action.entries] == list(range(self.applied + 1, action.to_seq + 1))
                assert not self.loading
                self.applied = action.to_seq
            elif isinstance(action, FetchFeed):
                assert not self.fetches
                self.fetches.append(action.after)
            elif isinstance(action, FetchSnapshot):
                assert not self.loading
                self.loading = True
            elif isinstance(action, MarkAcked):
                self.acked = action.upto
            elif isinstance(action, Close):
                self._cut()
            else:
                self._send(action)

    def _send(self, action: Action) -> None:
        if isinstance(action, SendScans):
            assert not self.batches
            assert action.after < action.upto <= min(self.logged, action.after + 200)
            self.batches.append((action.after, action.upto))
        if isinstance(action, Send) and isinstance(action.frame, Hello):
            assert action.frame.feed_seq == self.applied
            self.to_gate.extend(self.server.greet(action.frame))
        if isinstance(action, Send) and isinstance(action.frame, Ping):
            self.to_gate.append(Pong(sent_ms=action.frame.sent_ms, server_ms=0))

    def _cut(self) -> None:
        self.connected = False
        self.to_gate.clear()
        self.batches.clear()
        self.engine.on_disconnected()

    def _engine(self) -> SyncEngine:
        return SyncEngine(
            Progress(
                gate=GATE,
                event=EVENT,
                incarnation=LIFE,
                software="test",
                feed_seq=self.applied,
                bundle_version=0,
                logged=self.logged,
                acked=self.acked,
            )
        )

    def _now(self) -> Instant:
        return Instant(wall_ms=round(self.now_s * 1000), at_s=self.now_s)


TestGateAndServer = GateAndServer.TestCase
TestGateAndServer.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
