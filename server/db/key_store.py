"""Wrapped keys in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows import EpochRow, KeyKind, ReplacedEpochRow, TenantKeyRow
from shared.ids import EventId

_SQL = load_statements("keys.sql")


class KeyStore:
    """Implements ``server.services.ports.Keys``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def get(self, kind: KeyKind) -> TenantKeyRow | None:
        """Return the tenant's newest key of a kind."""
        return read_optional(await self._connection.fetchrow(_SQL["get_key"], kind), TenantKeyRow)

    async def list_all(self, kind: KeyKind) -> list[TenantKeyRow]:
        """Return the tenant's keys of a kind, the oldest first."""
        return [read_row(row, TenantKeyRow) for row in await self._connection.fetch(_SQL["list_keys"], kind)]

    async def add(self, key: TenantKeyRow) -> None:
        """Keep a key unless it is there."""
        await self._connection.execute(_SQL["add_key"], key.id, key.kind, key.wrapped, key.public)

    async def erase(self, kind: KeyKind, number: int, now: datetime) -> bool:
        """Retire a key and forget its secret."""
        return await self._connection.fetchval(_SQL["erase_key"], kind, number, now) is not None

    async def epochs(self, event: EventId, first: int, last: int) -> list[EpochRow]:
        """Return the stored epochs of a range."""
        rows = await self._connection.fetch(_SQL["get_epochs"], event, first, last)
        return [read_row(row, EpochRow) for row in rows]

    async def add_epochs(self, epochs: Sequence[EpochRow]) -> None:
        """Keep epochs that are not there."""
        await self._connection.execute(_SQL["hold_event"], epochs[0].event)
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

    async def replace_epochs(self, renewed: Sequence[EpochRow], accepted_until: datetime | None, now: datetime) -> None:
        """Give stored epochs of one event new keys."""
        event, numbers = renewed[0].event, [one.epoch for one in renewed]
        await self._connection.execute(_SQL["keep_replaced"], event, numbers, accepted_until, now)
        await self._connection.execute(
            _SQL["renew_epochs"],
            event,
            numbers,
            [one.envelope_wrapped for one in renewed],
            [one.issuer_wrapped for one in renewed],
            [one.issuer_public for one in renewed],
        )

    async def limit_replaced(self, event: EventId, epochs: Sequence[int], accepted_until: datetime) -> None:
        """Let replaced keys open codes no longer than until a moment."""
        await self._connection.execute(_SQL["limit_replaced"], event, epochs, accepted_until)

    async def replaced(self, event: EventId, epochs: Sequence[int]) -> list[ReplacedEpochRow]:
        """Return the replaced keys of epochs, the latest first."""
        rows = await self._connection.fetch(_SQL["get_replaced"], event, epochs)
        return [read_row(row, ReplacedEpochRow) for row in rows]
