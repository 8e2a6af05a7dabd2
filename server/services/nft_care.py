"""Assets that were given up, as their organiser sees them, and tried again once the cause is mended."""

from __future__ import annotations

from typing import Annotated

import structlog
from msgspec import Meta, Struct

from server.domain.access import User
from server.services.context import Context
from server.services.ports_nft import CareDatabase
from server.services.problems import EventUnknown
from shared.ids import EventId, TicketId

MOST_SHOWN = 1_000
MOST_NAMED = 100

log = structlog.get_logger()


class GivenUpAsset(Struct, frozen=True, kw_only=True, rename="camel"):
    """An asset that nothing more is tried for. ``action`` is what was tried last, ``problem`` the code of what stood against it."""

    ticket_id: TicketId
    action: str
    problem: str | None
    tries: int


class GivenUpList(Struct, frozen=True, kw_only=True):
    """The first thousand of them."""

    items: list[GivenUpAsset]


class RetryRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tickets' assets are to be tried again, a hundred at most; without ``tickets``, all of the event that were given up."""

    tickets: Annotated[list[TicketId], Meta(min_length=1, max_length=MOST_NAMED)] | None = None


class Retried(Struct, frozen=True, kw_only=True):
    """How many are tried again; those that were not given up are left alone."""

    queued: int


async def list_given_up(context: Context, database: CareDatabase, user: User, event: EventId) -> GivenUpList:
    """Return what was given up of an event.

    Raises:
        EventUnknown: none of this tenant's.
    """
    await _check(context, user, event)
    async with database.worker() as unit:
        found = await unit.mints.given_up(user.tenant, event, MOST_SHOWN)
    return GivenUpList(
        items=[
            GivenUpAsset(ticket_id=one.ticket, action=one.action, problem=one.problem, tries=one.tries) for one in found
        ]
    )


async def retry(context: Context, database: CareDatabase, user: User, event: EventId, request: RetryRequest) -> Retried:
    """Try again what was given up of an event.

    Raises:
        EventUnknown: none of this tenant's.
    """
    await _check(context, user, event)
    async with database.worker() as unit:
        queued = await unit.mints.retry(user.tenant, event, request.tickets)
    log.info("nft.retried", event_id=str(event), queued=queued)
    return Retried(queued=queued)


async def _check(context: Context, user: User, event: EventId) -> None:
    async with context.db.tenant(user.tenant) as tx:
        if await tx.events.get(event) is None:
            raise EventUnknown("There is no such event.")
