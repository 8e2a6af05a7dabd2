"""Organisers' long work, a part at a time: events that end and files that are applied, whoever began them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from server.services.context import Context
from server.services.endings import step_ending
from server.services.import_apply import begin_import, refuse_import, step_import
from server.services.import_seats import hold_some, release_some
from server.services.ports_organiser import ChoreDatabase
from server.services.rows_organiser import ImportState
from shared.ids import TenantId
from shared.problems import TicketTokenError

SILENCE = timedelta(minutes=15)
_AT_ONCE = 20
_PARTS_IN_A_ROUND = 20
"""Then the others get their turn, so that a huge event does not make small ones wait for its end."""

log = structlog.get_logger()


async def do_chores(context: Context, database: ChoreDatabase) -> bool:
    """Do one round and return whether anything was done, so that there may be more.

    Work that fails is told in the log and tried again next time; it does not keep the rest from being done.
    """
    async with database.worker() as unit:
        endings = await unit.maintenance.running_endings(_AT_ONCE)
        imports = await unit.maintenance.waiting_imports(_AT_ONCE, context.clock.now() - SILENCE)
    works = [partial(step_ending, context, tenant, event) for tenant, event in endings]
    works += [partial(_step_file, context, tenant, import_id) for tenant, import_id in imports]
    done = [await _do_parts(work) for work in works]
    return any(done)


async def _do_parts(work: Callable[[], Awaitable[bool]]) -> bool:
    """Do some parts of one piece of work; return whether there was one."""
    done = False
    try:
        for _ in range(_PARTS_IN_A_ROUND):
            if not await work():
                break
            done = True
    except TicketTokenError as problem:
        log.warning("chores.failed", code=problem.code, problem=str(problem))
    return done


async def _step_file(context: Context, tenant: TenantId, import_id: UUID) -> bool:
    async with context.db.tenant(tenant) as tx:
        row = await tx.imports.get(import_id)
    if row is None:
        return False
    step = _STEPS.get(row.state)
    return False if step is None else await step(context, tenant, import_id)


async def _give_up(context: Context, tenant: TenantId, import_id: UUID) -> bool:
    await refuse_import(context, tenant, import_id)
    return False


_STEPS: dict[ImportState, Callable[[Context, TenantId, UUID], Awaitable[bool]]] = {
    ImportState.RECEIVING: _give_up,
    ImportState.STAGED: begin_import,
    ImportState.HOLDING: hold_some,
    ImportState.RELEASING: release_some,
    ImportState.APPLYING: step_import,
}
