"""What the gates' use cases need from the outside: feed, gates, scans and conflicts, as Protocols."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.ports import Database, Unit
from server.services.rows import HandleRow
from server.services.rows_gates import (
    EnrolmentRow,
    GateRow,
    GateTally,
    LockedTicket,
    LogRow,
    ScanRow,
    SnapshotRow,
    StepRow,
    StoredAdmission,
    Tally,
    WorldAdmission,
    WorldTicket,
)
from shared.ids import EventId, GateId, IncarnationId, ScanId, TenantId, TicketId
from shared.sync.feed import FeedEntry, TombstoneEntry
from shared.sync.wire import Ping


class Outbox(Protocol):
    """What gates must learn once this transaction is durable."""

    async def append(self, event: EventId, entries: Sequence[FeedEntry]) -> None:
        """Queue feed entries (their ``seq`` is 0) in this order; the relay numbers them after the commit."""
        ...


class Feed(Protocol):
    """An event's numbered feed and the snapshots of it."""

    async def head(self, event: EventId) -> int:
        """Return the highest number given so far, 0 for an event without any."""
        ...

    async def mark_at(self, event: EventId, seq: int) -> bytes | None:
        """Return the mark of a position, None where it is not kept any more or never was."""
        ...

    async def oldest(self, event: EventId) -> int | None:
        """Return the lowest number still kept, None when nothing is."""
        ...

    async def after(self, event: EventId, seq: int, limit: int) -> list[FeedEntry]:
        """Return up to ``limit`` entries that follow a position, in order."""
        ...

    async def newest_snapshot(self, event: EventId) -> SnapshotRow | None:
        """Return the kept snapshot that is furthest along."""
        ...

    async def add_chunk(self, snapshot: UUID, n: int, body: bytes) -> None:
        """Keep one chunk; its snapshot may be added later in the same transaction."""
        ...

    async def add_snapshot(self, event: EventId, snapshot: SnapshotRow, now: datetime) -> None:
        """Keep a snapshot's manifest."""
        ...

    async def chunk(self, event: EventId, snapshot: UUID, n: int) -> bytes | None:
        """Return one chunk of one of the event's snapshots."""
        ...

    async def drop_snapshots(self, event: EventId, before: datetime) -> int:
        """Delete the event's snapshots older than a moment and return how many there were."""
        ...

    def world_tickets(self, event: EventId, size: int) -> AsyncIterator[list[WorldTicket]]:
        """Yield every ticket a gate must know, ``size`` at a time, without holding them all in memory."""
        ...

    def world_tombstones(self, event: EventId, size: int) -> AsyncIterator[list[TombstoneEntry]]:
        """Yield every replaced generation, ``size`` at a time."""
        ...

    def world_admissions(self, event: EventId, size: int) -> AsyncIterator[list[WorldAdmission]]:
        """Yield every admission that fits a ticket, ``size`` at a time."""
        ...


class Gates(Protocol):
    """Gates and the codes by which they come to be."""

    async def add_code(self, code: EnrolmentRow) -> None:
        """Keep a one-time code."""
        ...

    async def take_code(self, code_hash: bytes, gate: GateId, now: datetime) -> EnrolmentRow | None:
        """Use a code up for a gate and return it; None when it is unknown, used or too old. One caller at most wins."""
        ...

    async def get_code(self, code_hash: bytes) -> EnrolmentRow | None:
        """Return a code in any condition."""
        ...

    async def add(self, gate: GateRow) -> None:
        """Keep a new gate."""
        ...

    async def add_server(self, gate: GateRow) -> bool:
        """Keep the gate that stands for the server at an event; False if it is there."""
        ...

    async def get(self, gate: GateId) -> GateRow | None:
        """Return a gate, revoked or not."""
        ...

    async def get_all(self, gates: Collection[GateId]) -> dict[GateId, GateRow]:
        """Return gates by id, revoked or not; those there are none of are missing."""
        ...

    async def lock(self, gate: GateId) -> GateRow | None:
        """Return a gate, revoked or not, and lock it until the transaction ends."""
        ...

    async def change(self, gate: GateRow) -> None:
        """Keep a gate's name, direction, zones, products and role."""
        ...

    async def hold(self, gate: GateId, reason: str | None, now: datetime | None) -> None:
        """Keep since when and why a gate is to let nobody in; None and None: it may again."""
        ...

    async def of_event(self, event: EventId) -> list[GateRow]:
        """Return an event's gates in the order of their enrolment."""
        ...

    async def page_of_event(self, event: EventId, after: GateId | None, limit: int) -> list[GateRow]:
        """Return up to ``limit`` of an event's gates in the order of their enrolment, those after the given one."""
        ...

    async def revoke(self, gate: GateId, now: datetime) -> bool:
        """Mark a gate revoked; return False if it was already."""
        ...

    async def beat(self, gate: GateId, ping: Ping, now: datetime) -> None:
        """Keep what a gate last said of itself, and when."""
        ...

    async def greet(self, gate: GateId, software: str, now: datetime) -> int:
        """Keep what a gate runs, and that it was just here; return the number of this link, the highest so far."""
        ...

    async def replace_host(self, gate: GateRow) -> None:
        """Have another machine be this gate from ``enrolled_at`` on; its keys are the row's, older links are over."""
        ...

    async def raise_alarm(self, gate: GateId, code: str, now: datetime) -> None:
        """Keep what is wrong with a gate's log, as a problem's code."""
        ...

    async def believe(self, gate: GateId, config: int) -> None:
        """Keep that a gate believes the tenant's config key of this number."""
        ...

    async def set_bundle_version(self, gate: GateId, version: int) -> None:
        """Keep the newest key bundle a gate was sent."""
        ...


class Scans(Protocol):
    """The gates' logs as received."""

    async def lock_log(self, gate: GateId, incarnation: IncarnationId) -> LogRow:
        """Return how far a log was taken, from its first record on, and lock it until the transaction ends."""
        ...

    async def read_log(self, gate: GateId, incarnation: IncarnationId) -> LogRow:
        """Return how far a log was taken."""
        ...

    async def advance_log(self, gate: GateId, incarnation: IncarnationId, log: LogRow) -> None:
        """Move a locked log on."""
        ...

    async def chain_at(self, gate: GateId, incarnation: IncarnationId, gate_seq: int) -> bytes | None:
        """Return the chain's hash after a stored record."""
        ...

    async def match(self, event: EventId, hashes: Sequence[bytes]) -> list[HandleRow]:
        """Return which tickets and generations these handle hashes stand for; unknown ones are missing."""
        ...

    async def lock_tickets(self, tickets: Sequence[TicketId]) -> list[LockedTicket]:
        """Return tickets with their types and lock the tickets until the transaction ends, in the order of their ids."""
        ...

    async def admissions(self, tickets: Sequence[TicketId]) -> list[StoredAdmission]:
        """Return all stored admissions of these tickets."""
        ...

    async def steps(self, tickets: Sequence[TicketId]) -> list[StepRow]:
        """Return the histories of these tickets, each in the order it happened."""
        ...

    async def known_scans(self, scans: Sequence[ScanId]) -> set[ScanId]:
        """Return which of these ids the tenant has records of."""
        ...

    async def add_all(self, scans: Sequence[ScanRow]) -> int:
        """Keep records at once, but for those whose scan id is taken; return how many were kept."""
        ...

    async def add(self, scan: ScanRow) -> bool:
        """Keep a record; return False and keep nothing if another one has the same scan id."""
        ...

    async def list_of_event(self, event: EventId, after: ScanId | None, limit: int) -> list[ScanRow]:
        """Return an event's scans, newest receipt first, those after the given one."""
        ...

    async def tally(self, event: EventId) -> Tally:
        """Return the sums of an event."""
        ...

    async def tally_gates(self, event: EventId) -> list[GateTally]:
        """Return the sums by gate, gates without a scan included."""
        ...

    async def tally_refusals(self, event: EventId) -> dict[str, int]:
        """Return how many scans were refused, by reason."""
        ...


class StillDatabase(Database, Protocol):
    """The tenant door, with a second way in."""

    def still(self, tenant: TenantId) -> AbstractAsyncContextManager[Unit]:
        """Open one transaction all of whose reads see the same moment (REPEATABLE READ)."""
        ...


class RelaySession(Protocol):
    """One database session on which a relay leads and works; its leadership ends with the session."""

    async def lead(self) -> bool:
        """Try to become the one relay of this database, or stay it; return whether this session is."""
        ...

    async def turn(self, limit: int) -> int:
        """Number and move up to ``limit`` queued entries in one transaction; return how many there were."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            Unavailable: the session is lost.
        """
        ...


OpenRelaySession = Callable[[], AbstractAsyncContextManager[RelaySession]]
"""Opens a session of its own for a relay."""
