"""The audit log: what people do on the operations page, noted before it is done and completed with what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from server.services.context import Context
from server.services.listing import Listed
from server.services.rows import Page
from server.services.rows_staff import AuditRow
from server.services.sign_in import Worker
from shared.ids import EventId, TenantId, uuid7
from shared.problems import TicketTokenError

DONE = "done"
_MOST_DETAIL = 1000


class Deed(Struct, frozen=True, kw_only=True):
    """What is about to be done: to what, at which event, and what there is to say about it."""

    action: str
    subject: str = ""
    event: EventId | None = None
    detail: str = ""


@asynccontextmanager
async def audited(context: Context, worker: Worker, deed: Deed) -> AsyncIterator[None]:
    """Note a deed, let it be done inside the block, and note what came of it: ``done`` or the problem's code.

    If the process dies inside the block the entry stays without an outcome: then it has to be looked at.
    """
    now = context.clock.now()
    entry = AuditRow(
        tenant=worker.tenant,
        id=uuid7(now, context.random_bytes),
        at=now,
        actor_id=str(worker.staff.id),
        actor_name=worker.staff.name,
        action=deed.action,
        subject=deed.subject,
        event=deed.event,
        detail=deed.detail[:_MOST_DETAIL],
    )
    async with context.db.tenant(worker.tenant) as tx:
        await tx.audit.add(entry)
    outcome = "interrupted"
    try:
        yield
        outcome = DONE
    except TicketTokenError as problem:
        outcome = problem.code
        raise
    finally:
        async with context.db.tenant(worker.tenant) as tx:
            await tx.audit.complete(entry.id, outcome)


async def list_deeds(context: Context, tenant: TenantId, event: EventId | None, page: Page) -> Listed[AuditRow]:
    """Return a page of what was done, newest first."""
    async with context.db.tenant(tenant) as tx:
        rows = await tx.audit.list_all(event, Page(after=page.after, limit=page.limit + 1))
    kept = rows[: page.limit]
    return Listed(items=kept, next_after=kept[-1].id if len(rows) > page.limit else None)
