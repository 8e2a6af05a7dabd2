"""What the use cases need of assets on chain, as Protocols; the rows are in `server.services.rows_nft`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

from server.services.rows_mint import DeadAsset
from server.services.rows_nft import AssetCount, AssetRow, PublicAsset, WishRow
from shared.ids import EventId, TenantId, TicketId


class Assets(Protocol):
    """One tenant's assets: what is wished of them is written here, what is done about it by the mint worker alone."""

    async def wish(self, wishes: Sequence[WishRow], now: datetime) -> None:
        """Note what is wished of tickets' assets, for those whose event has any; one that never was is not wished gone."""
        ...

    async def of_tickets(self, tickets: Sequence[TicketId]) -> list[AssetRow]:
        """Return the assets of tickets that have one."""
        ...

    async def count(self, event: EventId) -> list[AssetCount]:
        """Return how many of an event's assets are in which state."""
        ...

    async def wish_missing(self, event: EventId, now: datetime) -> int:
        """Wish assets for tickets of an event, if it wants any, that have none; return for how many."""
        ...


class PublicAssets(Protocol):
    """Assets across tenants, as anybody may read them."""

    async def public(self, token: UUID) -> PublicAsset | None:
        """Return the asset or the collection whose metadata's address ends with this token."""
        ...


class PublicUnit(Protocol):
    """One transaction across tenants."""

    @property
    def mints(self) -> PublicAssets:
        """Return what anybody may read."""
        ...


class PublicDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[PublicUnit]:
        """Open one transaction across tenants."""
        ...


class AssetCare(Protocol):
    """Assets that were given up, of one tenant's event at a time."""

    async def given_up(self, tenant: TenantId, event: EventId, limit: int) -> list[DeadAsset]:
        """Return what was given up of an event."""
        ...

    async def retry(self, tenant: TenantId, event: EventId, tickets: Sequence[TicketId] | None) -> int:
        """Try it again, all of the event with None; return how many there were."""
        ...


class CareUnit(PublicUnit, Protocol):
    """One transaction across tenants."""

    @property
    def mints(self) -> CareBook:
        """Return what may be read and tried again."""
        ...


class CareBook(PublicAssets, AssetCare, Protocol):
    """Both."""


class CareDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[CareUnit]:
        """Open one transaction across tenants."""
        ...
