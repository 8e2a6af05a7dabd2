"""A gate as it stands this moment, from its row, its last heartbeat, and what passed through it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.domain.gate_health import Condition, find_troubles, tell_condition
from server.domain.server_gate import is_server_gate
from server.services.live_views import GateNow
from server.services.ports import Unit
from server.services.rows import EventRow
from server.services.rows_gates import GateRow
from server.services.rows_live import ScanSum
from shared.clock import from_unix_ms, unix_ms
from shared.sync.wire import Ping, Vitals

MOST_ON_PAGE = 100
"""Gates on one page of the wall."""

_WORST_FIRST = {condition: number for number, condition in enumerate(Condition)}


async def read_gates_now(tx: Unit, event: EventRow, sums: Sequence[ScanSum], now: datetime) -> list[GateNow]:
    """Return an event's gates as they stand, those that need a look first; the server's own is none."""
    head = await tx.feed.head(event.id)
    by_gate = {one.gate: one for one in sums if one.gate is not None}
    rows = [row for row in await tx.gates.of_event(event.id) if not is_server_gate(row.id, event.id)]
    found = [view_gate_now(row, event, by_gate.get(row.id), head, now) for row in rows]
    return sorted(found, key=rank_gate)


def view_gate_now(row: GateRow, event: EventRow, passed: ScanSum | None, head: int, now: datetime) -> GateNow:
    """Return a gate as it stands; ``head`` is how far the event's feed is, ``passed`` the sums of its scans."""
    said = row.heartbeat
    behind = None if said is None else max(0, head - said.feed_seq)
    vitals = None if said is None else said.vitals
    clock_off_ms = _clock_off(row, said)
    keys_current = None if said is None else said.bundle_version >= event.bundle_version
    troubles = find_troubles(
        backlog=0 if said is None else said.backlog,
        clock_off_ms=clock_off_ms or 0,
        behind=behind or 0,
        keys_behind=keys_current is False,
        held=row.held_reason is not None,
    )
    return GateNow(
        id=row.id,
        name=row.name,
        direction=row.direction,
        condition=tell_condition(now, seen_at=row.last_seen_at, revoked_at=row.revoked_at, troubles=troubles),
        troubles=troubles,
        seen_at=row.last_seen_at,
        mode=None if vitals is None else vitals.mode,
        backlog=None if said is None else said.backlog,
        behind=behind,
        clock_off_ms=clock_off_ms,
        keys_current=keys_current,
        keys_until=_keys_until(vitals),
        camera=None if vitals is None else vitals.camera,
        held=row.held_reason,
        software=row.software,
        scans_per_minute=None if said is None else said.scans_per_minute,
        entries=0 if passed is None else passed.entries,
        exits=0 if passed is None else passed.exits,
        refused=0 if passed is None else passed.refused,
        last_scan_at=None if passed is None else passed.last_at,
    )


def rank_gate(gate: GateNow) -> tuple[int, str, str]:
    """Return where a gate stands on the wall: what needs a look first, then by name."""
    return _WORST_FIRST[gate.condition], gate.name.casefold(), str(gate.id)


def _clock_off(row: GateRow, said: Ping | None) -> int | None:
    """Return the gate's clock minus the server's in milliseconds: as it measured it, or with the heartbeat's way in it."""
    if said is None or row.last_seen_at is None:
        return None
    if said.vitals is not None and said.vitals.clock_offset_ms is not None:
        return said.vitals.clock_offset_ms
    return said.sent_ms - unix_ms(row.last_seen_at)


def _keys_until(vitals: Vitals | None) -> datetime | None:
    return None if vitals is None or vitals.keys_until_ms is None else from_unix_ms(vitals.keys_until_ms)
