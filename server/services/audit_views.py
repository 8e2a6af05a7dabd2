"""What is told of the audit log, over HTTP and on the command line alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.services.audit import list_deeds
from server.services.context import Context
from server.services.rows import Page
from server.services.rows_staff import AuditRow, Via
from shared.ids import EventId, TenantId

_AT_ONCE = 500


class DeedView(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that was done.

    ``outcome``: ``done``, a problem's code, ``interrupted``, or null while it goes on and where it was cut off. ``traceId`` is that
    of the log lines.
    """

    id: UUID
    at: datetime
    via: Via | None
    actor_id: str
    actor_name: str
    action: str
    subject: str
    event_id: EventId | None
    detail: str
    outcome: str | None
    trace_id: str | None


async def read_all(context: Context, tenant: TenantId, event: EventId | None) -> AsyncIterator[Sequence[AuditRow]]:
    """Yield everything that was done, the newest first, in portions that are a transaction each."""
    after: UUID | None = None
    while True:
        found = await list_deeds(context, tenant, event, Page(after=after, limit=_AT_ONCE))
        yield found.items
        after = found.next_after
        if after is None:
            return


def view_deed(row: AuditRow) -> DeedView:
    """Return what is told of one."""
    return DeedView(
        id=row.id,
        at=row.at,
        via=row.via,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        subject=row.subject,
        event_id=row.event,
        detail=row.detail,
        outcome=row.outcome,
        trace_id=row.trace,
    )
