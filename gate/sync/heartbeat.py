"""Pings and what their answers say: how long the way is, how the clocks compare, whether anybody is there."""

from __future__ import annotations

from msgspec import Struct

from gate.clockbelief import ClockSample
from gate.sync.actions import Instant, NoteClock
from shared.sync.wire import Pong

PING_EVERY_S = 10.0
PING_OFTEN_S = 1.0
LATE_AFTER_S = 2.0
DEAD_AFTER_S = 15.0


class Answered(Struct, frozen=True, kw_only=True):
    """A ping that was answered."""

    round_trip_ms: float
    clock: NoteClock


class Heartbeat:
    """One ping under way at a time."""

    def __init__(self) -> None:
        self._sent: Instant | None = None
        self._late = 0
        self._last_s: float | None = None
        self._since_s = 0.0

    def restart(self, now: Instant) -> None:
        """A new connection began."""
        self._sent, self._late, self._last_s, self._since_s = None, 0, None, now.at_s

    def silent_s(self, now: Instant) -> float:
        """Return the seconds since the connection began."""
        return now.at_s - self._since_s

    def is_due(self, now: Instant, *, settled: bool) -> bool:
        """Say whether to ping now: often until the link's quality is settled, then every ten seconds."""
        if self._sent is not None:
            return False
        every_s = PING_EVERY_S if settled else PING_OFTEN_S
        return self._last_s is None or now.at_s - self._last_s >= every_s

    def note_sent(self, now: Instant) -> None:
        """A ping went out."""
        self._sent, self._late, self._last_s = now, 0, now.at_s

    def note_late(self, now: Instant) -> bool:
        """Say that the ping under way is late, and again each time it is later by as much."""
        if self._sent is None or now.at_s - self._sent.at_s <= LATE_AFTER_S * (self._late + 1):
            return False
        self._late += 1
        return True

    def is_dead(self, now: Instant) -> bool:
        """Say whether nobody answers any more."""
        return self._sent is not None and now.at_s - self._sent.at_s > DEAD_AFTER_S

    def on_pong(self, pong: Pong, now: Instant) -> Answered | None:
        """Take an answer; None when it answers nothing that was asked."""
        sent = self._sent
        if sent is None or pong.sent_ms != sent.wall_ms:
            return None
        late, self._sent = self._late, None
        if late:
            return None  # was counted when it became late
        took_ms = max(0.0, (now.at_s - sent.at_s) * 1000)
        # By the monotonic counter, so that a wall clock set in between does not spoil the measurement.
        middle_ms = now.wall_ms - took_ms / 2
        sample = ClockSample(
            offset_ms=middle_ms - pong.server_ms, unsure_ms=took_ms / 2 + 1, wall_ms=now.wall_ms, at_s=now.at_s
        )
        return Answered(round_trip_ms=took_ms, clock=NoteClock(sample=sample))
