"""What the gates' stores hand out and take: one frozen struct per stored thing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.services.rows import TicketRow, TicketTypeRow
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction, Reason
from shared.ids import ConflictId, EventId, GateId, IncarnationId, ScanId, TenantId, TicketId
from shared.sync.ledger import ConflictClass, Severity
from shared.sync.scan import Mode
from shared.sync.wire import Ping
from shared.tickets.lifecycle import State


class GateRow(Struct, frozen=True, kw_only=True):
    """A gate: what it may do, its two raw 32-byte public keys, and what it last said of itself.

    ``config`` is the number of the newest config key it is known to believe, ``links`` that of its newest link, ``commands``
    that of its newest command. ``held_reason`` says why it is to let nobody in, None: it is not held.
    """

    tenant: TenantId
    id: GateId
    event: EventId
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    sign_public: bytes
    seal_public: bytes
    software: str
    enrolled_at: datetime
    revoked_at: datetime | None = None
    last_seen_at: datetime | None = None
    heartbeat: Ping | None = None
    bundle_version: int = 0
    config: int = 1
    links: int = 0
    commands: int = 0
    held_since: datetime | None = None
    held_reason: str | None = None
    alarm: str | None = None
    alarm_at: datetime | None = None
    role: GateRole = GateRole.LANE


class EnrolmentRow(Struct, frozen=True, kw_only=True):
    """A one-time code as it is kept: the SHA-256 of its secret, and what the gate that brings it becomes.

    ``for_gate`` is the gate whose place it takes, None where it is a new one.
    """

    code_hash: bytes
    event: EventId
    gate_name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    expires_at: datetime
    used_at: datetime | None = None
    gate: GateId | None = None
    for_gate: GateId | None = None
    role: GateRole = GateRole.LANE


class LogRow(Struct, frozen=True, kw_only=True):
    """How far one incarnation of a gate's log was taken: its records up to ``acked``, and the chain's hash there."""

    acked: int
    chain: bytes


class ScanRow(Struct, frozen=True, kw_only=True):
    """One record of a gate's log, with what the server made of it. ``ticket`` is None when it fits no ticket.

    ``proven`` says that the server recomputed what shows that the code was seen; ``server_reason`` is what the rule said to it
    on receipt.
    """

    gate: GateId
    incarnation: IncarnationId
    gate_seq: int
    scan: ScanId
    event: EventId
    ticket: TicketId | None
    generation: int | None
    hlc: int
    at: datetime
    received_at: datetime
    direction: Direction
    admitted: bool
    reason: Reason
    mode: Mode
    proven: bool
    server_reason: Reason | None
    body: bytes
    chain: bytes


class StoredAdmission(Struct, frozen=True, kw_only=True):
    """An admission the server holds: the gate's record of it, and what its proof was worth."""

    ticket: TicketId
    generation: int
    gate: GateId
    proven: bool
    body: bytes


class StepRow(Struct, frozen=True, kw_only=True):
    """What a ticket became, by which way, and when."""

    ticket: TicketId
    from_state: State | None
    to_state: State
    generation: int
    source: str
    at: datetime


class LockedTicket(Struct, frozen=True, kw_only=True):
    """A ticket that is locked until the transaction ends, and its type."""

    ticket: TicketRow
    ticket_type: TicketTypeRow


class Witness(Struct, frozen=True, kw_only=True, rename="camel"):
    """One of the scans a conflict speaks of, as evidence; times in milliseconds since 1970."""

    scan: ScanId
    gate: GateId
    at_ms: int
    unsure_ms: int
    mode: Mode
    feed_seq: int
    proven: bool
    generation: int
    epoch: int | None = None
    slot: int | None = None
    supervisor: str | None = None


class Staleness(Struct, frozen=True, kw_only=True, rename="camel"):
    """What had become of the ticket before a gate let it in all the same."""

    state: State
    generation: int
    since_ms: int


class Evidence(Struct, frozen=True, kw_only=True, rename="camel"):
    """Why a conflict is one: the scan, the earlier one it collides with, and the ticket's state if that was the point."""

    scan: Witness
    earlier: Witness | None = None
    stale: Staleness | None = None


class ConflictRow(Struct, frozen=True, kw_only=True):
    """An admission that was one too many."""

    id: ConflictId
    event: EventId
    ticket: TicketId
    scan: ScanId
    earlier: ScanId | None
    kind: ConflictClass
    severity: Severity
    state: str
    resolution: str | None
    evidence: Evidence
    created_at: datetime
    updated_at: datetime
    decided_by: str | None = None
    note: str | None = None


class Tally(Struct, frozen=True, kw_only=True):
    """The sums of one event's scans."""

    tickets: int
    sold: int
    entries: int
    exits: int
    tickets_used: int
    scans: int
    unmatched: int


class GateTally(Struct, frozen=True, kw_only=True):
    """The sums of one gate's scans."""

    gate: GateId
    name: str
    entries: int
    exits: int
    refused: int
    last_scan_at: datetime | None


class SnapshotRow(Struct, frozen=True, kw_only=True):
    """A kept snapshot: where in the feed it stands, and its manifest as sent."""

    id: UUID
    seq: int
    manifest: bytes


class WorldTicket(Struct, frozen=True, kw_only=True):
    """A ticket as a snapshot tells gates of it."""

    ticket: TicketRow
    ticket_type: TicketTypeRow


class WorldAdmission(Struct, frozen=True, kw_only=True):
    """A stored admission, or one's undoing."""

    gate: GateId
    proven: bool
    body: bytes
