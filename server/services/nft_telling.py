"""Tickets that wait for their mint: told of it once, from sold over minted to active."""

from __future__ import annotations

from collections import defaultdict

import structlog

from server.services.context import Context
from server.services.ports_mint import MintDatabase
from server.services.rows import ActorRef
from server.services.rows_mint import UntoldTicket
from server.services.transition import Move, move_tickets
from shared.ids import EventId, TenantId
from shared.problems import Conflict
from shared.tickets.lifecycle import Actor, State

AT_ONCE = 200
SOURCE = "mint"

log = structlog.get_logger()


async def tell_minted(context: Context, database: MintDatabase) -> int:
    """Take tickets whose asset is on chain to where they may enter; return how many were looked at."""
    async with database.worker() as unit:
        untold = await unit.mints.untold(AT_ONCE)
    by_event: dict[tuple[TenantId, EventId], list[UntoldTicket]] = defaultdict(list)
    for one in untold:
        by_event[one.tenant, one.event].append(one)
    for (tenant, _), tickets in by_event.items():
        try:
            await _activate(context, tenant, tickets)
        except Conflict as problem:
            # One of them changed at the same moment: they are looked at again.
            log.info("mint.tell_again", code=problem.code)
            continue
        async with database.worker() as unit:
            await unit.mints.told(tickets)
    return len(untold)


async def _activate(context: Context, tenant: TenantId, tickets: list[UntoldTicket]) -> None:
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        rows = [row for one in tickets if (row := await tx.tickets.get(one.ticket)) is not None]
        types = await tx.stock.of_event(tickets[0].event)
        actor = ActorRef(kind=Actor.SYSTEM, id=SOURCE)
        minted = Move(to=State.MINTED, actor=actor, source=SOURCE, now=now)
        waiting = [row for row in rows if row.state is State.SOLD]
        through = await move_tickets(tx, context.vault, waiting, types, minted) if waiting else []
        through += [row for row in rows if row.state is State.MINTED]
        if through:
            active = Move(to=State.ACTIVE, actor=actor, source=SOURCE, now=now)
            await move_tickets(tx, context.vault, through, types, active)
