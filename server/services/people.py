"""Forgetting people: names and addresses go, what happened stays.

Scans, states, orders and conflicts hold ids alone and are kept: they are the books. An account's id leads to a person only in
the identity service, which forgets by itself.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from server.services.audit import DONE
from server.services.context import Context
from server.services.ports import Unit
from server.services.rows import ActorRef
from server.services.rows_staff import AuditRow
from server.services.transition import Changes, Move, move_ticket
from shared.ids import EventId, TenantId, UserId, uuid7
from shared.problems import InputUnusable, TicketTokenError
from shared.tickets.lifecycle import Actor

AT_ONCE = 500
_EVENTS_AT_ONCE = 20
SOURCE = "erasure"
_REASON = "personal data erased"

log = structlog.get_logger()


class Erased(Struct, frozen=True, kw_only=True):
    """What was erased: names on tickets, offers of tickets with their addresses and words, rows of files of tickets."""

    tickets: int
    transfers: int
    lines: int


class Due(Protocol):
    """Finds what crosses tenants."""

    async def events_to_erase(self, ended_before: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events over since before a moment whose people are still known."""
        ...


class DueUnit(Protocol):
    """One transaction across tenants."""

    @property
    def maintenance(self) -> Due:
        """Return its store."""
        ...


class DueDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[DueUnit]:
        """Open one transaction across tenants."""
        ...


async def forget_person(
    context: Context, tenant: TenantId, user: UserId | None, email: str | None, actor: ActorRef
) -> Erased:
    """Erase what one tenant knows of somebody, by account, by address, or both; gates learn it with their next news.

    Raises:
        InputUnusable: neither is given.
    """
    if user is None and email is None:
        raise InputUnusable("name an account or an address")
    now = context.clock.now()
    async with context.db.tenant(tenant) as tx:
        tickets = 0 if user is None else await _take_names_off(context, tx, user, actor)
        offers, lines = await tx.people.erase_person(user, email and email.strip().lower(), now)
        erased = Erased(tickets=tickets, transfers=offers, lines=lines)
        # The address is not written down: it would outlive its own erasure.
        await _note(tx, _deed(context, tenant, actor, "people.forget", str(user or "an address")), erased)
    return erased


async def erase_due(context: Context, database: DueDatabase, kept: timedelta) -> int:
    """Erase the people of events that have been over for longer than they are kept; return of how many events."""
    now = context.clock.now()
    async with database.worker() as unit:
        due = await unit.maintenance.events_to_erase(now - kept, _EVENTS_AT_ONCE)
    done = 0
    for tenant, event in due:
        try:
            await erase_event(context, tenant, event)
            done += 1
        except TicketTokenError as problem:
            # The others still get their turn, and this one the next time.
            log.warning("people.event_failed", event_id=str(event), code=problem.code)
    return done


async def erase_event(context: Context, tenant: TenantId, event: EventId) -> Erased:
    """Erase everybody's names and addresses at one event, in portions; safe to interrupt and to repeat."""
    now = context.clock.now()
    tickets = 0
    while True:
        async with context.db.tenant(tenant) as tx:
            portion = await tx.people.erase_holders(event, now, AT_ONCE)
            tickets += portion
            if portion == AT_ONCE:
                continue
            offers, lines = await tx.people.erase_event(event, now)
            erased = Erased(tickets=tickets, transfers=offers, lines=lines)
            by = ActorRef(kind=Actor.SYSTEM, id="retention")
            await _note(tx, replace(_deed(context, tenant, by, "people.erase_event", str(event)), event=event), erased)
        log.info("people.erased", event_id=str(event), tickets=tickets, transfers=offers, lines=lines)
        return erased


async def _take_names_off(context: Context, tx: Unit, user: UserId, actor: ActorRef) -> int:
    now = context.clock.now()
    over = await tx.people.erase_ended_of_owner(user, now)
    named = await tx.people.named_of_owner(user)
    for ticket_id in named:
        ticket = await tx.tickets.lock(ticket_id)
        if ticket is None:
            continue
        changes = Changes(holder_name="")
        move = Move(to=ticket.state, actor=actor, source=SOURCE, now=now, reason=_REASON, stays=True, changes=changes)
        await move_ticket(tx, context.vault, ticket, move)
    return over + len(named)


async def _note(tx: Unit, deed: AuditRow, erased: Erased) -> None:
    detail = f"{erased.tickets} tickets, {erased.transfers} transfers, {erased.lines} rows of files"
    await tx.audit.add(replace(deed, detail=detail))
    await tx.audit.complete(deed.id, DONE)


def _deed(context: Context, tenant: TenantId, actor: ActorRef, action: str, subject: str) -> AuditRow:
    now = context.clock.now()
    return AuditRow(
        tenant=tenant,
        id=uuid7(now, context.random_bytes),
        at=now,
        actor_id=actor.id,
        actor_name="",
        action=action,
        subject=subject,
    )
