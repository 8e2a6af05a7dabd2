"""Gates as their organiser sees them."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import asdict

from server.services.context import Context
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.problems_gates import GateUnknown
from server.services.rows import Page
from server.services.rows_fleet import CommandRow
from server.services.rows_gates import GateRow
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.clock import from_unix_ms
from shared.ids import CommandId, EventId, GateId, TenantId
from shared.sync.command import CommandKind, Hold, Notice, unpack_order
from shared.sync.scan import Mode

STALE_AFTER = timedelta(seconds=30)
"""Three heartbeats that did not come."""

_NEWEST = 20


class GateView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A gate as its organiser sees it.

    ``stale`` says that a gate in service was not heard of for thirty seconds: what follows is what it said last. ``backlog``
    counts records it said it has not handed over, ``quarantined`` batches of its scans that were kept apart.
    ``clockOffsetMs`` is its clock minus the server's, ``keysUntil`` when its keys end, ``battery`` percent where it runs on one.
    ``heldSince`` and ``heldReason`` are what it was told; ``held`` is what it says itself. ``alarm`` is what was wrong with its
    log last, as a problem's code: `batch_conflict` means that two machines say they are this gate, or its disk was set back.
    """

    id: GateId
    event_id: EventId
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    role: GateRole
    software: str
    enrolled_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None
    stale: bool
    bundle_version: int
    backlog: int | None
    feed_seq: int | None
    scans_per_minute: float | None
    quarantined: int
    held_since: datetime | None
    held_reason: str | None
    held: bool | None
    mode: Mode | None
    clock_offset_ms: int | None
    keys_until: datetime | None
    battery: int | None
    camera_alive: bool | None
    alarm: str | None
    alarm_at: datetime | None


class CommandView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A command to a gate.

    ``state`` is ``waiting`` until it was put on a link, ``sent`` until the gate said what became of it, then ``done``,
    ``refused``, ``expired`` or ``superseded`` (the gate was revoked or enrolled anew). ``text`` is a hold's reason or a message.
    """

    id: CommandId
    number: int
    kind: CommandKind
    text: str | None
    state: str
    message: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    sent_at: datetime | None
    settled_at: datetime | None


class GateDetail(GateView, frozen=True, kw_only=True, rename="camel"):
    """A gate and what it was told to do last, the newest first."""

    commands: list[CommandView]


async def list_gates(context: Context, tenant: TenantId, event: EventId, page: Page) -> Listed[GateView]:
    """Return some of an event's gates in the order of their enrolment.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        if await tx.events.get(event) is None:
            raise EventUnknown("There is no such event.")
        after = None if page.after is None else GateId(page.after)
        rows = await tx.gates.page_of_event(event, after, page.limit + 1)
        kept = await tx.broker.count_quarantined(event)
    shown = [_view(row, kept.get(row.id, 0), now) for row in rows[: page.limit]]
    return Listed(items=shown, next_after=shown[-1].id if len(rows) > page.limit else None)


async def show_gate(context: Context, tenant: TenantId, gate_id: GateId) -> GateDetail:
    """Return one gate.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    async with context.db.tenant(tenant) as tx:
        return await show_gate_in(context, tx, gate_id)


async def show_gate_in(context: Context, tx: Unit, gate_id: GateId) -> GateDetail:
    """Return one gate as this transaction sees it.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    row = await tx.gates.get(gate_id)
    if row is None:
        raise GateUnknown("There is no such gate.")
    kept = await tx.broker.count_quarantined(row.event)
    commands = await tx.commands.of_gate(gate_id, None, _NEWEST)
    now = context.clock.now()
    view = _view(row, kept.get(row.id, 0), now)
    return GateDetail(**asdict(view), commands=[view_command(one, now) for one in commands])


async def list_commands(context: Context, tenant: TenantId, gate_id: GateId, page: Page) -> Listed[CommandView]:
    """Return a gate's commands, the newest first.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    async with context.db.tenant(tenant) as tx:
        if await tx.gates.get(gate_id) is None:
            raise GateUnknown("There is no such gate.")
        after = None if page.after is None else CommandId(page.after)
        rows = await tx.commands.of_gate(gate_id, after, page.limit + 1)
    now = context.clock.now()
    shown = [view_command(row, now) for row in rows[: page.limit]]
    return Listed(items=shown, next_after=shown[-1].id if len(rows) > page.limit else None)


def view_command(row: CommandRow, now: datetime) -> CommandView:
    """Return a command as its organiser sees it at a moment."""
    order = unpack_order(row.body)
    text = order.reason if isinstance(order, Hold) else order.text if isinstance(order, Notice) else None
    return CommandView(
        id=row.id,
        number=row.number,
        kind=row.kind,
        text=text,
        state=_name_state(row, now),
        message=row.message,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
    )


def _name_state(row: CommandRow, now: datetime) -> str:
    if row.outcome is not None:
        return row.outcome
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "waiting" if row.sent_at is None else "sent"


def _view(row: GateRow, quarantined: int, now: datetime) -> GateView:
    said = row.heartbeat
    vitals = None if said is None else said.vitals
    keys_until_ms = None if vitals is None else vitals.keys_until_ms
    return GateView(
        id=row.id,
        event_id=row.event,
        name=row.name,
        direction=row.direction,
        zones=row.zones,
        products=row.products,
        role=row.role,
        software=row.software,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        last_seen_at=row.last_seen_at,
        stale=_is_stale(row, now),
        bundle_version=row.bundle_version,
        backlog=None if said is None else said.backlog,
        feed_seq=None if said is None else said.feed_seq,
        scans_per_minute=None if said is None else said.scans_per_minute,
        quarantined=quarantined,
        held_since=row.held_since,
        held_reason=row.held_reason,
        held=None if vitals is None else vitals.held,
        mode=None if vitals is None else vitals.mode,
        clock_offset_ms=None if vitals is None else vitals.clock_offset_ms,
        keys_until=None if keys_until_ms is None else from_unix_ms(keys_until_ms),
        battery=None if vitals is None else vitals.battery,
        camera_alive=None if vitals is None else vitals.camera,
        alarm=row.alarm,
        alarm_at=row.alarm_at,
    )


def _is_stale(row: GateRow, now: datetime) -> bool:
    return row.revoked_at is None and row.last_seen_at is not None and now - row.last_seen_at > STALE_AFTER
