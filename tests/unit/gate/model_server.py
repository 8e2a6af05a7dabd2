"""A model of the server: what the protocol promises of it, and nothing else."""

from __future__ import annotations

from shared.sync.wire import PROTOCOL, Ack, Hello, ServerFrame, SnapshotNeeded, Welcome
from tests.unit.gate.link_samples import EVENT, LIFE, frame

FEED_LIMIT = 8
FRAME = 4


class Server:
    """The server as the protocol promises it: stores what continues, acknowledges what is stored, feeds in order."""

    def __init__(self) -> None:
        self.feed = 0
        self.feed_starts = 0
        self.stored: list[int] = []

    def greet(self, hello: Hello) -> list[ServerFrame]:
        """Answer a greeting with the welcome and what the gate lacks."""
        frames: list[ServerFrame] = [
            Welcome(protocol=PROTOCOL, server_ms=0, feed_high=self.feed, acked=len(self.stored))
        ]
        after = hello.feed_seq
        if self.feed - after > FEED_LIMIT or after < self.feed_starts:
            return [*frames, SnapshotNeeded(event=EVENT, feed_high=self.feed)]
        return [*frames, *(frame(at, min(at + FRAME, self.feed)) for at in range(after, self.feed, FRAME))]

    def take(self, after: int, upto: int) -> Ack:
        """Store what continues the log and acknowledge."""
        if after <= len(self.stored):
            self.stored.extend(range(len(self.stored) + 1, upto + 1))
        return Ack(incarnation=LIFE, upto=len(self.stored))
