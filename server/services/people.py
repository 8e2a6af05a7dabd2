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

from server.services.audit import Deed, Doer, note_done
from server.services.context import Context
from server.services.ports import Unit
from server.services.rows import ActorRef
from server.services.rows_staff import Via
from server.services.transition import Changes, Move, move_ticket
from shared.ids import EventId, TenantId, UserId
from shared.problems import InputUnusable, TicketTokenError
from shared.tickets.lifecycle import Actor

AT_ONCE = 500
_EVENTS_AT_ONCE = 20
SOURCE = "erasure"
_REASON = "personal data erased"

log = structlog.get_logger()


class Erased(Struct, frozen=True, kw_only=True):
    """What was erased: names on tickets, offers with their addresses and words, rows of files of tickets, kept answers."""

    tickets: int
    transfers: int
    lines: int
    answers: int = 0


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


async def forget_person(context: Context, by: Doer, user: UserId | None, email: str | None) -> Erased:
    """Erase what one tenant knows of somebody, by account, by address, or both; gates learn it with their next news.

    Raises:
        InputUnusable: neither is given.
    """
    if user is None and email is None:
        raise InputUnusable("name an account or an address")
    now, actor = context.clock.now(), ActorRef(kind=Actor.ORGANISER, id=by.id)
    async with context.db.tenant(by.tenant) as tx:
        tickets = 0 if user is None else await _take_names_off(context, tx, user, actor)
        address = email and email.strip().lower()
        offers, lines = await tx.people.erase_person(user, address, now)
        answers = await tx.people.erase_answers(user, address)
        erased = Erased(tickets=tickets, transfers=offers, lines=lines, answers=answers)
        # The address is not written down: it would outlive its own erasure.
        deed = Deed(action="people.forget", subject=str(user or "an address"), detail=_describe(erased))
        await note_done(context, tx, by, deed)
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
            deed = Deed(action="people.erase_event", subject=str(event), event=event, detail=_describe(erased))
            await note_done(context, tx, Doer(tenant=tenant, via=Via.SYSTEM, id="retention"), deed)
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


def _describe(erased: Erased) -> str:
    return f"{erased.tickets} tickets, {erased.transfers} transfers, {erased.lines} rows of files, {erased.answers} answers"
