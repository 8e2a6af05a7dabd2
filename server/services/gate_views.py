"""Gates as their organiser sees them."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from server.services.context import Context
from server.services.problems import EventUnknown
from server.services.problems_gates import GateUnknown
from server.services.rows_gates import GateRow
from shared.admission.verdict import Direction
from shared.ids import EventId, GateId, TenantId


class GateView(Struct, frozen=True, kw_only=True, rename="camel"):
    """A gate as its organiser sees it.

    ``backlog`` counts records it said it has not handed over, ``quarantined`` batches of its scans that were kept apart.
    """

    id: GateId
    event_id: EventId
    name: str
    direction: Direction
    zones: int
    products: tuple[int, ...]
    software: str
    enrolled_at: datetime
    revoked_at: datetime | None
    last_seen_at: datetime | None
    bundle_version: int
    backlog: int | None
    feed_seq: int | None
    scans_per_minute: float | None
    quarantined: int


async def list_gates(context: Context, tenant: TenantId, event: EventId) -> list[GateView]:
    """Return an event's gates in the order of their enrolment.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    async with context.db.tenant(tenant) as tx:
        if await tx.events.get(event) is None:
            raise EventUnknown("There is no such event.")
        rows = await tx.gates.of_event(event)
        kept = await tx.broker.count_quarantined(event)
    return [_view(row, kept.get(row.id, 0)) for row in rows]


async def show_gate(context: Context, tenant: TenantId, gate_id: GateId) -> GateView:
    """Return one gate.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    async with context.db.tenant(tenant) as tx:
        row = await tx.gates.get(gate_id)
        if row is None:
            raise GateUnknown("There is no such gate.")
        kept = await tx.broker.count_quarantined(row.event)
    return _view(row, kept.get(row.id, 0))


def _view(row: GateRow, quarantined: int) -> GateView:
    said = row.heartbeat
    return GateView(
        id=row.id,
        event_id=row.event,
        name=row.name,
        direction=row.direction,
        zones=row.zones,
        products=row.products,
        software=row.software,
        enrolled_at=row.enrolled_at,
        revoked_at=row.revoked_at,
        last_seen_at=row.last_seen_at,
        bundle_version=row.bundle_version,
        backlog=None if said is None else said.backlog,
        feed_seq=None if said is None else said.feed_seq,
        scans_per_minute=None if said is None else said.scans_per_minute,
        quarantined=quarantined,
    )
