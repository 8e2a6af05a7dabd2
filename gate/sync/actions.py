"""What the engine wants done; whoever drives it has the socket, the disk and the clock."""

from __future__ import annotations

from msgspec import Struct

from gate.clockbelief import ClockSample
from shared.codes.bundle import SealedBundle
from shared.sync.command import SignedCommand
from shared.sync.feed import FeedEntry
from shared.sync.wire import GateFrame


class Instant(Struct, frozen=True, kw_only=True):
    """A moment by both of the gate's counters: milliseconds since 1970, and monotonic seconds."""

    wall_ms: int
    at_s: float


class Send(Struct, frozen=True, kw_only=True):
    """Send a frame."""

    frame: GateFrame


class SendScans(Struct, frozen=True, kw_only=True):
    """Read, sign and send the log's records above ``after`` up to and including ``upto``."""

    after: int
    upto: int


class HandIn(Struct, frozen=True, kw_only=True):
    """Hand in these records of a gate that was revoked, to be kept apart; tell the engine with ``on_handed_in``."""

    after: int
    upto: int


class ApplyFeed(Struct, frozen=True, kw_only=True):
    """Take these entries in and move the cursor to ``to_seq``, all or nothing."""

    entries: list[FeedEntry]
    to_seq: int


class FetchFeed(Struct, frozen=True, kw_only=True):
    """Ask the server for what follows ``after``; tell the engine with ``on_fetched`` or ``on_fetch_failed``."""

    after: int


class FetchSnapshot(Struct, frozen=True, kw_only=True):
    """Load a snapshot; tell the engine with ``on_snapshot`` or ``on_snapshot_failed``."""


class Doubt(Struct, frozen=True, kw_only=True):
    """Note that the server was set back to a backup: what it told before holds no more."""


class StoreBundle(Struct, frozen=True, kw_only=True):
    """Verify, keep and use a key bundle; tell the engine with ``on_bundle``."""

    bundle: SealedBundle


class Obey(Struct, frozen=True, kw_only=True):
    """Verify and do what the organiser commands; tell the engine with ``on_obeyed``, and the server."""

    commands: list[SignedCommand]


class MarkAcked(Struct, frozen=True, kw_only=True):
    """The server has the log up to and including this record."""

    upto: int


class NoteCurrent(Struct, frozen=True, kw_only=True):
    """The server confirmed that this gate knows everything."""

    wall_ms: int


class NoteClock(Struct, frozen=True, kw_only=True):
    """A measurement of the gate's clock against the server's."""

    sample: ClockSample


class Revoke(Struct, frozen=True, kw_only=True):
    """This gate may admit nobody any more."""


class Halt(Struct, frozen=True, kw_only=True):
    """Stop: the log on this disk is behind what the server has of it."""

    acked: int
    logged: int


class Close(Struct, frozen=True, kw_only=True):
    """End the link; ``patient`` means that trying again soon would not help."""

    code: str
    message: str
    patient: bool = False


Action = (
    Send
    | SendScans
    | HandIn
    | ApplyFeed
    | FetchFeed
    | FetchSnapshot
    | Doubt
    | StoreBundle
    | Obey
    | MarkAcked
    | NoteCurrent
    | NoteClock
    | Revoke
    | Halt
    | Close
)
