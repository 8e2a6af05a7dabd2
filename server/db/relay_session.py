"""The relay's own session: on it it leads, is woken, and works."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import accumulate
from uuid import UUID

import asyncpg
import structlog
from msgspec import DecodeError, Struct, msgpack, structs

from server.db.leader_session import LeaderSession, open_leader_session
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


class PgRelaySession(LeaderSession):
    """Implements ``server.services.ports_gates.RelaySession`` on a connection of the worker role."""

    leader = "relay"
    take_lead = _SQL["lead"]
    lost = RelaySessionLost

    async def turn(self, limit: int) -> int:
        """Number and move up to ``limit`` entries in one transaction; return how many there were.

        Raises:
            Unavailable: the session or the database is lost; nothing of this turn happened.
        """
        self.check()
        try:
            async with self._connection.transaction():
                waiting = await self._connection.fetch(_SQL["waiting"], limit)
                moved = await self._move(waiting) if waiting else []
        except DRIVER_PROBLEMS as exc:
            raise translate(exc) from exc
        for one in moved:
            log.info("feed.numbered", event_id=str(one.event), first=one.first, last=one.last, traces=one.traces)
        return len(waiting)

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


def open_relay_session(database: PgDatabase) -> AbstractAsyncContextManager[PgRelaySession]:
    """Open a session for a relay; it closes, and its leadership ends, with the context.

    Raises:
        Unavailable: the database is away.
    """
    return open_leader_session(database, PgRelaySession)


def _number(body: bytes, seq: int) -> FeedEntry:
    try:
        return structs.replace(_decoder.decode(body), seq=seq)
    except DecodeError as exc:
        raise DataDamaged(
            "the outbox holds an entry this program cannot read: start the newest version that wrote to this database"
        ) from exc
