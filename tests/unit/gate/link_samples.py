"""A gate's engine and the server's frames, made up for tests of single situations."""

from __future__ import annotations

from uuid import UUID

from gate.sync.actions import Action, Instant, Send
from gate.sync.engine import SyncEngine
from gate.sync.progress import Progress
from shared.ids import EventId, GateId, IncarnationId
from shared.sync.feed import FeedEntry, GateEntry
from shared.sync.wire import PROTOCOL, FeedFrame, Ping, Welcome

GATE, EVENT, LIFE = GateId(UUID(int=1)), EventId(UUID(int=3)), IncarnationId(UUID(int=4))


def at(seconds: float) -> Instant:
    """Return the moment so many seconds after the start."""
    return Instant(wall_ms=1_000_000 + round(seconds * 1000), at_s=seconds)


def engine(*, feed_seq: int = 0, logged: int = 0, acked: int = 0) -> SyncEngine:
    """Return a gate that is not connected."""
    return SyncEngine(
        Progress(
            gate=GATE,
            event=EVENT,
            incarnation=LIFE,
            software="test",
            feed_seq=feed_seq,
            bundle_version=2,
            logged=logged,
            acked=acked,
        )
    )


def welcome(*, feed_high: int = 0, acked: int = 0, protocol: int = PROTOCOL) -> Welcome:
    """Return the server's first frame."""
    return Welcome(protocol=protocol, server_ms=1_000_000, feed_high=feed_high, acked=acked)


def linked(gate: SyncEngine, frame: Welcome | None = None) -> list[Action]:
    """Connect and welcome a gate; return what it wants done then."""
    gate.on_connected(at(0))
    return gate.on_frame(frame or welcome(), at(0))


def frame(after: int, upto: int) -> FeedFrame:
    """Return a feed frame of entries about another gate."""
    other = GateId(UUID(int=9))
    entries: list[FeedEntry] = [GateEntry(seq=seq, gate=other, name="other") for seq in range(after + 1, upto + 1)]
    return FeedFrame(event=EVENT, after=after, entries=entries)


def kinds(actions: list[Action]) -> list[type]:
    """Return the kinds of actions, pings left out."""
    return [type(action) for action in actions if not (isinstance(action, Send) and isinstance(action.frame, Ping))]


def ping_of(actions: list[Action]) -> Ping | None:
    """Return the ping among actions."""
    found = [action.frame for action in actions if isinstance(action, Send) and isinstance(action.frame, Ping)]
    return found[0] if found else None
