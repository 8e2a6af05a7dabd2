"""Both ends of messages: what waits to be told, a bus that does as it is told, and messages as other services send them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Never
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct

from server.bus.envelope import encode_envelope
from server.db.pool import PgDatabase
from server.db.publisher_session import open_publisher_session
from server.services.ports_bus import Arrived, DeadLetter, Envelope, Handler, Posting
from server.services.publisher import Publisher, PublisherState
from shared.clock import Clock
from shared.ids import TenantId
from shared.problems import TicketTokenError

Json = dict[str, object]
Refuse = Callable[[Envelope], TicketTokenError | None]

_WAITING = (
    "SELECT key, message_id, subject, payload, correlation_id, tenant_id, attempts, parked_at FROM facts ORDER BY id"
)


class Told(Struct, frozen=True, kw_only=True):
    """One fact as it waits or as it was published."""

    key: str
    message_id: UUID
    subject: UUID
    payload: Json
    correlation_id: str | None
    tenant: UUID
    attempts: int
    parked: bool


async def waiting(database: PgDatabase) -> list[Told]:
    """Return the facts that wait, given up ones included, in order."""
    async with database.worker() as unit:
        rows = await unit._connection.fetch(_WAITING)
    return [
        Told(
            key=row["key"],
            message_id=row["message_id"],
            subject=row["subject"],
            payload=msgspec.json.decode(row["payload"]) if row["payload"][:1] == b"{" else {},
            correlation_id=row["correlation_id"],
            tenant=row["tenant_id"],
            attempts=row["attempts"],
            parked=row["parked_at"] is not None,
        )
        for row in rows
    ]


class Gazette:
    """A bus that keeps what it was given, unless it is told to refuse: a second implementation of the port."""

    def __init__(self) -> None:
        self.printed: list[Envelope] = []
        self.refuse: Refuse = lambda _: None
        self.away: TicketTokenError | None = None
        self._changed = asyncio.Condition()

    async def check(self) -> None:
        """Say whether the bus is away."""
        if self.away is not None:
            raise self.away

    async def post(self, posting: Posting) -> None:
        """Take nothing: only events come here."""
        raise AssertionError(posting)

    async def publish(self, envelope: Envelope) -> None:
        """Keep an event or refuse it."""
        problem = self.away or self.refuse(envelope)
        if problem is not None:
            raise problem
        async with self._changed:
            self.printed.append(envelope)
            self._changed.notify_all()

    async def consume(self, queue: str, handler: Handler) -> Never:
        """Have nothing to read."""
        raise AssertionError((queue, handler))

    async def list_dead(self, limit: int) -> list[DeadLetter]:
        """Have no dead letters."""
        return [][:limit]

    async def replay_dead(self, ids: Collection[str] | None) -> int:
        """Have no dead letters."""
        return 0 * len(ids or ())

    async def have(self, count: int) -> list[Envelope]:
        """Wait until so many events were taken, within twenty seconds."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.printed) >= count)
        return self.printed

    def keys(self, subject: UUID) -> list[str]:
        """Return the keys of what was taken about one ticket or reservation."""
        about = f'"{subject}"'.encode()
        return [one.event for one in self.printed if about in bytes(one.payload)]


async def publish_all(database: PgDatabase, gazette: Gazette, clock: Clock) -> PublisherState:
    """Publish everything that can be now."""
    state = PublisherState()
    publisher = Publisher(gazette, clock, state)
    async with open_publisher_session(database) as session:
        assert await session.lead()
        while await publisher.turn(session):
            pass
    return state


class Notice(Struct, frozen=True, kw_only=True):
    """A message as another service sends it."""

    event: str
    tenant: TenantId
    payload: Json
    at: datetime
    id: UUID

    @property
    def envelope(self) -> Envelope:
        """Return it in its envelope."""
        payload = msgspec.Raw(msgspec.json.encode(self.payload))
        return Envelope(event=self.event, id=self.id, timestamp=self.at, tenant_id=self.tenant, payload=payload)

    @property
    def body(self) -> bytes:
        """Return it as bytes."""
        return encode_envelope(self.envelope)

    @property
    def arrived(self) -> Arrived:
        """Return it as it comes out of the inbox."""
        return Arrived(queue="ticket.inbox", key=self.event, message_id=str(self.id), body=self.body, attempt=1)


def notice(event: str, tenant: TenantId, at: datetime, **payload: object) -> Notice:
    """Return a message with a new id; payload names in camel case."""
    return Notice(event=event, tenant=tenant, payload=payload, at=at, id=uuid4())
