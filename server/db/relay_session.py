"""The relay's own session: the leader's lock, the notices and the work share one connection, so they end together."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from uuid import UUID

import asyncpg
import structlog
from msgspec import DecodeError, Struct, msgpack, structs

from server.db.driver import Connection
from server.db.pool import PgDatabase
from server.db.problems import DRIVER_PROBLEMS, translate
from server.db.statements import load_statements
from shared.ids import EventId, TenantId
from shared.problems import DataDamaged, Internal, Unavailable
from shared.sync.feed import FeedEntry, extend_mark

_SQL = load_statements("relay.sql")
_decoder: msgpack.Decoder[FeedEntry] = msgpack.Decoder(FeedEntry)


_MOST_TRACES = 50

log = structlog.get_logger()


class _Moved(Struct, frozen=True, kw_only=True):
    """Entries of one event that got their numbers, and which requests brought them about."""

    event: EventId
    first: int
    last: int
    traces: tuple[str, ...]


class RelaySessionLost(Unavailable):
    """The relay's session ended; another relay may lead by now."""

    code = "relay_session_lost"


@asynccontextmanager
async def open_relay_session(database: PgDatabase) -> AsyncIterator[PgRelaySession]:
    """Open a session for a relay; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    async with database.worker_session() as connection:
        session = PgRelaySession(connection)
        await session.listen()
        yield session


class PgRelaySession:
    """Implements ``server.services.ports_gates.RelaySession`` on a connection of the worker role."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._woken = asyncio.Event()
        self._leads = False

    async def listen(self) -> None:
        """Be woken by what other sessions queue from now on, and by the session's own end."""
        self._connection.add_termination_listener(lambda _: self._woken.set())
        await self._connection.add_listener("outbox", lambda *_: self._woken.set())

    async def lead(self) -> bool:
        """Try to become the one relay, or stay it: the lock is the session's, so holding it once is enough."""
        if not self._leads:
            try:
                self._leads = bool(await self._connection.fetchval(_SQL["lead"]))
            except DRIVER_PROBLEMS as exc:
                raise translate(exc) from exc
        return self._leads

    async def turn(self, limit: int) -> int:
        """Number and move up to ``limit`` entries in one transaction; return how many there were.

        Raises:
            Unavailable: the session or the database is lost; nothing of this turn happened.
        """
        if self._connection.is_closed():
            raise RelaySessionLost("the relay's database session is lost: a new one is opened")
        # what is queued after this point sets the flag again, so no entry is left lying
        self._woken.clear()
        try:
            async with self._connection.transaction():
                waiting = await self._connection.fetch(_SQL["waiting"], limit)
                moved = await self._move(waiting) if waiting else []
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc
        for one in moved:
            log.info("feed.numbered", event_id=str(one.event), first=one.first, last=one.last, traces=one.traces)
        return len(waiting)

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            Unavailable: the session is lost.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._woken.wait()
        except TimeoutError:
            pass
        if self._connection.is_closed():
            raise RelaySessionLost("the relay's database session is lost: a new one is opened")

    async def _move(self, waiting: Sequence[asyncpg.Record]) -> list[_Moved]:
        groups: dict[tuple[TenantId, EventId], list[bytes]] = defaultdict(list)
        traces: dict[EventId, list[str]] = defaultdict(list)
        for row in waiting:
            groups[TenantId(row["tenant_id"]), EventId(row["event_id"])].append(row["body"])
            if row["trace"] is not None and row["trace"] not in (known := traces[EventId(row["event_id"])]):
                known.append(row["trace"])
        removed = await self._connection.execute(_SQL["remove"], [row["id"] for row in waiting])
        if removed != f"DELETE {len(waiting)}":
            raise Internal("two relays worked on the outbox at once; this one gives its turn back")
        # always in the same order, so that heads are never locked crosswise
        moved = []
        for (tenant, event), bodies in sorted(groups.items()):
            last = await self._publish(tenant, event, bodies)
            told = tuple(traces[event][:_MOST_TRACES])
            moved.append(_Moved(event=event, first=last - len(bodies) + 1, last=last, traces=told))
        return moved

    async def _publish(self, tenant: UUID, event: UUID, bodies: Sequence[bytes]) -> int:
        reserved = await self._connection.fetchrow(_SQL["reserve_numbers"], tenant, event, len(bodies))
        if reserved is None:
            raise Internal("the statement reserve_numbers returned no row")
        last, mark = reserved
        numbers = list(range(last - len(bodies) + 1, last + 1))
        entries = [_number(body, seq) for body, seq in zip(bodies, numbers, strict=True)]
        marks = list(accumulate(entries, lambda known, entry: extend_mark(known, [entry]), initial=bytes(mark)))[1:]
        numbered = [msgpack.encode(entry) for entry in entries]
        await self._connection.execute(_SQL["publish"], tenant, event, numbers, numbered, marks)
        await self._connection.execute(_SQL["set_mark"], tenant, event, marks[-1])
        await self._connection.execute(_SQL["announce"], f"{tenant}:{event}")
        return int(last)


def _number(body: bytes, seq: int) -> FeedEntry:
    try:
        return structs.replace(_decoder.decode(body), seq=seq)
    except DecodeError as exc:
        raise DataDamaged(
            "the outbox holds an entry this program cannot read: start the newest version that wrote to this database"
        ) from exc
