"""Housekeeping that nobody asks for: places of overdue reservations go back on sale, old offers and answers are forgotten."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from msgspec import Struct

from server.services.context import Context
from server.services.money_back import UNUSED_FOR, return_unused
from server.services.ports_facts import Refusals
from server.services.release import release_overdue
from server.services.trimming import Trimming, trim_feeds
from shared.ids import EventId, TenantId
from shared.problems import TicketTokenError

ANSWERS_KEPT = timedelta(hours=24)
CODES_KEPT = timedelta(days=7)
SESSIONS_KEPT = timedelta(days=30)
MESSAGES_KEPT = timedelta(days=60)
"""Longer than anybody sends a message again, or leaves a dead letter lying."""

_EVENTS_AT_ONCE = 100
_TRANSFERS_AT_ONCE = 1000
_PAYMENTS_AT_ONCE = 500

log = structlog.get_logger()


class Maintenance(Protocol):
    """What crosses tenants."""

    async def overdue_events(self, now: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events with reservations whose time is over."""
        ...

    async def end_transfers(self, now: datetime, limit: int) -> int:
        """Mark pending offers whose time is over expired, passing over those at work; return how many there were."""
        ...

    async def unused_payments(self, noted_before: datetime, limit: int) -> list[tuple[TenantId, str]]:
        """Return payments that were told of before a moment and that nobody has looked after since."""
        ...

    async def forget_answers(self, before: datetime) -> None:
        """Delete kept answers of calls older than a moment."""
        ...

    async def forget_nonces(self, before: datetime) -> None:
        """Delete nonces of signed calls whose time ended before a moment."""
        ...

    async def events_to_erase(self, ended_before: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events over since before a moment whose people are still known."""
        ...

    async def forget_codes(self, before: datetime) -> None:
        """Delete enrolment codes that ended before a moment."""
        ...

    async def forget_sessions(self, before: datetime) -> None:
        """Delete sessions of the operations page whose time was over before a moment."""
        ...


class MaintenanceUnit(Protocol):
    """One transaction across tenants."""

    @property
    def maintenance(self) -> Maintenance:
        """Return its store."""
        ...

    @property
    def refusals(self) -> Refusals:
        """Return the store of what did not get through."""
        ...

    @property
    def trimming(self) -> Trimming:
        """Return the store of the feeds' oldest entries."""
        ...


class MaintenanceDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[MaintenanceUnit]:
        """Open one transaction across tenants."""
        ...


class Swept(Struct, frozen=True, kw_only=True):
    """What a round did: events with overdue reservations, offers of tickets that ended, entries taken out of feeds, payments
    that nobody used and that go back.
    """

    events: int
    transfers: int = 0
    trimmed: int = 0
    returned: int = 0


async def sweep(context: Context, database: MaintenanceDatabase) -> Swept:
    """Do one round. What another process is doing at the same moment is left to it."""
    now = context.clock.now()
    async with database.worker() as unit:
        overdue = await unit.maintenance.overdue_events(now, _EVENTS_AT_ONCE)
        ended = await unit.maintenance.end_transfers(now, _TRANSFERS_AT_ONCE)
        unused = await unit.maintenance.unused_payments(now - UNUSED_FOR, _PAYMENTS_AT_ONCE)
        await unit.maintenance.forget_answers(now - ANSWERS_KEPT)
        await unit.maintenance.forget_nonces(now)
        await unit.maintenance.forget_codes(now - CODES_KEPT)
        await unit.maintenance.forget_sessions(now - SESSIONS_KEPT)
        await unit.refusals.forget(now - MESSAGES_KEPT)
    for tenant, event in overdue:
        await _release_all(context, tenant, event, now)
    returned = [await _return(context, tenant, payment, now) for tenant, payment in unused]
    trimmed = await trim_feeds(database, now)
    return Swept(events=len(overdue), transfers=ended, trimmed=trimmed, returned=sum(returned))


async def _return(context: Context, tenant: TenantId, payment: str, now: datetime) -> bool:
    """Look after one payment; if that fails, the others still get their turn, and this one in the next round."""
    try:
        return await return_unused(context, tenant, payment, now)
    except TicketTokenError as problem:
        log.warning("sweep.payment_failed", code=problem.code)
        return False


async def _release_all(context: Context, tenant: TenantId, event: EventId, now: datetime) -> None:
    """Free what is overdue of one event, in portions; if that fails, the other events still get their turn."""
    more = True
    try:
        while more:
            async with context.db.tenant(tenant) as tx:
                more = await release_overdue(tx, event, now)
    except TicketTokenError as problem:
        log.warning("sweep.event_failed", event_id=str(event), code=problem.code)
