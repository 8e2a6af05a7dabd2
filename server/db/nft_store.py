"""What is wished of tickets' assets, and how far they are, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.rows_nft import AssetCount, AssetRow, WishRow
from shared.ids import EventId, TicketId

_SQL = load_statements("nft.sql")


class AssetStore:
    """Implements ``server.services.ports_nft.Assets``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def wish(self, wishes: Sequence[WishRow], now: datetime) -> None:
        """Note what is wished of tickets' assets."""
        await self._connection.execute(
            _SQL["wish"],
            [one.ticket for one in wishes],
            [one.event for one in wishes],
            [one.wish for one in wishes],
            [one.owner for one in wishes],
            now,
        )

    async def of_tickets(self, tickets: Sequence[TicketId]) -> list[AssetRow]:
        """Return the assets of tickets that have one."""
        return [read_row(row, AssetRow) for row in await self._connection.fetch(_SQL["of_tickets"], list(tickets))]

    async def count(self, event: EventId) -> list[AssetCount]:
        """Return how many of an event's assets are in which state."""
        return [read_row(row, AssetCount) for row in await self._connection.fetch(_SQL["count"], event)]

    async def wish_missing(self, event: EventId, now: datetime) -> int:
        """Wish assets for an event's tickets that have none."""
        status = await self._connection.execute(_SQL["wish_missing"], event, now)
        return int(status.rpartition(" ")[2])
