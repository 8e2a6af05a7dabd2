"""An event's figures of one moment: read once, for however many people watch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from server.domain.forecast import forecast
from server.domain.gate_health import Condition
from server.services.context import Context
from server.services.gates_now import read_gates_now
from server.services.live_views import (
    MOST_GATES,
    Arrivals,
    Caution,
    Conflicts,
    Crowd,
    Crowds,
    Figures,
    ForecastView,
    GateNow,
    Gates,
    House,
    OpenConflict,
    Refusal,
)
from server.services.ports import Unit
from server.services.problems import EventUnknown
from server.services.rows import EventRow
from server.services.rows_gates import ConflictRow, GateRow
from server.services.rows_live import ScanSum, TypeSum
from server.services.rows_organiser import ZoneRow
from shared.admission.policy import Policy
from shared.clock import from_unix_ms
from shared.ids import EventId, GateId, TenantId

_MINUTE = timedelta(minutes=1)
_LONGEST_SERIES = 24 * 60
_NEWEST_CONFLICTS = 8
_NEARLY_FULL = 0.9


async def read_live(context: Context, tenant: TenantId, event_id: EventId) -> Figures:
    """Return an event's figures as of now.

    Raises:
        EventUnknown: the tenant has no such event.
    """
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        event = await tx.events.get(event_id)
        if event is None:
            raise EventUnknown("There is no such event.")
        sums = await tx.live.scan_sums(event_id)
        types = await tx.live.type_sums(event_id)
        zones = await tx.organising.zones(event_id)
        gates = await read_gates_now(tx, event, sums, now)
        conflicts = await _read_conflicts(tx, event_id)
    house = _count_house(event, sums, types)
    return Figures(
        house=house,
        arrivals=count_arrivals(sums, house.expected, now),
        crowds=Crowds(types=[_view_type(one) for one in types], zones=_sum_zones(types, zones)),
        refusals=_count_refusals(sums),
        gates=Gates(
            total=len(gates),
            by_condition=dict(Counter(str(gate.condition) for gate in gates)),
            shown=gates[:MOST_GATES],
        ),
        conflicts=conflicts,
        warnings=warn(event.policy, house, gates),
    )


def count_arrivals(sums: Sequence[ScanSum], expected: int, now: datetime) -> Arrivals:
    """Return the entries by minute, and what is to be expected after them."""
    by_minute = {one.minute: max(0, one.entries) for one in sums if one.minute is not None and one.minute <= now}
    busy = [minute for minute, count in by_minute.items() if count]
    if not busy:
        return Arrivals(begins_at=None, per_minute=[], last_five=0.0, forecast=None)
    present = now.replace(second=0, microsecond=0)
    begins = max(min(busy), present - _LONGEST_SERIES * _MINUTE)
    series = [by_minute.get(begins + number * _MINUTE, 0) for number in range((present - begins) // _MINUTE + 1)]
    whole = series[:-1]
    told = forecast(whole, expected)
    return Arrivals(
        begins_at=begins,
        per_minute=series,
        last_five=round(sum(whole[-5:]) / max(1, len(whole[-5:])), 1),
        forecast=None
        if told is None
        else ForecastView(
            peak_at=begins + told.peak_minute * _MINUTE,
            peak_per_minute=told.peak_per_minute,
            ends_at=begins + told.end_minute * _MINUTE,
            total=told.total,
            is_over=told.end_minute < len(whole),
        ),
    )


def _count_house(event: EventRow, sums: Sequence[ScanSum], types: Sequence[TypeSum]) -> House:
    whole = next((one for one in sums if one.minute is None and one.gate is None and one.reason is None), None)
    entries, exits, refused = (0, 0, 0) if whole is None else (whole.entries, whole.exits, whole.refused)
    expected, arrived = sum(one.expected for one in types), sum(one.arrived for one in types)
    window = event.policy.window
    return House(
        name=event.name,
        status=event.state,
        doors_at=window.doors,
        starts_at=window.starts,
        ends_at=window.ends,
        expected=expected,
        arrived=arrived,
        remaining=max(0, expected - arrived),
        inside=max(0, entries - exits),
        entries=entries,
        exits=exits,
        refused=refused,
        capacity=event.policy.capacity,
    )


def _count_refusals(sums: Sequence[ScanSum]) -> list[Refusal]:
    found = [Refusal(reason=one.reason, count=one.refused) for one in sums if one.reason is not None and one.refused]
    return sorted(found, key=lambda one: (-one.count, one.reason))


def _view_type(one: TypeSum) -> Crowd:
    return Crowd(key=str(one.id), name=one.name, expected=one.expected, arrived=one.arrived, inside=max(0, one.inside))


def _sum_zones(types: Sequence[TypeSum], zones: Sequence[ZoneRow]) -> list[Crowd]:
    found = []
    for zone in zones:
        admitted = [one for one in types if one.zones >> zone.bit & 1]
        found.append(
            Crowd(
                key=str(zone.bit),
                name=zone.name,
                expected=sum(one.expected for one in admitted),
                arrived=sum(one.arrived for one in admitted),
                inside=max(0, sum(one.inside for one in admitted)),
            )
        )
    return found


async def _read_conflicts(tx: Unit, event: EventId) -> Conflicts:
    by_severity = {one.severity: one.count for one in await tx.live.open_conflicts(event)}
    newest = await tx.live.newest_open(event, _NEWEST_CONFLICTS)
    names = {row.id: row.name for row in await _gates_named(tx, newest)}
    return Conflicts(
        open=sum(by_severity.values()), by_severity=by_severity, newest=[_view_conflict(one, names) for one in newest]
    )


async def _gates_named(tx: Unit, conflicts: Sequence[ConflictRow]) -> list[GateRow]:
    wanted = {one.evidence.scan.gate for one in conflicts}
    found = [await tx.gates.get(gate) for gate in sorted(wanted)]
    return [gate for gate in found if gate is not None]


def _view_conflict(row: ConflictRow, names: Mapping[GateId, str]) -> OpenConflict:
    scan = row.evidence.scan
    return OpenConflict(
        id=row.id,
        ticket_id=row.ticket,
        kind=row.kind,
        severity=row.severity,
        gate=names.get(scan.gate, ""),
        at=from_unix_ms(scan.at_ms),
    )


def warn(policy: Policy, house: House, gates: Sequence[GateNow]) -> list[Caution]:
    """Return what is full, or nearly, and whether gates are silent."""
    found = []
    for kind, subject, inside, capacity in _crowds(policy, house, gates):
        if capacity is not None and inside >= _NEARLY_FULL * capacity:
            code = f"{kind}_full" if inside >= capacity else f"{kind}_nearly_full"
            found.append(Caution(code=code, subject=subject, figure=inside, limit=capacity))
    silent = sum(gate.condition is Condition.SILENT for gate in gates)
    if silent:
        found.append(Caution(code="gates_silent", subject="", figure=silent, limit=len(gates)))
    return found


def _crowds(policy: Policy, house: House, gates: Sequence[GateNow]) -> Iterator[tuple[str, str, int, int | None]]:
    """Yield everything that may be full: what it is, what it is called, how many are there, and how many may be."""
    yield "house", house.name, house.inside, house.capacity
    known = {gate.id: gate for gate in gates}
    for gate in gates:
        yield "gate", gate.name, max(0, gate.entries - gate.exits), policy.limit_at(gate.id)
    for area in policy.area_limits:
        around = [known[one] for one in area.gates if one in known]
        inside = max(0, sum(gate.entries - gate.exits for gate in around))
        yield "area", ", ".join(gate.name for gate in around), inside, area.capacity
