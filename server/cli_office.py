"""What the organiser's commands share: the opened installation, whose event or ticket is meant, and how answers are told."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from server.cli_deeds import noting
from server.cli_tools import open_plan
from server.domain.access import Role, User
from server.parts import Parts, open_parts
from server.services.context import Context
from server.services.ports import Unit
from server.services.problems import EventUnknown, TicketUnknown
from server.services.problems_organiser import TenantUnknown
from server.services.rows import ActorRef
from server.settings import LogLevel
from shared.ids import EventId, TenantId, TicketId, UserId
from shared.logs import configure_logs
from shared.tickets.lifecycle import Actor

SOURCE = "cli"
OPERATOR = ActorRef(kind=Actor.ORGANISER, id=SOURCE)

_BAR = 24


class Office(Struct, frozen=True, kw_only=True):
    """An opened installation, and the tenants the command may be about."""

    context: Context
    tenants: list[TenantId]
    json: bool
    still: Callable[[TenantId], AbstractAsyncContextManager[Unit]]
    """Opens a transaction all of whose reads see the same moment."""

    def tell(self, answer: object, *lines: str) -> None:
        """Print the answer: the struct as JSON, or lines for people."""
        text = msgspec.json.encode(answer).decode() if self.json else "\n".join(lines)
        sys.stdout.write(text + "\n")

    async def owner_of_event(self, event: EventId) -> TenantId:
        """Return whose event it is.

        Raises:
            EventUnknown: nobody's.
        """
        for tenant in self.tenants:
            async with self.context.db.tenant(tenant) as tx:
                if await tx.events.get(event) is not None:
                    return tenant
        raise EventUnknown("There is no event of this id: `tickettoken events list` shows all.")

    async def owner_of_ticket(self, ticket: TicketId) -> TenantId:
        """Return whose event's ticket it is.

        Raises:
            TicketUnknown: nobody's.
        """
        for tenant in self.tenants:
            async with self.context.db.tenant(tenant) as tx:
                if await tx.tickets.get(ticket) is not None:
                    return tenant
        raise TicketUnknown("There is no ticket of this id.")


Work = Callable[[argparse.Namespace, Office], Awaitable[None]]


def run(arguments: argparse.Namespace, environ: Mapping[str, str], work: Work) -> int:
    """Open the installation, do a command's work and return the process's exit status."""

    async def work_inside() -> None:
        async with AsyncExitStack() as stack:
            plan = await stack.enter_async_context(open_plan(arguments, environ))
            parts = await stack.enter_async_context(open_parts(plan))
            tenants = await _list_tenants(parts, getattr(arguments, "tenant", None))
            context = parts.context
            office = Office(context=context, tenants=tenants, json=arguments.json, still=parts.database.still)
            async with noting(arguments, context, tenants):
                await work(arguments, office)

    # the answer is on standard output alone; what is worth a log line is said by the answer already
    configure_logs(LogLevel.WARNING)
    asyncio.run(work_inside())
    return 0


def operator(tenant: TenantId) -> User:
    """Return whoever sits at this machine as a caller with every right on one tenant."""
    return User(tenant=tenant, user=UserId(uuid5(tenant, SOURCE)), role=Role.ADMIN)


def plain(text: str) -> str:
    """Return a stored name without what could move the cursor or turn the line."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def show_progress(word: str, done: int, total: int) -> None:
    """Draw how far long work is, over the line before; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return
    filled = _BAR if total == 0 else min(_BAR, done * _BAR // total)
    sys.stderr.write(f"\r{word} [{'#' * filled}{'.' * (_BAR - filled)}] {done} of {total}")
    sys.stderr.flush()


def end_progress() -> None:
    """Leave the line on which progress was drawn."""
    if sys.stderr.isatty():
        sys.stderr.write("\n")


async def _list_tenants(parts: Parts, wanted: UUID | None) -> list[TenantId]:
    async with parts.database.worker() as unit:
        tenants = await unit.maintenance.tenants()
    if wanted is None:
        return tenants
    if wanted not in tenants:
        raise TenantUnknown("There is no tenant of this id: `tickettoken tenants list` shows all.")
    return [TenantId(wanted)]
