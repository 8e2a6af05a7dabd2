"""`tickettoken audit`: what was done at an organiser, by whom and by which way."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from server.cli_desk import TenantDesk, run_at_desk
from server.cli_office import plain
from server.services.audit import list_deeds
from server.services.rows import Page
from server.services.rows_staff import AuditRow, Via
from shared.ids import EventId

_PAGE = 500


class ToldDeed(Struct, frozen=True, kw_only=True, rename="camel"):
    """Something that was done, as JSON."""

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


def listing(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what was done, the newest first."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        event = None if arguments.event is None else EventId(arguments.event)
        rows: list[AuditRow] = []
        page: Page | None = Page(limit=min(_PAGE, arguments.limit))
        while page is not None and len(rows) < arguments.limit:
            listed = await list_deeds(desk.context, desk.tenant, event, page)
            rows += listed.items
            page = None if listed.next_after is None else Page(after=listed.next_after, limit=_PAGE)
        rows = rows[: arguments.limit]
        desk.tell([_tell(row) for row in rows], *([_line(row) for row in rows] or ["nothing was done yet"]))

    return run_at_desk(arguments, environ, work)


def _tell(row: AuditRow) -> ToldDeed:
    kept = {name: getattr(row, name) for name in ("id", "at", "via", "actor_id", "actor_name", "action", "subject")}
    return ToldDeed(**kept, event_id=row.event, detail=row.detail, outcome=row.outcome, trace_id=row.trace)


def _line(row: AuditRow) -> str:
    who = plain(row.actor_name) or plain(row.actor_id)
    what = " ".join(one for one in (row.action, plain(row.subject) or str(row.event or ""), plain(row.detail)) if one)
    return f"{row.at:%Y-%m-%d %H:%M:%S}  {row.via or '-':<7}  {who}: {what}  [{row.outcome or 'not known'}]"
