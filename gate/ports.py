"""What the gate's parts ask of its stores, as interfaces and the values that pass through them."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.codes.bundle import SealedBundle
from shared.ids import GateId, IncarnationId, ScanId
from shared.sync.feed import UNMARKED, FeedEntry, TicketEntry
from shared.sync.scan import GENESIS, LoggedRecord, ScanRecord


class LogHead(Struct, frozen=True, kw_only=True):
    """Where the log ends: the last record's number, its stamp and the chain's hash after it."""

    gate_seq: int = 0
    hlc: int = 0
    chain: bytes = GENESIS


class RecordKind(StrEnum):
    """What a record is: an answered scan, an admission taken back, or what else a supervisor did."""

    SCAN = "scan"
    UNDO = "undo"
    STAFF = "staff"


def kind_of(record: ScanRecord) -> RecordKind:
    """Return what a record is."""
    if record.is_scan:
        return RecordKind.SCAN
    return RecordKind.STAFF if record.takes_back is None else RecordKind.UNDO


class Tries(Struct, frozen=True, kw_only=True):
    """Wrong PINs in a row, and until when no other is looked at (milliseconds since 1970)."""

    failed: int = 0
    locked_until_ms: int = 0


class LogCount(Struct, frozen=True, kw_only=True):
    """How many records of a kind the log holds."""

    kind: RecordKind = RecordKind.SCAN
    admitted: bool
    direction: Direction
    scans: int


class WorldState(Struct, frozen=True, kw_only=True):
    """How far this copy has got.

    ``complete`` means that it once held everything; ``confirmed_ms`` is when the server last confirmed that it does.
    ``feed_mark`` stands for all that was told up to ``feed_seq``.
    """

    feed_seq: int
    complete: bool
    confirmed_ms: int | None
    revoked: bool
    feed_mark: bytes = UNMARKED


class Sighting(Struct, frozen=True, kw_only=True):
    """What is known of one handle: its row, whether a newer generation replaced it, its admissions, and whether it is hot."""

    ticket: TicketEntry | None
    superseded: bool
    admissions: list[Admission]
    hot: bool = False


class OwnBody(Struct, frozen=True, kw_only=True):
    """An admission of this very gate as the server tells it, or what takes one back."""

    scan: ScanId
    gate_seq: int
    direction: Direction
    undone: bool = False


class KnownGate(Struct, frozen=True, kw_only=True):
    """A gate of the event."""

    gate: GateId
    name: str
    revoked: bool


class Journal(Protocol):
    """The gate's own log, as the scan path needs it."""

    async def head(self) -> LogHead:
        """Return where the log ends."""
        ...

    async def append(self, record: ScanRecord) -> LoggedRecord:
        """Write one record durably; its number is the head's plus one."""
        ...

    async def find_admissions(self, handle_hash: bytes) -> list[ScanRecord]:
        """Return this gate's own records of a ticket that admit or take an admission back, oldest first."""
        ...

    async def find_admitted(self, scan: ScanId) -> ScanRecord | None:
        """Return this gate's admitting record of an id."""
        ...

    async def last_records(self, records: int) -> list[ScanRecord]:
        """Return the last records, newest first."""
        ...


class Tickets(Protocol):
    """The copy of the event, as the scan path needs it."""

    async def find(self, handle_hash: bytes) -> Sighting:
        """Return what is known of a handle."""
        ...

    async def find_numbered(self, lowest: bytes, highest: bytes) -> list[bytes]:
        """Return the handle hashes between two, both included; five at most."""
        ...


class Outbox(Protocol):
    """The gate's own log, as the hand-over to the server needs it."""

    @property
    def incarnation(self) -> IncarnationId:
        """Which life of the log this is."""
        ...

    @property
    def acked(self) -> int:
        """Up to which record the server has it."""
        ...

    async def head(self) -> LogHead:
        """Return where the log ends."""
        ...

    async def read_between(self, after: int, upto: int) -> list[LoggedRecord]:
        """Return the records numbered above ``after`` up to and including ``upto``."""
        ...

    async def chain_at(self, gate_seq: int) -> bytes:
        """Return the chain's hash after a record; 32 zero bytes for number 0."""
        ...

    async def mark_acked(self, upto: int) -> None:
        """Note how far the server has this log."""
        ...


class Copy(Protocol):
    """The copy of the event, as the feed needs it."""

    async def apply(self, entries: Iterable[FeedEntry], feed_seq: int) -> None:
        """Take in feed entries and move the cursor, all or nothing."""
        ...

    async def state(self) -> WorldState:
        """Return how far this copy has got."""
        ...

    async def doubt(self) -> None:
        """Note that the server was set back to a backup: the next snapshot takes the place of all that was told."""
        ...

    async def confirm(self, moment_ms: int) -> None:
        """Note that the server confirmed that nothing is missing."""
        ...

    async def keep_bundle(self, version: int, bundle: SealedBundle) -> None:
        """Keep a sealed key bundle unless a later version is there."""
        ...

    async def revoke(self) -> None:
        """Note that this gate was revoked, and forget the keys."""
        ...
