"""Whole lists of an event for organisers to take along: scans, conflicts, tickets and figures, in portions.

Each portion is a transaction of its own, so that a slow reader holds nothing up. Lists go from the newest backwards by
position: what comes to be meanwhile is not in them, and nothing is in them twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import fields

from server.domain.access import User
from server.domain.sheet import Cell
from server.services import stats
from server.services.context import Context
from server.services.listing import Listed
from server.services.rows import Page
from server.services.rows_organiser import TicketFilter
from server.services.ticket_desk import TicketSummary, list_tickets
from shared.ids import EventId

AT_ONCE = 500

Fetch = Callable[[Page], Awaitable[Listed[Any]]]


class Subject(StrEnum):
    """What can be taken along."""

    STATS = "stats"
    SCANS = "scans"
    CONFLICTS = "conflicts"
    TICKETS = "tickets"


class Table(Struct, frozen=True, kw_only=True):
    """How items are laid out in a sheet: the head, and the rows of one item."""

    head: tuple[str, ...]
    rows: Callable[[Any], list[tuple[Cell, ...]]]


async def read_portions(context: Context, user: User, event: EventId, subject: Subject) -> AsyncIterator[Sequence[Any]]:
    """Yield an event's scans, conflicts or tickets as their lists show them, or its figures as one item.

    Raises:
        EventUnknown: the caller's tenant has no such event; raised for the first portion.
    """
    if subject is Subject.STATS:
        yield [await stats.read_figures(context, user, event)]
        return
    fetch = _fetch(context, user, event, subject)
    after: UUID | None = None
    while True:
        found = await fetch(Page(after=after, limit=AT_ONCE))
        yield found.items
        after = found.next_after
        if after is None:
            return


def _fetch(context: Context, user: User, event: EventId, subject: Subject) -> Fetch:
    if subject is Subject.SCANS:
        return lambda page: stats.list_scans(context, user, event, page)
    if subject is Subject.CONFLICTS:
        return lambda page: stats.list_conflicts(context, user, event, page)
    return lambda page: list_tickets(context, user, event, TicketFilter(), page)


def _flat(kind: type[Struct]) -> Table:
    """Lay out a struct of plain fields: a column for each."""
    names = [one.name for one in fields(kind)]
    head = tuple(one.encode_name for one in fields(kind))
    return Table(head=head, rows=lambda item: [tuple(getattr(item, name) for name in names)])


def _conflict(item: stats.ConflictView) -> list[tuple[Cell, ...]]:
    later, earlier, stale = item.evidence.later, item.evidence.earlier, item.evidence.stale
    return [
        (
            item.id,
            item.ticket_id,
            item.kind,
            item.severity,
            item.state,
            item.resolution,
            item.decided_by,
            item.note,
            item.created_at,
            item.updated_at,
            later.scan_id,
            later.gate_name,
            later.at,
            earlier.scan_id if earlier else None,
            earlier.gate_name if earlier else None,
            earlier.at if earlier else None,
            stale.state if stale else None,
            stale.since if stale else None,
        )
    ]


_CONFLICT_HEAD = (
    *("id", "ticketId", "kind", "severity", "state", "resolution", "decidedBy", "note", "createdAt", "updatedAt"),
    *("laterScanId", "laterGateName", "laterAt", "earlierScanId", "earlierGateName", "earlierAt"),
    *("staleState", "staleSince"),
)


def _figures(item: stats.EventFigures) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = [
        (one.encode_name, None, getattr(item, one.name)) for one in fields(item) if one.type is int
    ]
    rows += [("refusedByReason", reason, count) for reason, count in sorted(item.refused_by_reason.items())]
    rows += [("conflictsByClass", kind, count) for kind, count in sorted(item.conflicts_by_class.items())]
    for gate in item.by_gate:
        rows += [
            ("gateEntries", gate.name, gate.entries),
            ("gateExits", gate.name, gate.exits),
            ("gateRefused", gate.name, gate.refused),
            ("gateLastScanAt", gate.name, gate.last_scan_at),
        ]
    return rows


TABLES: dict[Subject, Table] = {
    Subject.STATS: Table(head=("figure", "of", "value"), rows=_figures),
    Subject.SCANS: _flat(stats.ScanView),
    Subject.CONFLICTS: Table(head=_CONFLICT_HEAD, rows=_conflict),
    Subject.TICKETS: _flat(TicketSummary),
}
