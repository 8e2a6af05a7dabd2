"""All gates of an event as they stand, and one of them."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct

from server.domain.server_gate import is_server_gate
from server.services.context import Context
from server.services.gates_now import read_gates_now, view_gate_now
from server.services.live_views import GateNow
from server.services.problems import EventUnknown
from server.services.problems_gates import GateUnknown
from shared.ids import EventId, GateId, TenantId


class GateWall(Struct, frozen=True, kw_only=True):
    """An event's gates, those that need a look first, and how many there are of each condition."""

    total: int
    by_condition: dict[str, int]
    gates: list[GateNow]


class GateFound(Struct, frozen=True, kw_only=True):
    """One gate and its event."""

    event: EventId
    gate: GateNow


async def read_wall(context: Context, tenant: TenantId, event_id: EventId, wanted: str = "") -> GateWall:
    """Return an event's gates whose names have ``wanted`` in them; the counts are of all.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    async with context.db.tenant(tenant) as tx:
        event = await tx.events.get(event_id)
        if event is None:
            raise EventUnknown("There is no such event.")
        gates = await read_gates_now(tx, event, await tx.live.scan_sums(event_id), context.clock.now())
    sought = wanted.casefold()
    return GateWall(
        total=len(gates),
        by_condition=dict(Counter(str(gate.condition) for gate in gates)),
        gates=[gate for gate in gates if sought in gate.name.casefold()],
    )


async def read_gate(context: Context, tenant: TenantId, gate_id: GateId) -> GateFound:
    """Return one gate.

    Raises:
        GateUnknown: the tenant has no such gate.
    """
    async with context.db.tenant(tenant) as tx:
        row = await tx.gates.get(gate_id)
        event = None if row is None else await tx.events.get(row.event)
        if row is None or event is None or is_server_gate(row.id, row.event):
            raise GateUnknown("There is no such gate.")
        sums = {one.gate: one for one in await tx.live.scan_sums(row.event)}
        head = await tx.feed.head(row.event)
    return GateFound(event=row.event, gate=view_gate_now(row, event, sums.get(gate_id), head, context.clock.now()))
