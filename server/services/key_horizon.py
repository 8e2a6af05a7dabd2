"""Keys ahead of time: every event that goes on has its epochs made up to the horizon before any gate asks."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from server.services.bundles import find_reading_keys
from server.services.codes import event_over
from server.services.context import Context
from shared.ids import EventId, TenantId


class Horizons(Protocol):
    """What crosses tenants."""

    async def going_events(self, now: datetime) -> list[tuple[TenantId, EventId]]:
        """Return events that are not over, a day's grace included."""
        ...


class HorizonUnit(Protocol):
    """One transaction across tenants."""

    @property
    def maintenance(self) -> Horizons:
        """Return its store."""
        ...


class HorizonDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[HorizonUnit]:
        """Open one transaction across tenants."""
        ...


async def provide_keys(context: Context, database: HorizonDatabase) -> int:
    """Make the epochs that are missing up to the horizon and return for how many events there are keys now."""
    now = context.clock.now()
    async with database.worker() as unit:
        going = await unit.maintenance.going_events(now)
    provided = 0
    for tenant, event_id in going:
        async with context.db.tenant(tenant) as tx:
            event = await tx.events.get(event_id)
            if event is not None and now < event_over(event):
                await find_reading_keys(tx, context, event, now)
                provided += 1
    return provided
