"""Decides what to send next and what a message means, without a socket, a clock or a disk.

Whoever drives it calls one method for each thing that happened and carries out the returned actions in order, each to its
end, before the next call. Everything is by position: an entry at or below the cursor is old, one beyond the next is a gap.
"""

from __future__ import annotations

from typing import assert_never

from gate.mode import LinkQuality
from gate.sync.actions import (
    Action,
    ApplyFeed,
    Close,
    Halt,
    HandIn,
    Instant,
    MarkAcked,
    NoteCurrent,
    Obey,
    Revoke,
    Send,
    SendScans,
    StoreBundle,
)
from gate.sync.heartbeat import Heartbeat
from gate.sync.position import FeedPosition
from gate.sync.progress import Progress
from shared.sync.feed import GateEntry
from shared.sync.scan import BATCH_LIMIT, Mode
from shared.sync.wire import (
    OLDEST_PROTOCOL,
    PROTOCOL,
    Ack,
    BundleFrame,
    Bye,
    CommandsFrame,
    FeedFrame,
    Hello,
    Ping,
    Pong,
    ServerFrame,
    SnapshotNeeded,
    Welcome,
)

ANSWER_WITHIN_S = 30.0
DEVICE_REVOKED = "device_revoked"
_PATIENT_BYES = frozenset({DEVICE_REVOKED, "protocol_unsupported", "superseded"})


class SyncEngine:
    """One gate's side of the link protocol, over any number of connections."""

    def __init__(self, progress: Progress) -> None:
        self._who = progress
        self._position = FeedPosition(progress.event, progress.feed_seq)
        self._quality = LinkQuality()
        self._heartbeat = Heartbeat()
        self._bundle_version = progress.bundle_version
        self._logged = progress.logged
        self._acked = progress.acked
        self._commands = progress.commands
        self._connected = False
        self._linked = False
        self._in_flight: tuple[int, float] | None = None
        self._handing_in = False
        self._scans_per_minute = 0.0

    @property
    def mode(self) -> Mode:
        """How the gate stands to the server."""
        return self._quality.mode

    @property
    def linked(self) -> bool:
        """Whether the server has welcomed this gate on the present connection."""
        return self._linked

    @property
    def cursor(self) -> int:
        """Up to which position the feed was applied."""
        return self._position.cursor

    @property
    def acked(self) -> int:
        """Up to which record the server has this gate's log."""
        return self._acked

    @property
    def backlog(self) -> int:
        """How many records the server has not acknowledged."""
        return max(0, self._logged - self._acked)

    @property
    def current(self) -> bool:
        """Whether everything the server told of was applied."""
        return self._linked and self._position.current

    def on_connected(self, now: Instant) -> list[Action]:
        """A connection is there: introduce the gate."""
        self.on_disconnected()
        self._connected = True
        self._heartbeat.restart(now)
        hello = Hello(
            protocol=PROTOCOL,
            gate=self._who.gate,
            incarnation=self._who.incarnation,
            event=self._who.event,
            feed_seq=self._position.cursor,
            bundle_version=self._bundle_version,
            last_gate_seq=self._logged,
            software=self._who.software,
            command_seq=self._commands,
        )
        return [Send(frame=hello)]

    def on_disconnected(self) -> None:
        """The connection is gone; what was under way will be asked for again."""
        self._connected = self._linked = False
        self._in_flight = None
        self._quality.note_unlinked()
        self._position.note_unlinked()

    def on_frame(self, frame: ServerFrame, now: Instant) -> list[Action]:
        """The server sent a frame, which arrived at ``now``."""
        if isinstance(frame, Welcome):
            return self._on_welcome(frame, now)
        if isinstance(frame, Bye):
            return self._on_bye(frame)
        if not self._linked:
            return [Close(code="protocol_broken", message="The server spoke before it welcomed this gate.")]
        return self._on_news(frame, now)

    def on_banned(self) -> list[Action]:
        """The server refuses this gate as revoked: what it has not stored is handed in to be kept apart."""
        if self._handing_in or self._acked >= self._logged:
            return [Revoke()]
        self._handing_in = True
        return [Revoke(), HandIn(after=self._acked, upto=min(self._logged, self._acked + BATCH_LIMIT))]

    def on_handed_in(self, upto: int | None) -> list[Action]:
        """The server keeps the log apart up to ``upto``; None: not yet, the next refusal is the time to try again."""
        self._handing_in = False
        if upto is None or upto <= self._acked:
            return []
        self._acked = upto
        return [MarkAcked(upto=upto), *self.on_banned()]

    def on_tick(self, now: Instant) -> list[Action]:
        """Time passed; to be called about once a second."""
        if not self._linked:
            if self._connected and self._heartbeat.silent_s(now) > ANSWER_WITHIN_S:
                return [Close(code="no_welcome", message="The server did not welcome this gate in time.")]
            return []
        if self._in_flight is not None and now.at_s - self._in_flight[1] > ANSWER_WITHIN_S:
            return [Close(code="no_ack", message="The server did not acknowledge scans in time.")]
        if self._heartbeat.is_dead(now):
            return [Close(code="no_pong", message="The server did not answer heartbeats in time.")]
        if self._heartbeat.note_late(now):
            self._quality.note_round_trip(None)
        return [*self._position.on_tick(now.at_s), *self._send_scans(now), *self._send_ping(now)]

    def on_logged(self, logged: int, scans_per_minute: float, now: Instant) -> list[Action]:
        """The log has grown up to and including record ``logged``; news that comes late takes nothing back."""
        self._logged, self._scans_per_minute = max(self._logged, logged), scans_per_minute
        return self._send_scans(now) if self._linked else []

    def on_bundle(self, version: int) -> list[Action]:
        """A key bundle was verified and kept."""
        self._bundle_version = max(self._bundle_version, version)
        return []

    def on_obeyed(self, last: int, *, resync: bool) -> list[Action]:
        """Commands up to number ``last`` were obeyed; one of them may have been to load everything anew."""
        self._commands = last
        return self._position.reload() if resync else []

    def on_fetched(self, frame: FeedFrame) -> list[Action]:
        """The server answered a FetchFeed."""
        return self._watch_own(self._position.on_fetched(frame))

    def on_fetch_failed(self, now: Instant, *, too_old: bool) -> list[Action]:
        """A FetchFeed came to nothing; ``too_old`` when the server no longer keeps that part of the feed."""
        return self._position.on_fetch_failed(now.at_s, too_old=too_old)

    def on_apply_failed(self, feed_seq: int) -> list[Action]:
        """An ApplyFeed was refused; the cursor on the disk is still ``feed_seq``."""
        self._position.rewind(feed_seq)
        return [
            Close(
                code="feed_malformed", message="The server's feed holds an entry this gate cannot keep.", patient=True
            )
        ]

    def on_snapshot(self, feed_seq: int) -> list[Action]:
        """A snapshot that stands for the feed up to ``feed_seq`` was swapped in."""
        return self._position.on_snapshot(feed_seq, linked=self._linked)

    def on_snapshot_failed(self, now: Instant) -> list[Action]:
        """A FetchSnapshot came to nothing; it is tried again in a while."""
        return self._position.on_snapshot_failed(now.at_s)

    def _on_welcome(self, frame: Welcome, now: Instant) -> list[Action]:
        if not OLDEST_PROTOCOL <= frame.protocol <= PROTOCOL:
            return [Close(code="protocol_unsupported", message="Update the gate or the server.", patient=True)]
        if frame.acked > self._logged:
            return [Halt(acked=frame.acked, logged=self._logged)]
        self._linked = True
        marked: list[Action] = [MarkAcked(upto=frame.acked)] if frame.acked != self._acked else []
        # The server's word counts in both directions: one restored from a backup gets its lost records again.
        self._acked = frame.acked
        return [
            *marked,
            *self._position.on_welcome(frame.feed_high),
            *self._send_scans(now),
            *self._send_ping(now),
        ]

    def _on_news(
        self, frame: FeedFrame | SnapshotNeeded | Ack | BundleFrame | CommandsFrame | Pong, now: Instant
    ) -> list[Action]:
        match frame:
            case FeedFrame():
                return self._watch_own(self._position.on_frame(frame))
            case SnapshotNeeded():
                return self._position.on_snapshot_needed(frame.feed_high, anew=frame.anew)
            case Ack():
                return self._on_ack(frame, now)
            case BundleFrame():
                return [StoreBundle(bundle=frame.bundle)]
            case CommandsFrame():
                return [Obey(commands=frame.commands)]
            case Pong():
                return self._on_pong(frame, now)
            case _:
                assert_never(frame)

    def _on_ack(self, frame: Ack, now: Instant) -> list[Action]:
        if frame.incarnation != self._who.incarnation or self._in_flight is None:
            return []
        if frame.upto > self._logged:
            return [Halt(acked=frame.upto, logged=self._logged)]
        if frame.upto <= self._acked:
            # Repeated, or nothing was taken: in that case the batch runs into its time limit and the link begins anew.
            return []
        self._in_flight = None
        self._acked = frame.upto
        return [MarkAcked(upto=frame.upto), *self._send_scans(now)]

    def _on_pong(self, frame: Pong, now: Instant) -> list[Action]:
        answered = self._heartbeat.on_pong(frame, now)
        if answered is None:
            return []
        self._quality.note_round_trip(answered.round_trip_ms)
        current: list[Action] = [NoteCurrent(wall_ms=now.wall_ms)] if self._position.current else []
        return [answered.clock, *current]

    def _on_bye(self, frame: Bye) -> list[Action]:
        close = Close(code=frame.code, message=frame.message, patient=frame.code in _PATIENT_BYES)
        return [Revoke(), close] if frame.code == DEVICE_REVOKED else [close]

    def _watch_own(self, actions: list[Action]) -> list[Action]:
        """Add what follows from entries about this very gate."""
        fresh = [entry for action in actions if isinstance(action, ApplyFeed) for entry in action.entries]
        out = any(isinstance(entry, GateEntry) and entry.gate == self._who.gate and entry.revoked for entry in fresh)
        return [*actions, Revoke()] if out else actions

    def _send_scans(self, now: Instant) -> list[Action]:
        if self._in_flight is not None or self._acked >= self._logged:
            return []
        upto = min(self._logged, self._acked + BATCH_LIMIT)
        self._in_flight = (upto, now.at_s)
        return [SendScans(after=self._acked, upto=upto)]

    def _send_ping(self, now: Instant) -> list[Action]:
        if not self._heartbeat.is_due(now, settled=self._quality.settled):
            return []
        self._heartbeat.note_sent(now)
        ping = Ping(
            sent_ms=now.wall_ms,
            backlog=self.backlog,
            feed_seq=self._position.cursor,
            bundle_version=self._bundle_version,
            scans_per_minute=self._scans_per_minute,
            command_seq=self._commands,
        )
        return [Send(frame=ping)]
