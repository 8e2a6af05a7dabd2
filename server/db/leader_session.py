"""One database session on which a process leads: the lock, the notices and the work share it, so they end together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, TypeVar

from server.db.driver import Connection
from server.db.pool import PgDatabase
from server.db.problems import DRIVER_PROBLEMS, translate
from shared.problems import Unavailable

SessionT = TypeVar("SessionT", bound="LeaderSession")


class LeaderSession:
    """A connection of the worker role that may hold one advisory lock, and is woken when something is queued.

    What leads says by ``leader`` what it is, by ``take_lead`` which statement tries to take its lock and returns
    whether this session holds it, and by ``lost`` what it raises once the session ended and another may lead.
    """

    leader: ClassVar[str]
    take_lead: ClassVar[str]
    lost: ClassVar[type[Unavailable]]

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._woken = asyncio.Event()
        self._leads = False

    async def listen(self) -> None:
        """Be woken by what other sessions queue from now on, and by the session's own end.

        Every leader is woken by what is queued for the gates: nearly everything there is to do comes with an entry for
        them, and a notice of its own would cost every sale.
        """
        self._connection.add_termination_listener(lambda _: self._woken.set())
        await self._connection.add_listener("outbox", lambda *_: self._woken.set())

    async def lead(self) -> bool:
        """Try to become the one leader, or stay it: the lock is the session's, so holding it once is enough.

        Raises:
            Unavailable: the session or the database is lost.
        """
        if not self._leads:
            try:
                self._leads = bool(await self._connection.fetchval(self.take_lead))
            except DRIVER_PROBLEMS as exc:
                raise translate(exc) from exc
        return self._leads

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued since this last returned, or after a while.

        Raises:
            Unavailable: the session is lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            pass
        # Cleared before the caller looks, so what is queued while it does wakes it once more.
        self._woken.clear()
        self.check()

    def check(self) -> None:
        """Return if the session still lasts.

        Raises:
            Unavailable: it is lost.
        """
        if self._connection.is_closed():
            raise self.lost(f"the {self.leader}'s database session is lost: a new one is opened")


@asynccontextmanager
async def open_leader_session(database: PgDatabase, kind: type[SessionT]) -> AsyncIterator[SessionT]:
    """Open a session; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    async with database.worker_session() as connection:
        session = kind(connection)
        await session.listen()
        yield session
