"""Facts for other programs in PostgreSQL, written in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.driver import Connection
from server.db.statements import load_statements
from server.services.rows_facts import FactRow

_SQL = load_statements("facts.sql")


class FactStore:
    """Implements ``server.services.ports_facts.Facts``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, facts: Sequence[FactRow]) -> None:
        """Queue facts in this order."""
        if facts:
            await self._connection.execute(
                _SQL["add"],
                [fact.message_id for fact in facts],
                [fact.key for fact in facts],
                [fact.subject for fact in facts],
                [fact.payload for fact in facts],
                [fact.occurred_at for fact in facts],
                [fact.correlation_id for fact in facts],
            )
