"""The publisher's own session: the leader's lock, the notices and the work share one connection, so they end together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime

from server.db.driver import Connection, read_row
from server.db.pool import PgDatabase
from server.db.statements import load_statements
from server.services.rows_facts import QueuedFact
from shared.problems import Unavailable

_SQL = load_statements("publisher.sql")


class PublisherSessionLost(Unavailable):
    """The publisher's session ended; another publisher may lead by now."""

    code = "publisher_session_lost"


@asynccontextmanager
async def open_publisher_session(database: PgDatabase) -> AsyncIterator[PgPublisherSession]:
    """Open a session for a publisher; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    async with database.worker_session() as connection:
        session = PgPublisherSession(connection)
        await session.listen()
        yield session


class PgPublisherSession:
    """Implements ``server.services.ports_facts.PublisherSession`` on a connection of the worker role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._woken = asyncio.Event()
        self._leads = False

    async def listen(self) -> None:
        """Be woken by what other sessions queue from now on, and by the session's own end.

        Most facts come with an entry for the gates, whose notice serves; a notice of their own would cost every sale.
        """
        self._connection.add_termination_listener(lambda _: self._woken.set())
        await self._connection.add_listener("outbox", lambda *_: self._woken.set())

    async def lead(self) -> bool:
        """Try to become the one publisher, or stay it: the lock is the session's, so holding it once is enough."""
        if not self._leads:
            self._leads = bool(await self._connection.fetchval(_SQL["lead"]))
        return self._leads

    async def waiting(self, now: datetime, limit: int) -> list[QueuedFact]:
        """Return facts to publish, oldest first."""
        # What is queued after this point sets the flag again, so no fact is left lying.
        self._woken.clear()
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

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            PublisherSessionLost: the session is lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            pass
        if self._connection.is_closed():
            raise PublisherSessionLost("the publisher's database session is lost: a new one is opened")
