"""What the use cases need of stored keys, always wrapped, as Protocols; `server.services.ports` hands them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from server.services.rows import EpochRow, KeyKind, ReplacedEpochRow, TenantKeyRow
from shared.ids import EventId


class KekCount(Struct, frozen=True, kw_only=True):
    """How many of a tenant's stored keys of one kind are wrapped with one key-encryption key."""

    kind: str
    kek: str
    keys: int


class Needs(Struct, frozen=True, kw_only=True):
    """What still depends on a numbered key: tickets of events that matter, gates in service, events."""

    tickets: int
    gates: int
    events: int


class Keys(Protocol):
    """Wrapped keys."""

    async def get(self, kind: KeyKind) -> TenantKeyRow | None:
        """Return the tenant's newest key of a kind that is not retired."""
        ...

    async def list_all(self, kind: KeyKind) -> list[TenantKeyRow]:
        """Return the tenant's keys of a kind that are not retired, the oldest first."""
        ...

    async def add(self, key: TenantKeyRow) -> None:
        """Keep a key unless one with this kind and id is there, also one whose transaction has not ended yet."""
        ...

    async def erase(self, kind: KeyKind, number: int, now: datetime) -> bool:
        """Retire a key and forget its secret for good; False if there is none that is not retired."""
        ...

    async def epochs(self, event: EventId, first: int, last: int) -> list[EpochRow]:
        """Return the stored epochs from ``first`` to ``last`` inclusive, in order."""
        ...

    async def add_epochs(self, epochs: Sequence[EpochRow]) -> None:
        """Keep epochs of one event; those that are there stay as they are. Waits for whoever is replacing its keys."""
        ...

    async def replace_epochs(self, renewed: Sequence[EpochRow], accepted_until: datetime | None, now: datetime) -> None:
        """Give stored epochs the keys of ``renewed``; the older ones open codes until ``accepted_until``."""
        ...

    async def limit_replaced(self, event: EventId, epochs: Sequence[int], accepted_until: datetime) -> None:
        """Let keys that were replaced earlier open codes no longer than until a moment."""
        ...

    async def replaced(self, event: EventId, epochs: Sequence[int]) -> list[ReplacedEpochRow]:
        """Return the replaced keys of epochs, the latest first."""
        ...


class KeyCare(Protocol):
    """Stored keys seen as a whole, for whoever looks after them."""

    async def count_keks(self) -> list[KekCount]:
        """Return by which key-encryption keys the tenant's stored keys are wrapped."""
        ...

    async def sample_epochs(self, kek: str) -> list[EpochRow]:
        """Return the newest epoch whose keys are wrapped with a key-encryption key, if there is one."""
        ...

    async def needs_master(self, number: int, since: datetime) -> Needs:
        """Return what depends on a master: tickets of events that ended after a moment."""
        ...

    async def needs_config(self, number: int, since: datetime) -> Needs:
        """Return what depends on a config key: gates in service that believe none newer, events that announce none newer."""
        ...

    async def foreign_keys(self, kek: str, limit: int) -> list[TenantKeyRow]:
        """Lock and return tenant keys that are wrapped with another key-encryption key than the one named."""
        ...

    async def foreign_epochs(self, kek: str, limit: int) -> list[EpochRow]:
        """Lock and return epochs with keys that are wrapped with another key-encryption key."""
        ...

    async def foreign_replaced(self, kek: str, limit: int) -> list[ReplacedEpochRow]:
        """Lock and return replaced keys that are wrapped with another key-encryption key."""
        ...

    async def rewrap_keys(self, rows: Sequence[TenantKeyRow]) -> None:
        """Write the wrapped secrets of tenant keys anew."""
        ...

    async def rewrap_epochs(self, rows: Sequence[EpochRow]) -> None:
        """Write the wrapped secrets of epochs anew."""
        ...

    async def rewrap_replaced(self, rows: Sequence[ReplacedEpochRow]) -> None:
        """Write the wrapped secrets of replaced keys anew."""
        ...
