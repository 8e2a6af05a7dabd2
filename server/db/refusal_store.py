"""Why messages became dead letters, and facts that were given up, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows_facts import ParkedFact, RefusedMessage, WaitingFacts

_SQL = load_statements("refusals.sql")


class RefusalStore:
    """Implements ``server.services.ports_facts.Refusals``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def refuse(self, message: RefusedMessage) -> None:
        """Remember why a message is refused."""
        await self._connection.execute(
            _SQL["refuse"],
            message.message_id,
            message.queue,
            message.key,
            message.code,
            message.reason,
            message.refused_at,
        )

    async def refusals(self, message_ids: Collection[str]) -> list[RefusedMessage]:
        """Return what is known of these messages."""
        rows = await self._connection.fetch(_SQL["refusals"], list(message_ids))
        return [read_row(row, RefusedMessage) for row in rows]

    async def forget(self, before: datetime) -> None:
        """Delete reasons, and messages that had their effect, from before a moment."""
        await self._connection.execute(_SQL["forget_refusals"], before)
        await self._connection.execute(_SQL["forget_inbox"], before)

    async def waiting(self) -> WaitingFacts:
        """Return how many facts wait to be published, and since when."""
        row = await self._connection.fetchrow(_SQL["oldest_waiting"])
        return WaitingFacts(waiting=0, oldest=None) if row is None else read_row(row, WaitingFacts)

    async def count_parked(self) -> int:
        """Return how many facts were given up."""
        return int(await self._connection.fetchval(_SQL["count_parked"]))

    async def parked(self, limit: int) -> list[ParkedFact]:
        """Return facts that were given up, oldest first."""
        return [read_row(row, ParkedFact) for row in await self._connection.fetch(_SQL["parked"], limit)]

    async def release_parked(self, message_ids: Collection[UUID] | None) -> int:
        """Queue facts again that were given up."""
        ids = None if message_ids is None else list(message_ids)
        done = await self._connection.execute(_SQL["release_parked"], ids)
        return int(done.removeprefix("UPDATE "))
