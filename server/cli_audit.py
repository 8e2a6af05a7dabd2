"""`tickettoken audit`: what was done at an organiser, by whom and by which way."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from server.cli_desk import TenantDesk, run_at_desk
from server.cli_office import plain
from server.services.audit_views import read_all, view_deed
from server.services.rows_staff import AuditRow
from shared.ids import EventId


def listing(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what was done, the newest first."""

    async def work(arguments: argparse.Namespace, desk: TenantDesk) -> None:
        event = None if arguments.event is None else EventId(arguments.event)
        rows: list[AuditRow] = []
        async for some in read_all(desk.context, desk.tenant, event):
            rows += some
            if len(rows) >= arguments.limit:
                break
        rows = rows[: arguments.limit]
        desk.tell([view_deed(row) for row in rows], *([_line(row) for row in rows] or ["nothing was done yet"]))

    return run_at_desk(arguments, environ, work)


def _line(row: AuditRow) -> str:
    who = plain(row.actor_name) or plain(row.actor_id)
    what = " ".join(one for one in (row.action, plain(row.subject) or str(row.event or ""), plain(row.detail)) if one)
    return f"{row.at:%Y-%m-%d %H:%M:%S}  {row.via or '-':<7}  {who}: {what}  [{row.outcome or 'not known'}]"
