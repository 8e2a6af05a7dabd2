"""The outbox in PostgreSQL: feed entries that wait for the relay, written in the transaction that made them true."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import msgpack, structs

from server.db.driver import Connection
from server.db.statements import load_statements
from server.services.correlation import present_correlation
from shared.ids import EventId
from shared.sync.feed import FeedEntry

_SQL = load_statements("outbox.sql")

_UNNUMBERED = 1
"""An entry has to have some number to be readable; the relay gives it its own."""


class OutboxStore:
    """Implements ``server.services.ports_gates.Outbox``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def append(self, event: EventId, entries: Sequence[FeedEntry]) -> None:
        """Queue entries in this order, whatever number they bear."""
        if entries:
            bodies = [msgpack.encode(structs.replace(entry, seq=_UNNUMBERED)) for entry in entries]
            await self._connection.execute(_SQL["append"], event, bodies, present_correlation())
