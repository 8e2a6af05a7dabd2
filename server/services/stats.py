"""What an organiser sees of the doors: figures, scans, and conflicts with their evidence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.rows import Page
from server.services.rows_gates import ConflictRow, GateTally, ScanRow, Staleness, Witness
from shared.admission.verdict import Direction, Reason
from shared.clock import from_unix_ms
from shared.ids import ConflictId, EventId, GateId, ScanId, TicketId
from shared.problems import CodeMalformed
from shared.sync.ledger import ConflictClass, Severity
from shared.sync.scan import Mode, ScanRecord, decode_record
from shared.tickets.lifecycle import State


class GateFigures(Struct, frozen=True, kw_only=True, rename="camel"):
    """One gate's share."""

    gate_id: GateId
    name: str
    entries: int
    exits: int
    refused: int
    last_scan_at: datetime | None


class EventFigures(Struct, frozen=True, kw_only=True, rename="camel"):
    """An event's figures. ``inside`` is entries minus exits, every admitted person counted; ``tickets_used`` counts tickets.

    ``unmatched`` counts scans of codes whose ticket the server does not know.
    """

    tickets: int
    sold: int
    entries: int
    exits: int
    inside: int
    tickets_used: int
    scans: int
    unmatched: int
    refused_by_reason: dict[str, int]
    conflicts_by_class: dict[str, int]
    by_gate: list[GateFigures]


class ScanView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One scan. ``server_reason`` is what the rule said on receipt, with all the server knew; ``proven`` its own check.

    ``supervisor`` decided, or did something besides, for the reason in ``decision``: an id, or ``-`` where it was nobody in
    particular. ``undoes`` is the admission taken back.
    """

    scan_id: ScanId
    gate_id: GateId
    gate_name: str
    gate_seq: int
    ticket_id: TicketId | None
    at: datetime
    received_at: datetime
    direction: Direction
    admitted: bool
    reason: Reason
    server_reason: Reason | None
    mode: Mode
    proven: bool
    supervisor: str | None
    decision: str | None
    undoes: ScanId | None


class WitnessView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One scan as evidence; what is not known of it is left out."""

    scan_id: ScanId
    gate_id: GateId
    gate_name: str
    at: datetime
    unsure_ms: int
    mode: Mode
    feed_seq: int
    proven: bool
    generation: int
    epoch: int | None = None
    slot: int | None = None
    supervisor: str | None = None


class StalenessView(Struct, frozen=True, kw_only=True, rename="camel"):
    """What had become of the ticket before it was let in."""

    state: State
    generation: int
    since: datetime


class EvidenceView(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The admission that was one too many (``later``), the one it collides with, and the ticket's state if that counts."""

    later: WitnessView
    earlier: WitnessView | None = None
    stale: StalenessView | None = None


class ConflictView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A conflict; ``decided_by`` is who acknowledged or resolved it, ``note`` what they had to say."""

    id: ConflictId
    ticket_id: TicketId
    kind: ConflictClass
    severity: Severity
    state: str
    resolution: str | None
    decided_by: str | None
    note: str | None
    evidence: EvidenceView
    created_at: datetime
    updated_at: datetime


async def read_figures(context: Context, user: User, event: EventId) -> EventFigures:
    """Return an event's figures as of now.

    Raises:
        EventUnknown: the caller's tenant has no such event.
    """
    async with context.db.tenant(user.tenant) as tx:
        await _check_event(tx, event)
        sums = await tx.scans.tally(event)
        gates = await tx.scans.tally_gates(event)
        refusals = await tx.scans.tally_refusals(event)
        conflicts = await tx.conflicts.tally(event)
    return EventFigures(
        tickets=sums.tickets,
        sold=sums.sold,
        entries=sums.entries,
        exits=sums.exits,
        inside=max(0, sums.entries - sums.exits),
        tickets_used=sums.tickets_used,
        scans=sums.scans,
        unmatched=sums.unmatched,
        refused_by_reason=refusals,
        conflicts_by_class=conflicts,
        by_gate=[_view_gate(gate) for gate in gates],
    )


async def list_scans(context: Context, user: User, event: EventId, page: Page) -> Listed[ScanView]:
    """Return a page of an event's scans, newest first.

    Raises:
        EventUnknown: the caller's tenant has no such event.
    """
    async with context.db.tenant(user.tenant) as tx:
        names = await name_gates(tx, event)
        rows = await tx.scans.list_of_event(event, _after(page), page.limit + 1)
    kept = rows[: page.limit]
    more = kept[-1].scan if len(rows) > page.limit else None
    return Listed(items=[_view_scan(row, names) for row in kept], next_after=more)


async def list_conflicts(context: Context, user: User, event: EventId, page: Page) -> Listed[ConflictView]:
    """Return a page of an event's conflicts, newest first, those that no longer hold included as withdrawn.

    Raises:
        EventUnknown: the caller's tenant has no such event.
    """
    async with context.db.tenant(user.tenant) as tx:
        names = await name_gates(tx, event)
        rows = await tx.conflicts.list_of_event(event, _after(page), page.limit + 1)
    kept = rows[: page.limit]
    more = kept[-1].scan if len(rows) > page.limit else None
    return Listed(items=[view_conflict(row, names) for row in kept], next_after=more)


async def _check_event(tx: Unit, event: EventId) -> None:
    if await tx.events.get(event) is None:
        raise EventUnknown("There is no such event.")


async def name_gates(tx: Unit, event: EventId) -> dict[GateId, str]:
    """Return the names of an event's gates.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    await _check_event(tx, event)
    return {gate.id: gate.name for gate in await tx.gates.of_event(event)}


def _after(page: Page) -> ScanId | None:
    found: UUID | None = page.after
    return None if found is None else ScanId(found)


def _view_gate(gate: GateTally) -> GateFigures:
    return GateFigures(
        gate_id=gate.gate,
        name=gate.name,
        entries=gate.entries,
        exits=gate.exits,
        refused=gate.refused,
        last_scan_at=gate.last_scan_at,
    )


def _view_scan(row: ScanRow, names: Mapping[GateId, str]) -> ScanView:
    record = _read(row.body)
    override = None if record is None else record.override
    return ScanView(
        scan_id=row.scan,
        gate_id=row.gate,
        gate_name=names[row.gate],
        gate_seq=row.gate_seq,
        ticket_id=row.ticket,
        at=row.at,
        received_at=row.received_at,
        direction=row.direction,
        admitted=row.admitted,
        reason=row.reason,
        server_reason=row.server_reason,
        mode=row.mode,
        proven=row.proven,
        supervisor=None if override is None else override.supervisor,
        decision=None if override is None else override.reason,
        undoes=None if record is None else record.takes_back,
    )


def _read(body: bytes) -> ScanRecord | None:
    """Return what a gate wrote; None where this version does not understand it, which is kept all the same."""
    try:
        return decode_record(body)
    except CodeMalformed:
        return None


def view_conflict(row: ConflictRow, names: Mapping[GateId, str]) -> ConflictView:
    """Return a conflict as organisers see it, its gates named."""
    found = row.evidence
    evidence = EvidenceView(
        later=_view_witness(found.scan, names),
        earlier=None if found.earlier is None else _view_witness(found.earlier, names),
        stale=None if found.stale is None else _view_staleness(found.stale),
    )
    return ConflictView(
        id=row.id,
        ticket_id=row.ticket,
        kind=row.kind,
        severity=row.severity,
        state=row.state,
        resolution=row.resolution,
        decided_by=row.decided_by,
        note=row.note,
        evidence=evidence,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _view_witness(witness: Witness, names: Mapping[GateId, str]) -> WitnessView:
    return WitnessView(
        scan_id=witness.scan,
        gate_id=witness.gate,
        gate_name=names[witness.gate],
        at=from_unix_ms(witness.at_ms),
        unsure_ms=witness.unsure_ms,
        mode=witness.mode,
        feed_seq=witness.feed_seq,
        proven=witness.proven,
        generation=witness.generation,
        epoch=witness.epoch,
        slot=witness.slot,
        supervisor=witness.supervisor,
    )


def _view_staleness(stale: Staleness) -> StalenessView:
    return StalenessView(state=stale.state, generation=stale.generation, since=from_unix_ms(stale.since_ms))
