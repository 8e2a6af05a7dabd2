"""The feeds' oldest entries across tenants, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.trimming import TrimmableFeed

_SQL = load_statements("trimming.sql")


class TrimmingStore:
    """Implements ``server.services.trimming.Trimming``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def trimmable(self, old_before: datetime, limit: int) -> list[TrimmableFeed]:
        """Return events whose feed begins with entries that need not be kept."""
        rows = await self._connection.fetch(_SQL["trimmable"], old_before, limit)
        return [read_row(row, TrimmableFeed) for row in rows]

    async def trim(self, feed: TrimmableFeed, old_before: datetime, limit: int) -> int:
        """Delete the oldest of them."""
        status = await self._connection.execute(_SQL["trim"], feed.tenant, feed.event, feed.passed, old_before, limit)
        return int(status.removeprefix("DELETE "))
