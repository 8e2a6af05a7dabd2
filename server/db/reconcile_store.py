"""What comparing the book with the chain needs to read, and what anybody may read of an asset, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.rows_mint import KnownAsset, Orphan
from server.services.rows_nft import AssetCount, PublicAsset

_SQL = load_statements("mint.sql")


class ReconcileStore:
    """The part of ``server.services.ports_mint.MintBook`` that only reads."""

    _connection: Connection

    async def orphans(self, limit: int) -> list[Orphan]:
        """Return leaves that are no ticket's."""
        return [read_row(row, Orphan) for row in await self._connection.fetch(_SQL["orphans"], limit)]

    async def leafless(self) -> int:
        """Return how many assets are said to be on chain and have no leaf."""
        return int(await self._connection.fetchval(_SQL["leafless"]))

    async def count_leaves(self, tree: str) -> int:
        """Return how many leaves of a tree are known."""
        return int(await self._connection.fetchval(_SQL["leaves_of_tree"], tree))

    async def states(self) -> list[AssetCount]:
        """Return how many assets are in which state."""
        return [read_row(row, AssetCount) for row in await self._connection.fetch(_SQL["asset_states"])]

    async def known(self, after: str, limit: int) -> list[KnownAsset]:
        """Return assets at rest, by address."""
        return [read_row(row, KnownAsset) for row in await self._connection.fetch(_SQL["sample_assets"], after, limit)]

    async def oldest_due(self) -> datetime | None:
        """Return since when the longest waiting asset waits."""
        moment: datetime | None = await self._connection.fetchval(_SQL["oldest_due"])
        return moment

    async def public(self, token: UUID) -> PublicAsset | None:
        """Return the asset or the collection whose metadata's address ends with this token."""
        return read_optional(await self._connection.fetchrow(_SQL["public"], token), PublicAsset)
