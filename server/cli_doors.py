"""`tickettoken gates` and `tickettoken conflicts`: what stands at the doors, and what went wrong there."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from server.cli_office import SOURCE, Office, operator, plain, run
from server.services import conflict_care
from server.services.enrol import Enrolment
from server.services.gate_views import CommandView, GateDetail, GateView, list_gates, show_gate
from server.services.problems_gates import ConflictUnknown, GateUnknown
from server.services.quarantine import QuarantineView, list_kept_apart
from server.services.rows import Page
from server.services.stats import ConflictView, WitnessView, list_conflicts
from shared.ids import ConflictId, EventId, GateId, TenantId

_PAGE = 100


def gates(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show an event's gates."""
    return run(arguments, environ, _list_gates)


def gate(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show one gate and what of it was kept apart."""
    return run(arguments, environ, _show_gate)


def revoke(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Take a gate out of service."""
    return run(arguments, environ, _revoke)


def conflicts(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show an event's conflicts."""
    return run(arguments, environ, _list_conflicts)


def conflict(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Show one conflict with its evidence."""
    return run(arguments, environ, _show_conflict)


def resolve(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Say what a conflict was."""
    return run(arguments, environ, _resolve)


async def _list_gates(arguments: argparse.Namespace, office: Office) -> None:
    event = EventId(arguments.event)
    tenant = await office.owner_of_event(event)
    found: list[GateView] = []
    page: Page | None = Page(limit=_PAGE)
    while page is not None:
        listed = await list_gates(office.context, tenant, event, page)
        found += listed.items
        page = None if listed.next_after is None else Page(after=listed.next_after, limit=_PAGE)
    office.tell(found, *([_gate_line(one) for one in found] or ["no gates yet"]))


async def _show_gate(arguments: argparse.Namespace, office: Office) -> None:
    gate_id = GateId(arguments.gate)
    tenant = await owner_of_gate(office, gate_id)
    found = await show_gate(office.context, tenant, gate_id)
    kept = await list_kept_apart(office.context, operator(tenant), gate_id)
    office.tell(found, *describe_gate(found), *[_kept_line(one) for one in kept])


async def _revoke(arguments: argparse.Namespace, office: Office) -> None:
    gate_id, context = GateId(arguments.gate), office.context
    tenant = await owner_of_gate(office, gate_id)
    enrolment = Enrolment(context.db, context.vault, context.random_bytes)
    await enrolment.revoke(tenant, gate_id, context.clock.now())
    found = await show_gate(context, tenant, gate_id)
    office.tell(found, f"'{plain(found.name)}' is out of service; the other gates are being told")


async def _list_conflicts(arguments: argparse.Namespace, office: Office) -> None:
    event = EventId(arguments.event)
    user = operator(await office.owner_of_event(event))
    found: list[ConflictView] = []
    page: Page | None = Page(limit=_PAGE)
    while page is not None and len(found) < arguments.limit:
        listed = await list_conflicts(office.context, user, event, page)
        found += [one for one in listed.items if arguments.all or one.state in {"open", "acknowledged"}]
        page = None if listed.next_after is None else Page(after=listed.next_after, limit=_PAGE)
    found = found[: arguments.limit]
    nothing = "no conflicts" if arguments.all else "no conflicts that wait for a decision"
    office.tell(found, *([_conflict_line(one) for one in found] or [nothing]))


async def _show_conflict(arguments: argparse.Namespace, office: Office) -> None:
    conflict_id = ConflictId(arguments.conflict)
    found = await conflict_care.read_conflict(
        office.context, await _owner_of_conflict(office, conflict_id), conflict_id
    )
    office.tell(found, *describe_conflict(found))


async def _resolve(arguments: argparse.Namespace, office: Office) -> None:
    conflict_id = ConflictId(arguments.conflict)
    by = conflict_care.Decider(tenant=await _owner_of_conflict(office, conflict_id), name=SOURCE)
    finding = conflict_care.Finding(resolution=conflict_care.Resolution(arguments.resolution), note=arguments.note)
    found = await conflict_care.resolve(office.context, by, conflict_id, finding)
    office.tell(found, f"resolved: {found.resolution}")


async def owner_of_gate(office: Office, gate_id: GateId) -> TenantId:
    """Return whose gate it is.

    Raises:
        GateUnknown: nobody's.
    """
    for tenant in office.tenants:
        async with office.context.db.tenant(tenant) as tx:
            if await tx.gates.get(gate_id) is not None:
                return tenant
    raise GateUnknown("There is no gate of this id: `tickettoken gates list EVENT` shows an event's.")


async def _owner_of_conflict(office: Office, conflict_id: ConflictId) -> TenantId:
    for tenant in office.tenants:
        async with office.context.db.tenant(tenant) as tx:
            if await tx.conflicts.lock(conflict_id) is not None:
                return tenant
    raise ConflictUnknown("There is no conflict of this id: `tickettoken conflicts list EVENT` shows an event's.")


def _gate_line(found: GateView) -> str:
    state = _state_of(found)
    seen = "never" if found.last_seen_at is None else f"{found.last_seen_at:%Y-%m-%d %H:%M:%S}"
    backlog = "-" if found.backlog is None else found.backlog
    kept = f"  kept apart {found.quarantined}" if found.quarantined else ""
    return f"{found.id}  {state:<10}  seen {seen}  backlog {backlog}{kept}  {plain(found.name)} ({found.direction})"


def _state_of(found: GateView) -> str:
    if found.revoked_at is not None:
        return "REVOKED"
    if found.alarm is not None:
        return "ALARM"
    if found.held_since is not None:
        return "ON HOLD"
    return "STALE" if found.stale else "in service"


def describe_gate(found: GateDetail) -> list[str]:
    """Return a gate, for people."""
    clock = "-" if found.clock_offset_ms is None else f"{found.clock_offset_ms / 1000:+.1f} s"
    battery = "" if found.battery is None else f", battery {found.battery} %"
    until = "" if found.keys_until is None else f", until {found.keys_until:%Y-%m-%d %H:%M}"
    camera = {True: "pictures", False: "NO PICTURES", None: "-"}[found.camera_alive]
    products = ", ".join(str(one) for one in found.products) or "all"
    said = "-" if found.feed_seq is None else f"{found.feed_seq} (backlog {found.backlog})"
    return [
        _gate_line(found),
        f"  event     {found.event_id}",
        f"  zones     {found.zones or 'all'}, products {products}",
        f"  role      {found.role}",
        f"  software  {plain(found.software) or '-'}",
        f"  enrolled  {found.enrolled_at:%Y-%m-%d %H:%M:%S}",
        f"  keys      bundle {found.bundle_version}{until}",
        f"  feed      {said}",
        f"  state     {found.mode or '-'}, clock {clock}, camera {camera}{battery}",
        *(
            [f"  on hold   since {found.held_since:%Y-%m-%d %H:%M:%S}: {plain(found.held_reason or '')}"]
            if found.held_since
            else []
        ),
        *([f"  alarm     {found.alarm} at {found.alarm_at:%Y-%m-%d %H:%M:%S}"] if found.alarm else []),
        *[_command_line(one) for one in found.commands],
    ]


def _command_line(found: CommandView) -> str:
    told = f": {plain(found.text)}" if found.text is not None else ""
    said = f" ({plain(found.message)})" if found.message else ""
    at = f"{found.created_at:%Y-%m-%d %H:%M:%S}"
    return f"  command   {found.number}  {at}  {found.kind}{told}  {found.state}{said}  by {plain(found.created_by)}"


def _kept_line(kept: QuarantineView) -> str:
    what = "unreadable" if kept.records is None else f"{kept.records} scans, {kept.admitted} let in"
    return f"  kept apart {kept.received_at:%Y-%m-%d %H:%M:%S}  {kept.reason}  {what}  {kept.batch_hash[:16]}"


def _conflict_line(found: ConflictView) -> str:
    state = found.state if found.resolution is None else f"{found.state} ({found.resolution})"
    return f"{found.id}  {found.severity:<6}  {found.kind:<11}  {state}  {found.created_at:%Y-%m-%d %H:%M:%S}"


def describe_conflict(found: ConflictView) -> list[str]:
    """Return a conflict with its evidence, for people."""
    lines = [_conflict_line(found), f"  ticket    {found.ticket_id}"]
    if found.evidence.earlier is not None:
        lines.append(f"  first     {_witness(found.evidence.earlier)}")
    lines.append(f"  then      {_witness(found.evidence.later)}")
    if found.evidence.stale is not None:
        stale = found.evidence.stale
        lines.append(f"  although  {stale.state} since {stale.since:%Y-%m-%d %H:%M:%S}")
    if found.decided_by is not None:
        lines.append(f"  decided   by {plain(found.decided_by)}" + (f": {plain(found.note)}" if found.note else ""))
    return lines


def _witness(found: WitnessView) -> str:
    proof = "live code" if found.proven else "no proof"
    at = f"{found.at:%Y-%m-%d %H:%M:%S}"
    return f"{at} +-{found.unsure_ms} ms  {plain(found.gate_name)}  {found.mode}, {proof}  scan {found.scan_id}"
