"""The audit log: what people do on the page, over the API and on the command line, noted before it is done and completed after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from msgspec import Struct

from server.domain.access import User
from server.services.context import Context
from server.services.correlation import present_correlation
from server.services.listing import Listed
from server.services.ports import Unit
from server.services.rows import Page
from server.services.rows_staff import AuditRow, Via
from server.services.sign_in import Worker
from shared.ids import EventId, TenantId, uuid7
from shared.problems import TicketTokenError

DONE = "done"
_MOST_DETAIL = 1000
_MOST_SUBJECT = 100
_MOST_NAME = 100

log = structlog.get_logger()


class Doer(Struct, frozen=True, kw_only=True):
    """Who does something, for which tenant, and by which way; ``name`` is empty where only an id is known."""

    tenant: TenantId
    via: Via
    id: str
    name: str = ""


class Deed(Struct, frozen=True, kw_only=True):
    """What is about to be done: to what, at which event, and what there is to say about it."""

    action: str
    subject: str = ""
    event: EventId | None = None
    detail: str = ""


def worker_at_page(worker: Worker) -> Doer:
    """Return somebody who is signed in to the page."""
    return Doer(tenant=worker.tenant, via=Via.PAGE, id=str(worker.staff.id), name=worker.staff.name)


def caller_of_api(user: User) -> Doer:
    """Return whoever calls with a token or an API key: of them only the id is known here."""
    who = str(user.user) if user.key is None else f"key {user.key}"
    return Doer(tenant=user.tenant, via=Via.API, id=who)


@asynccontextmanager
async def audited(context: Context, by: Worker | Doer, deed: Deed) -> AsyncIterator[None]:
    """Note a deed, let it be done inside the block, and note what came of it: ``done`` or the problem's code.

    If the process dies inside the block, or the database is away after it, the entry stays without an outcome: then it has
    to be looked at.
    """
    entry = _entry(context, by if isinstance(by, Doer) else worker_at_page(by), deed)
    async with context.db.tenant(entry.tenant) as tx:
        await tx.audit.add(entry)
    outcome = "interrupted"
    try:
        yield
        outcome = DONE
    except TicketTokenError as problem:
        outcome = problem.code
        raise
    finally:
        await _complete(context, entry, outcome)


async def note_done(context: Context, tx: Unit, by: Doer, deed: Deed) -> None:
    """Note a deed together with what it does: both become visible at once, or neither."""
    entry = _entry(context, by, deed)
    await tx.audit.add(entry)
    await tx.audit.complete(entry.id, DONE)


async def list_deeds(context: Context, tenant: TenantId, event: EventId | None, page: Page) -> Listed[AuditRow]:
    """Return a page of what was done, newest first."""
    async with context.db.tenant(tenant) as tx:
        rows = await tx.audit.list_all(event, Page(after=page.after, limit=page.limit + 1))
    kept = rows[: page.limit]
    return Listed(items=kept, next_after=kept[-1].id if len(rows) > page.limit else None)


def _entry(context: Context, by: Doer, deed: Deed) -> AuditRow:
    now = context.clock.now()
    return AuditRow(
        tenant=by.tenant,
        id=uuid7(now, context.random_bytes),
        at=now,
        actor_id=by.id,
        actor_name=by.name[:_MOST_NAME],
        action=deed.action,
        subject=_storable(deed.subject)[:_MOST_SUBJECT],
        event=deed.event,
        detail=_storable(deed.detail)[:_MOST_DETAIL],
        via=by.via,
        trace=present_correlation(),
    )


def _storable(text: str) -> str:
    # What a call says is noted before it is looked at; what PostgreSQL cannot keep must not be the reason to refuse it.
    return "".join("\ufffd" if one == "\0" or "\ud800" <= one <= "\udfff" else one for one in text)


async def _complete(context: Context, entry: AuditRow, outcome: str) -> None:
    try:
        async with context.db.tenant(entry.tenant) as tx:
            await tx.audit.complete(entry.id, outcome)
    except TicketTokenError as problem:
        # What was done is done: whoever asked must not be told that it was not.
        log.warning("audit.not_completed", entry=str(entry.id), action=entry.action, outcome=outcome, code=problem.code)
