"""What somebody else's index of the chain says of our assets: the nodes' own, where they offer one (DAS, Metaplex's API).

A second opinion and no more. What it says of an asset is never taken over: its metadata is trimmed and completed, and it may lag.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from server.chain.base58 import decode_base58, encode_base58
from server.chain.desk import Desk
from server.chain.hashes import FROZEN_BY_COLLECTION
from server.chain.merkle import fold
from server.chain.nodes import Nodes
from server.chain.problems import ChainAway, NodeFailed, Trouble
from server.services.rows_mint import KnownAsset
from shared.problems import DataDamaged

MOST_SHOWN = 100
_AT_ONCE = 500


class Difference(Struct, frozen=True, kw_only=True):
    """What an indexer says otherwise of an asset than we do."""

    asset: str
    field: str
    ours: str
    theirs: str


class SecondOpinion(Struct, frozen=True, kw_only=True):
    """What an indexer says; ``asked`` 0: the nodes offer none. One that lags differs for a while."""

    asked: int
    missing: int
    differences: list[Difference]


class _Compression(Struct, frozen=True):
    tree: str = ""
    leaf_id: int = -1
    asset_hash: str = ""


class _Ownership(Struct, frozen=True):
    owner: str = ""
    frozen: bool = False


class IndexedAsset(Struct, frozen=True):
    """An asset as an indexer tells it; what it leaves out differs from ours."""

    id: str
    compression: _Compression = _Compression()
    ownership: _Ownership = _Ownership()
    burnt: bool = False


class IndexedProof(Struct, frozen=True):
    """A leaf's whole proof as an indexer tells it, the leaf's sibling first; hashes in Base58."""

    root: str
    proof: list[str]
    leaf: str
    tree_id: str

    def holds(self, index: int) -> bool:
        """Tell whether leaf and proof lead to the root that is named with them.

        Raises:
            DataDamaged: a hash is no Base58.
        """
        nodes = [decode_base58(one) for one in self.proof]
        return encode_base58(fold(decode_base58(self.leaf), index, nodes)) == self.root


class Indexer:
    """The questions we ask an index."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def assets(self, ids: list[str]) -> list[IndexedAsset | None] | None:
        """Return assets, at most 1,000, None for each that is not known; None for all: there is no index that answers.

        Raises:
            NodeFailed: the node is there and cannot answer now.
            DataDamaged: what it says has another form.
        """
        raw = await self._ask("getAssets", {"ids": ids})
        return None if raw is None else _read(raw, list[IndexedAsset | None])

    async def proof(self, asset: str) -> IndexedProof | None:
        """Return an asset's proof; None where there is none.

        Raises:
            NodeFailed, DataDamaged: as for assets.
        """
        raw = await self._ask("getAssetProof", {"id": asset})
        return None if raw is None else _read(raw, IndexedProof | None)

    async def _ask(self, method: str, params: dict[str, Any]) -> Raw | None:
        try:
            return await self._nodes.read(method, params, Raw)
        except ChainAway:
            return None
        except NodeFailed as problem:
            if problem.trouble is Trouble.OTHER:
                return None
            raise


async def ask_indexer(desk: Desk) -> SecondOpinion:
    """Compare all assets at rest, page by page, and of each page one asset's proof."""
    indexer, asked, missing, after = Indexer(desk.nodes), 0, 0, ""
    differences: list[Difference] = []
    while True:
        async with desk.db.worker() as unit:
            known = await unit.mints.known(after, _AT_ONCE)
        told = await indexer.assets([one.asset for one in known]) if known else None
        if told is None:
            break
        asked, after = asked + len(known), known[-1].asset
        by_id = {one.id: one for one in told if one is not None}
        there = [one for one in known if one.asset in by_id]
        missing += len(known) - len(there)
        differences += [each for one in there for each in compare(one, by_id[one.asset])]
        differences += await _prove(indexer, there[0]) if there else []
    return SecondOpinion(asked=asked, missing=missing, differences=differences[:MOST_SHOWN])


def compare(ours: KnownAsset, theirs: IndexedAsset) -> list[Difference]:
    """Return what differs, field by field."""
    frozen = bool(ours.flags & FROZEN_BY_COLLECTION)
    pairs = {
        "owner": (ours.owner, theirs.ownership.owner),
        "tree": (ours.tree, theirs.compression.tree),
        "leaf": (str(ours.leaf_index), str(theirs.compression.leaf_id)),
        "hash": (encode_base58(ours.hash), theirs.compression.asset_hash),
        "frozen": (str(frozen), str(theirs.ownership.frozen)),
        "burned": ("False", str(theirs.burnt)),
    }
    return [
        Difference(asset=ours.asset, field=field, ours=one, theirs=other)
        for field, (one, other) in pairs.items()
        if one != other
    ]


async def _prove(indexer: Indexer, ours: KnownAsset) -> list[Difference]:
    """Return what is wrong with the proof that is offered for an asset."""
    proof = await indexer.proof(ours.asset)
    if proof is None:
        return []
    leaf = encode_base58(ours.hash)
    if (proof.leaf, proof.tree_id) == (leaf, ours.tree) and proof.holds(ours.leaf_index):
        return []
    return [Difference(asset=ours.asset, field="proof", ours=leaf, theirs=proof.leaf)]


def _read(raw: Raw, kind: Any) -> Any:
    try:
        return msgspec.json.decode(bytes(raw), type=kind)
    except msgspec.MsgspecError as exc:
        raise DataDamaged("The indexer's answer has another form.") from exc
