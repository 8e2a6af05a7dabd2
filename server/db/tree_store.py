"""Trees, collections and what the trees' own writes tell, in PostgreSQL."""

from __future__ import annotations

from datetime import datetime

from server.db.driver import Connection, read_optional, read_row
from server.db.statements import load_statements
from server.services.ports_mint import Overtaken
from server.services.rows_mint import CollectionRow, Followed, LeafRow, TableRow, TreeRow
from shared.ids import EventId, TenantId, TicketId

_SQL = load_statements("mint.sql")


class TreeStore:
    """The part of ``server.services.ports_mint.MintBook`` that is about trees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def trees(self) -> list[TreeRow]:
        """Return all trees, the oldest first."""
        return [read_row(row, TreeRow) for row in await self._connection.fetch(_SQL["trees"])]

    async def add_tree(self, tree: TreeRow, now: datetime) -> None:
        """Keep a tree that is about to be made."""
        await self._expect(
            1, "add_tree", tree.tenant, tree.address, tree.version, tree.depth, tree.buffer, tree.canopy, now
        )

    async def tree_full(self, tree: str) -> None:
        """Sign no more mints for a tree."""
        await self._connection.execute(_SQL["tree_full"], tree)

    async def tables(self) -> list[TableRow]:
        """Return all trees' lookup tables."""
        return [read_row(row, TableRow) for row in await self._connection.fetch(_SQL["tables"])]

    async def add_table(self, table: TableRow) -> None:
        """Keep a table that is about to be made."""
        await self._expect(1, "add_table", table.tenant, table.tree, table.address)

    async def collections(self) -> list[CollectionRow]:
        """Return all tenants' collections."""
        return [read_row(row, CollectionRow) for row in await self._connection.fetch(_SQL["collections"])]

    async def add_collection(self, collection: CollectionRow) -> None:
        """Keep a collection that is about to be made."""
        await self._expect(1, "add_collection", collection.tenant, collection.address, collection.name, collection.uri)

    async def tenant_name(self, tenant: TenantId) -> str:
        """Return what a tenant is called."""
        return str(await self._connection.fetchval(_SQL["tenant_name"], tenant))

    async def give_up(self, ticket: TicketId, problem: str) -> None:
        """Set an asset aside for a person to look at."""
        await self._connection.execute(_SQL["give_up"], ticket, problem)

    async def event_name(self, event: EventId) -> str | None:
        """Return what an event is called."""
        name: str | None = await self._connection.fetchval(_SQL["event_name"], event)
        return name

    async def rename_assets(self, event: EventId, name: str) -> int:
        """Wish that an event's assets be called so."""
        return await self._changed("rename_assets", event, name)

    async def leaves(self, tree: str) -> list[LeafRow]:
        """Return a tree's leaves."""
        return [read_row(row, LeafRow) for row in await self._connection.fetch(_SQL["leaves"], tree)]

    async def leaf(self, tree: str, index: int) -> LeafRow | None:
        """Return one leaf."""
        return read_optional(await self._connection.fetchrow(_SQL["leaf"], tree, index), LeafRow)

    async def follow(self, found: Followed) -> None:
        """Keep what a tree's writes told, and what that means for assets."""
        if found.leaves:
            await self._keep_leaves(found)
            about = (found.tenant, found.tree, [one.index for one in found.leaves])
            await self._connection.execute(_SQL["adopt_leaves"], *about, found.at)
            await self._connection.execute(_SQL["bind_leaves"], *about)
            await self._connection.execute(_SQL["update_assets"], *about)
            await self._connection.execute(_SQL["txs_followed"], [one.signature for one in found.leaves])
        await self._connection.execute(_SQL["followed"], found.tenant, found.tree, found.seq, found.last_signature)

    async def _keep_leaves(self, found: Followed) -> None:
        # The last word on each leaf; the earlier ones it replaced leave no trace here.
        newest = list({one.index: one for one in found.leaves}.values())
        names = (
            "index",
            "asset",
            "owner",
            "delegate",
            "data_hash",
            "creator_hash",
            "collection_hash",
            "flags",
            "hash",
            "seq",
            "signature",
        )
        columns = [[getattr(one, name) for one in newest] for name in names]
        await self._connection.execute(_SQL["keep_leaves"], found.tenant, found.tree, *columns)

    async def check_tree(self, tree: str, problem: str | None, now: datetime) -> None:
        """Keep whether a tree's root is the one on chain."""
        await self._connection.execute(_SQL["check_tree"], tree, problem, now)

    async def _expect(self, rows: int, name: str, *arguments: object) -> None:
        if await self._changed(name, *arguments) != rows:
            raise Overtaken("Another worker was quicker: what was signed is not kept, and is not sent.")

    async def _changed(self, name: str, *arguments: object) -> int:
        return int((await self._connection.execute(_SQL[name], *arguments)).rpartition(" ")[2])

    async def forget_tree(self, tree: str) -> None:
        """Forget a tree's leaves, to follow it from its beginning."""
        await self._connection.execute(_SQL["forget_leaves"], tree)
        await self._connection.execute(_SQL["restart_tree"], tree)
