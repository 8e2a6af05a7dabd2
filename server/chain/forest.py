"""The trees mirrored in memory: from them come proofs, and in them a node that lies about a tree is found out."""

from __future__ import annotations

import asyncio

from solders.pubkey import Pubkey

from server.chain.hashes import NO_LEAF, Leaf
from server.chain.instructions import Place
from server.chain.merkle import Mirror
from server.services.ports_mint import MintDatabase
from server.services.rows_mint import LeafRow, TreeRow


class Forest:
    """One mirror a tree, read from the database when it is first asked for, kept up by the follower."""

    def __init__(self, db: MintDatabase) -> None:
        self._db = db
        self._mirrors: dict[str, tuple[int, Mirror]] = {}

    async def mirror(self, tree: TreeRow) -> Mirror:
        """Return a tree as it is after its write number ``tree.seq``."""
        known = self._mirrors.get(tree.address)
        if known is not None and known[0] == tree.seq:
            return known[1]
        async with self._db.worker() as unit:
            leaves = await unit.mints.leaves(tree.address)
        mirror = await asyncio.to_thread(_build, tree.depth, leaves)
        self._mirrors[tree.address] = (tree.seq, mirror)
        return mirror

    def advance(self, tree: str, seq: int, mirror: Mirror) -> None:
        """Note that a mirror was brought on to a later write."""
        self._mirrors[tree] = (seq, mirror)

    def forget(self, tree: str) -> None:
        """Read a tree anew when it is next asked for."""
        self._mirrors.pop(tree, None)

    async def place(self, tree: TreeRow, row: LeafRow, collection: str | None) -> Place:
        """Return where a leaf is and what proves it."""
        mirror = await self.mirror(tree)
        return Place(
            tree=Pubkey.from_string(tree.address),
            leaf=read_leaf(row),
            root=mirror.root,
            proof=tuple(mirror.prove(row.index, tree.canopy)),
            collection=None if collection is None or tree.version == 1 else Pubkey.from_string(collection),
        )


def read_leaf(row: LeafRow) -> Leaf:
    """Return a stored leaf."""
    return Leaf(
        id=Pubkey.from_string(row.asset),
        owner=Pubkey.from_string(row.owner),
        delegate=Pubkey.from_string(row.delegate),
        nonce=row.index,
        data_hash=row.data_hash,
        creator_hash=row.creator_hash,
        collection_hash=row.collection_hash,
        flags=row.flags,
    )


def _build(depth: int, leaves: list[LeafRow]) -> Mirror:
    mirror = Mirror(depth)
    for one in leaves:
        if one.hash != NO_LEAF:
            mirror.write(one.index, one.hash)
    return mirror
