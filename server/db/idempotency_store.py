"""Answers kept for repeated calls, in PostgreSQL."""

from __future__ import annotations

from server.db.driver import Connection, read_optional
from server.db.statements import load_statements
from server.services.rows import StoredAnswer
from shared.ids import UserId

_SQL = load_statements("idempotency.sql")


class IdempotencyStore:
    """Implements ``server.services.ports.Idempotency``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def claim(self, user: UserId, operation: str, key: str) -> bool:
        """Take this call for the transaction."""
        return bool(await self._connection.fetchval(_SQL["claim_call"], user, operation, key))

    async def get(self, user: UserId, operation: str, key: str) -> StoredAnswer | None:
        """Return the kept answer."""
        return read_optional(await self._connection.fetchrow(_SQL["get_answer"], user, operation, key), StoredAnswer)

    async def keep(self, user: UserId, operation: str, key: str, answer: StoredAnswer) -> None:
        """Keep an answer."""
        await self._connection.execute(
            _SQL["keep_answer"], user, operation, key, answer.body_hash, answer.status, answer.response
        )
