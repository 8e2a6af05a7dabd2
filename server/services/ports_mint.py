"""What the mint worker needs of the database, as Protocols: one transaction across tenants, whose store is the mint book.

Whatever the worker is about to send is committed here first. Each write names what it expects to find, so that two workers at
once, or one that was killed and came back, do no harm: who comes second finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from server.domain.nft import AssetState
from server.services.rows_mint import (
    CollectionRow,
    DeadAsset,
    DueAsset,
    Followed,
    KnownAsset,
    LeafRow,
    NewTx,
    NonceRow,
    Orphan,
    PlannedAsset,
    TableRow,
    TreeRow,
    TxRow,
    UntoldTicket,
)
from server.services.rows_nft import AssetCount
from shared.ids import EventId, TenantId, TicketId
from shared.problems import Conflict


class Overtaken(Conflict):
    """Somebody else was quicker with this nonce, tree or asset: look again."""

    code = "chain_overtaken"


class MintBook(Protocol):
    """Assets, signed transactions, nonces and trees across tenants."""

    async def due(self, now: datetime, limit: int) -> list[DueAsset]:
        """Return assets that something is to be done about, longest waiting first."""
        ...

    async def begin(self, tx: NewTx, planned: Sequence[PlannedAsset], state: AssetState | None) -> int:
        """Keep a transaction, take its nonce, count its mints against its tree and bind its assets; return its id.

        Raises:
            Overtaken: one of them is not free, and nothing was kept.
        """
        ...

    async def open_txs(self) -> list[TxRow]:
        """Return transactions that are not over, oldest first."""
        ...

    async def sent(self, tried: Collection[int], given: Collection[int], now: datetime) -> None:
        """Note that transactions were tried to be sent, and which of them a node took."""
        ...

    async def confirmed(self, tx: int, slot: int) -> None:
        """Note that a transaction has landed and succeeded; its nonce has another value from now on."""
        ...

    async def doubt(self, tx: int, remedy: str | None, problem: str) -> None:
        """Note that a transaction was refused or failed; what is done next waits until it certainly cannot land."""
        ...

    async def finalized(self, tx: TxRow, now: datetime, burn_after: datetime) -> None:
        """Note that a transaction can never be taken back: its assets are what it made of them."""
        ...

    async def over(self, tx: TxRow, *, failed: bool, at: datetime, retry_at: datetime, most_tries: int) -> None:
        """Note that a transaction did nothing and never will: its nonce is free, its assets are to be tried again."""
        ...

    async def spent_since(self, moment: datetime) -> int:
        """Return the lamports of all transactions signed since then, but for those that never landed."""
        ...

    async def untold(self, limit: int) -> list[UntoldTicket]:
        """Return tickets that waited for their mint and have it."""
        ...

    async def told(self, tickets: Sequence[UntoldTicket]) -> None:
        """Note that tickets were told of their mint."""
        ...

    async def nonces(self) -> list[NonceRow]:
        """Return all durable nonces."""
        ...

    async def add_nonce(self, nonce: NonceRow) -> None:
        """Keep a nonce account that is about to be made."""
        ...

    async def nonce_ready(self, address: str, value: bytes) -> None:
        """Keep what a free nonce's account holds."""
        ...

    async def drop_nonce(self, address: str) -> None:
        """Forget an account that was never made."""
        ...

    async def trees(self) -> list[TreeRow]:
        """Return all trees."""
        ...

    async def add_tree(self, tree: TreeRow, now: datetime) -> None:
        """Keep a tree that is about to be made.

        Raises:
            Overtaken: there is another on its way.
        """
        ...

    async def tree_full(self, tree: str) -> None:
        """Sign no more mints for a tree."""
        ...

    async def tables(self) -> list[TableRow]:
        """Return all trees' lookup tables."""
        ...

    async def add_table(self, table: TableRow) -> None:
        """Keep a table that is about to be made.

        Raises:
            Overtaken: there is one.
        """
        ...

    async def collections(self) -> list[CollectionRow]:
        """Return all tenants' collections."""
        ...

    async def add_collection(self, collection: CollectionRow) -> None:
        """Keep a collection that is about to be made.

        Raises:
            Overtaken: there is one.
        """
        ...

    async def give_up(self, ticket: TicketId, problem: str) -> None:
        """Set an asset aside for a person to look at."""
        ...

    async def event_name(self, event: EventId) -> str | None:
        """Return what an event is called; None if there is none."""
        ...

    async def rename_assets(self, event: EventId, name: str) -> int:
        """Wish that an event's assets be called so, where they are called otherwise; return how many are."""
        ...

    async def tenant_name(self, tenant: TenantId) -> str:
        """Return what a tenant is called."""
        ...

    async def leaves(self, tree: str) -> list[LeafRow]:
        """Return a tree's leaves."""
        ...

    async def leaf(self, tree: str, index: int) -> LeafRow | None:
        """Return one leaf."""
        ...

    async def follow(self, found: Followed) -> None:
        """Keep what a tree's writes told, and what that means for assets."""
        ...

    async def check_tree(self, tree: str, problem: str | None, now: datetime) -> None:
        """Keep whether a tree's root is the one on chain."""
        ...

    async def forget_tree(self, tree: str) -> None:
        """Forget a tree's leaves, to follow it from its beginning."""
        ...

    async def orphans(self, limit: int) -> list[Orphan]:
        """Return leaves that are no ticket's."""
        ...

    async def leafless(self) -> int:
        """Return how many assets are said to be on chain and have no leaf."""
        ...

    async def count_leaves(self, tree: str) -> int:
        """Return how many leaves of a tree are known, burned ones among them."""
        ...

    async def states(self) -> list[AssetCount]:
        """Return how many assets are in which state."""
        ...

    async def known(self, after: str, limit: int) -> list[KnownAsset]:
        """Return assets at rest, by address, to be compared."""
        ...

    async def oldest_due(self) -> datetime | None:
        """Return since when the longest waiting asset waits."""
        ...

    async def dead(self, limit: int) -> list[DeadAsset]:
        """Return assets that were given up."""
        ...

    async def revive(self, tickets: Collection[object] | None) -> int:
        """Try assets again that were given up, all with None; return how many there were."""
        ...


class MintUnit(Protocol):
    """One transaction across tenants."""

    @property
    def mints(self) -> MintBook:
        """Return the book."""
        ...


class MintDatabase(Protocol):
    """The door across tenants."""

    def worker(self) -> AbstractAsyncContextManager[MintUnit]:
        """Open one transaction across tenants."""
        ...
