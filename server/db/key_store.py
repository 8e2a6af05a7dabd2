"""Wrapped keys in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import EpochRow, KeyKind, TenantKeyRow
from shared.ids import EventId

_SQL = load_statements("keys.sql")


class KeyStore:
    """Implements ``server.services.ports.Keys``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, kind: KeyKind) -> TenantKeyRow | None:
        """Return the tenant's newest key of a kind."""
        return read_optional(await self._connection.fetchrow(_SQL["get_key"], kind), TenantKeyRow)

    async def add(self, key: TenantKeyRow) -> None:
        """Keep a key unless it is there."""
        await self._connection.execute(_SQL["add_key"], key.id, key.kind, key.wrapped, key.public)

    async def epochs(self, event: EventId, first: int, last: int) -> list[EpochRow]:
        """Return the stored epochs of a range."""
        rows = await self._connection.fetch(_SQL["get_epochs"], event, first, last)
        return [read_row(row, EpochRow) for row in rows]

    async def add_epochs(self, epochs: Sequence[EpochRow]) -> None:
        """Keep epochs that are not there."""
        await self._connection.execute(
            _SQL["add_epochs"],
            [one.event for one in epochs],
            [one.epoch for one in epochs],
            [one.starts for one in epochs],
            [one.ends for one in epochs],
            [one.slot_s for one in epochs],
            [one.envelope_wrapped for one in epochs],
            [one.issuer_wrapped for one in epochs],
            [one.issuer_public for one in epochs],
        )
