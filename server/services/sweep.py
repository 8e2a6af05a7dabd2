"""Housekeeping that nobody asks for: places of overdue reservations go back on sale, old answers are forgotten."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from server.services.context import Context
from server.services.reserve import release_expired
from shared.ids import EventId, TenantId

ANSWERS_KEPT = timedelta(hours=24)
CODES_KEPT = timedelta(days=7)
_EVENTS_AT_ONCE = 100


class Maintenance(Protocol):
    """What crosses tenants."""

    async def overdue_events(self, now: datetime, limit: int) -> list[tuple[TenantId, EventId]]:
        """Return events with reservations whose time is over."""
        ...

    async def forget_answers(self, before: datetime) -> None:
        """Delete kept answers of calls older than a moment."""
        ...

    async def forget_codes(self, before: datetime) -> None:
        """Delete enrolment codes that ended before a moment."""
        ...


class MaintenanceUnit(Protocol):
    """One transaction across tenants."""

    @property
    def maintenance(self) -> Maintenance:
        """Return its store."""
        ...


class MaintenanceDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[MaintenanceUnit]:
        """Open one transaction across tenants."""
        ...


class Swept(Struct, frozen=True, kw_only=True):
    """What a round did: how many events had overdue reservations."""

    events: int


async def sweep(context: Context, database: MaintenanceDatabase) -> Swept:
    """Do one round. What another process is doing at the same moment is left to it."""
    now = context.clock.now()
    async with database.worker() as unit:
        overdue = await unit.maintenance.overdue_events(now, _EVENTS_AT_ONCE)
        await unit.maintenance.forget_answers(now - ANSWERS_KEPT)
        await unit.maintenance.forget_codes(now - CODES_KEPT)
    for tenant, event in overdue:
        async with context.db.tenant(tenant) as tx:
            await release_expired(tx, event, now, set())
    return Swept(events=len(overdue))
