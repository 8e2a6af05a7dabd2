"""How long the feed is kept: until every gate in service is past it and a snapshot stands for it, or for a week."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from shared.ids import EventId, TenantId

FEED_KEPT = timedelta(days=7)
"""As long as the broker's streams keep it."""

BATCH = 1000
_EVENTS_AT_ONCE = 100
_BATCHES_IN_A_ROUND = 100
"""Over all events; the rest is for the next round, so that no round is long."""


class TrimmableFeed(Struct, frozen=True, kw_only=True):
    """An event whose feed can be cut: ``passed`` is up to where all its gates and its newest snapshot are."""

    tenant: TenantId
    event: EventId
    passed: int


class Trimming(Protocol):
    """The feeds of all tenants."""

    async def trimmable(self, old_before: datetime, limit: int) -> list[TrimmableFeed]:
        """Return events whose feed begins with entries that are passed or were numbered before a moment."""
        ...

    async def trim(self, feed: TrimmableFeed, old_before: datetime, limit: int) -> int:
        """Delete such entries among the oldest ``limit`` of an event, and return how many there were."""
        ...


class TrimmingUnit(Protocol):
    """One transaction across tenants."""

    @property
    def trimming(self) -> Trimming:
        """Return its store."""
        ...


class TrimmingDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[TrimmingUnit]:
        """Open one transaction across tenants."""
        ...


async def trim_feeds(database: TrimmingDatabase, now: datetime, batch: int = BATCH) -> int:
    """Do one round, a short transaction for each batch, and return how many entries went.

    A gate that comes back with a position before the first entry left is sent to the snapshot.

    Raises:
        Unavailable: the database is away.
    """
    old_before = now - FEED_KEPT
    async with database.worker() as unit:
        feeds = await unit.trimming.trimmable(old_before, _EVENTS_AT_ONCE)
    gone, batches = 0, 0
    for feed in feeds:
        went = batch
        while went == batch and batches < _BATCHES_IN_A_ROUND:
            async with database.worker() as unit:
                went = await unit.trimming.trim(feed, old_before, batch)
            gone, batches = gone + went, batches + 1
    return gone
