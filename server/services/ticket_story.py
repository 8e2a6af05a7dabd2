"""One ticket's whole story: every step of its life, every scan of it and every conflict about it, in the order of time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.events import find_event
from server.services.rows_gates import ConflictRow, ScanRow
from server.services.ticket_desk import OrganiserTicket, StepView, TicketSummary, read_ticket
from shared.clock import from_unix_ms
from shared.ids import ConflictId, EventId, GateId, TenantId, TicketId

MOST_FOUND = 50
_MOST_SCANS = 500


class Chapter(Struct, frozen=True, kw_only=True):
    """One thing that happened: exactly one of step, scan and conflict. ``gate`` is the scan's, by name."""

    at: datetime
    step: StepView | None = None
    scan: ScanRow | None = None
    gate: str = ""
    conflict: ConflictRow | None = None


class TicketStory(Struct, frozen=True, kw_only=True):
    """A ticket and what happened to it, the newest first."""

    ticket: OrganiserTicket
    chapters: list[Chapter]
    open_conflicts: list[ConflictId]


async def find_tickets(context: Context, user: User, event_id: EventId, text: str) -> list[TicketSummary]:
    """Return an event's tickets that fit what somebody says: id, number elsewhere, seat, part of a name; 50 at most.

    Raises:
        EventUnknown: none of this tenant's.
    """
    try:
        ticket_id = UUID(text)
    except ValueError:
        ticket_id = None
    async with context.db.tenant(user.tenant) as tx:
        await find_event(tx, event_id)
        types = {one.id: one.name for one in await tx.stock.of_event(event_id)}
        rows = await tx.look_up.find_tickets(event_id, text, ticket_id, MOST_FOUND) if text else []
    return [
        TicketSummary(
            id=row.id,
            event_id=row.event,
            ticket_type_id=row.ticket_type,
            ticket_type_name=types[row.ticket_type],
            owner_id=row.owner,
            holder_name=row.holder_name,
            seat=row.seat,
            status=row.state,
            locked=row.locked,
            generation=row.generation,
            version=row.version,
            external_id=None,
        )
        for row in rows
    ]


async def read_story(context: Context, tenant: TenantId, ticket_id: TicketId) -> TicketStory:
    """Return a ticket and everything that happened to it.

    Raises:
        TicketUnknown: none of this tenant's.
    """
    ticket = await read_ticket(context, tenant, ticket_id)
    async with context.db.tenant(tenant) as tx:
        scans = await tx.look_up.scans_of_ticket(ticket_id, _MOST_SCANS)
        conflicts = await tx.conflicts.of_tickets([ticket_id])
        names: dict[GateId, str] = {}
        for gate in {scan.gate for scan in scans}:
            row = await tx.gates.get(gate)
            names[gate] = "" if row is None else row.name
    chapters = [
        *(Chapter(at=step.at, step=step) for step in ticket.history),
        *(Chapter(at=scan.at, scan=scan, gate=names[scan.gate]) for scan in scans),
        *(Chapter(at=from_unix_ms(one.evidence.scan.at_ms), conflict=one) for one in conflicts),
    ]
    return TicketStory(
        ticket=ticket,
        chapters=sorted(chapters, key=lambda one: one.at, reverse=True),
        open_conflicts=[one.id for one in conflicts if one.state in {"open", "acknowledged"}],
    )
