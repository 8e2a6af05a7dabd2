"""The mint worker's own session: the leader's lock and the notices share one connection, so they end together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.db.driver import Connection
from server.db.pool import PgDatabase
from server.db.statements import load_statements
from shared.problems import Unavailable

_SQL = load_statements("mint_session.sql")


class MintSessionLost(Unavailable):
    """The mint worker's session ended; another worker may lead by now."""

    code = "mint_session_lost"


@asynccontextmanager
async def open_mint_session(database: PgDatabase) -> AsyncIterator[PgMintSession]:
    """Open a session for a worker; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    async with database.worker_session() as connection:
        session = PgMintSession(connection)
        await session.listen()
        yield session


class PgMintSession:
    """Implements ``server.chain.worker.MintSession`` on a connection of the worker role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._woken = asyncio.Event()
        self._leads = False

    async def listen(self) -> None:
        """Be woken by what other sessions queue from now on; every sale tells the gates, and that notice serves."""
        self._connection.add_termination_listener(lambda _: self._woken.set())
        await self._connection.add_listener("outbox", lambda *_: self._woken.set())

    async def lead(self) -> bool:
        """Try to become the one worker that signs, or stay it."""
        if not self._leads:
            self._leads = bool(await self._connection.fetchval(_SQL["lead"]))
        return self._leads

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            MintSessionLost: the session is lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()
        if self._connection.is_closed():
            raise MintSessionLost("the mint worker's database session is lost: a new one is opened")
