"""The publisher's own session: on it it leads, is woken, and works."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from server.db.driver import read_row
from server.db.leader_session import LeaderSession, open_leader_session
from server.db.pool import PgDatabase
from server.db.statements import load_statements
from server.services.rows_facts import QueuedFact
from shared.problems import Unavailable

_SQL = load_statements("publisher.sql")


class PublisherSessionLost(Unavailable):
    """The publisher's session ended; another publisher may lead by now."""

    code = "publisher_session_lost"


class PgPublisherSession(LeaderSession):
    """Implements ``server.services.ports_facts.PublisherSession`` on a connection of the worker role."""

    leader = "publisher"
    take_lead = _SQL["lead"]
    lost = PublisherSessionLost

    async def waiting(self, now: datetime, limit: int) -> list[QueuedFact]:
        """Return facts to publish, oldest first."""
        return [read_row(row, QueuedFact) for row in await self._connection.fetch(_SQL["waiting"], now, limit)]

    async def published(self, ids: Collection[int]) -> None:
        """Forget facts that the broker has confirmed."""
        await self._connection.execute(_SQL["published"], list(ids))

    async def postpone(self, fact: int, retry_at: datetime, problem: str) -> None:
        """Count a try in vain and name the time of the next."""
        await self._connection.execute(_SQL["postpone"], fact, retry_at, problem)

    async def park(self, fact: int, now: datetime, problem: str) -> None:
        """Give a fact up."""
        await self._connection.execute(_SQL["park"], fact, now, problem)


def open_publisher_session(database: PgDatabase) -> AbstractAsyncContextManager[PgPublisherSession]:
    """Open a session for a publisher; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    return open_leader_session(database, PgPublisherSession)
