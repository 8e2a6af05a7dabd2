"""Stored keys seen as a whole, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.db.driver import Connection, read_row
from server.db.statements import load_statements
from server.services.ports_keys import KekCount, Needs
from server.services.rows import EpochRow, ReplacedEpochRow, TenantKeyRow
from shared.problems import Internal

_SQL = load_statements("key_care.sql")


class KeyCareStore:
    """Implements ``server.services.ports.KeyCare``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def count_keks(self) -> list[KekCount]:
        """Return by which key-encryption keys the tenant's stored keys are wrapped."""
        return [read_row(row, KekCount) for row in await self._connection.fetch(_SQL["count_keks"])]

    async def sample_epochs(self, kek: str) -> list[EpochRow]:
        """Return the newest epoch under a key-encryption key."""
        return [read_row(row, EpochRow) for row in await self._connection.fetch(_SQL["sample_epochs"], kek)]

    async def needs_master(self, number: int, since: datetime) -> Needs:
        """Return what depends on a master."""
        return await self._needs("needs_master", number, since)

    async def needs_config(self, number: int, since: datetime) -> Needs:
        """Return what depends on a config key."""
        return await self._needs("needs_config", number, since)

    async def foreign_keys(self, kek: str, limit: int) -> list[TenantKeyRow]:
        """Lock and return tenant keys under another key-encryption key."""
        return [read_row(row, TenantKeyRow) for row in await self._connection.fetch(_SQL["foreign_keys"], kek, limit)]

    async def foreign_epochs(self, kek: str, limit: int) -> list[EpochRow]:
        """Lock and return epochs under another key-encryption key."""
        return [read_row(row, EpochRow) for row in await self._connection.fetch(_SQL["foreign_epochs"], kek, limit)]

    async def foreign_replaced(self, kek: str, limit: int) -> list[ReplacedEpochRow]:
        """Lock and return replaced keys under another key-encryption key."""
        rows = await self._connection.fetch(_SQL["foreign_replaced"], kek, limit)
        return [read_row(row, ReplacedEpochRow) for row in rows]

    async def rewrap_keys(self, rows: Sequence[TenantKeyRow]) -> None:
        """Write the wrapped secrets of tenant keys anew."""
        await self._connection.execute(
            _SQL["rewrap_keys"], [one.kind for one in rows], [one.id for one in rows], [one.wrapped for one in rows]
        )

    async def rewrap_epochs(self, rows: Sequence[EpochRow]) -> None:
        """Write the wrapped secrets of epochs anew."""
        await self._connection.execute(
            _SQL["rewrap_epochs"],
            [one.event for one in rows],
            [one.epoch for one in rows],
            [one.envelope_wrapped for one in rows],
            [one.issuer_wrapped for one in rows],
        )

    async def rewrap_replaced(self, rows: Sequence[ReplacedEpochRow]) -> None:
        """Write the wrapped secrets of replaced keys anew."""
        await self._connection.execute(
            _SQL["rewrap_replaced"], [one.id for one in rows], [one.envelope_wrapped for one in rows]
        )

    async def _needs(self, statement: str, number: int, since: datetime) -> Needs:
        row = await self._connection.fetchrow(_SQL[statement], number, since)
        if row is None:
            raise Internal(f"the statement {statement} returned no row")
        return read_row(row, Needs)
