"""An index of the chain as providers offer it (Metaplex's Digital Asset Standard API), over the model's trees.

Answers have the shapes of the published interface, and can be made to lie: what an index says is hearsay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from solders.pubkey import Pubkey

from server.chain.base58 import encode_base58
from server.chain.hashes import FROZEN_BY_COLLECTION, NON_TRANSFERABLE, Leaf
from tests.chain_node.bubblegum import Bubblegum, Tree

METHODS = frozenset({"getAsset", "getAssets", "getAssetProof"})
_NOT_FOUND = {"code": -32000, "message": "Database Error: RecordNotFound Error: Asset Not Found"}

Answer = dict[str, Any]
Lie = Callable[[Answer], Answer | None]
"""What becomes of an asset or a proof before it is told; None: it is not known."""


def truth(answer: Answer) -> Answer | None:
    """Tell what is so."""
    return answer


class Das:
    """The index. ``lie`` is put on each asset, ``bend`` on each proof."""

    def __init__(self, model: Bubblegum) -> None:
        self.lie: Lie = truth
        self.bend: Lie = truth
        self.asked = 0
        self._model = model

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Answer one call."""
        self.asked += 1
        method, params = call["method"], call["params"]
        found: Any
        if method == "getAssets":
            found = [self._asset(one) for one in params["ids"]]
        else:
            found = self._asset(params["id"]) if method == "getAsset" else self._proof(params["id"])
            if found is None:
                return {"jsonrpc": "2.0", "id": call["id"], "error": _NOT_FOUND}
        return {"jsonrpc": "2.0", "id": call["id"], "result": found}

    def _find(self, asset: str) -> tuple[Pubkey, Tree, Leaf] | None:
        return next(
            (
                (address, tree, leaf)
                for address, tree in self._model.trees.items()
                for leaf in tree.leaves.values()
                if str(leaf.id) == asset
            ),
            None,
        )

    def _asset(self, asset: str) -> Answer | None:
        found = self._find(asset)
        return None if found is None else self.lie(describe(*found))

    def _proof(self, asset: str) -> Answer | None:
        found = self._find(asset)
        if found is None:
            return None
        address, tree, leaf = found
        return self.bend(
            {
                "root": encode_base58(tree.mirror.root),
                "proof": [encode_base58(one) for one in tree.mirror.prove(leaf.nonce)],
                "node_index": (1 << tree.shape.depth) + leaf.nonce,
                "leaf": encode_base58(leaf.hash()),
                "tree_id": str(address),
            }
        )


def describe(address: Pubkey, tree: Tree, leaf: Leaf) -> Answer:
    """Return an asset as the interface says it."""
    metadata = tree.metadata[leaf.nonce]
    collection = metadata.collection
    return {
        "interface": "V1_NFT" if tree.version == 1 else "MplBubblegumV2",
        "id": str(leaf.id),
        "content": {
            "$schema": "https://schema.metaplex.com/nft1.0.json",
            "json_uri": metadata.uri,
            "files": [],
            "metadata": {"name": metadata.name.strip(), "symbol": metadata.symbol},
            "links": {},
        },
        "authorities": [{"address": str(tree.creator), "scopes": ["full"]}],
        "compression": {
            "eligible": False,
            "compressed": True,
            "data_hash": encode_base58(leaf.data_hash),
            "creator_hash": encode_base58(leaf.creator_hash),
            "asset_hash": encode_base58(leaf.hash()),
            "tree": str(address),
            "seq": tree.seq,
            "leaf_id": leaf.nonce,
        },
        "grouping": [] if collection is None else [{"group_key": "collection", "group_value": str(collection)}],
        "royalty": {"basis_points": metadata.fee_points, "primary_sale_happened": metadata.primary_sale},
        "creators": [
            {"address": str(one.address), "share": one.share, "verified": one.verified} for one in metadata.creators
        ],
        "ownership": _ownership(leaf),
        "supply": None,
        "mutable": metadata.mutable,
        "burnt": False,
    }


def _ownership(leaf: Leaf) -> Answer:
    delegated = leaf.delegate != leaf.owner
    return {
        "frozen": bool(leaf.flags & FROZEN_BY_COLLECTION),
        "non_transferable": bool(leaf.flags & NON_TRANSFERABLE),
        "delegated": delegated,
        "delegate": str(leaf.delegate) if delegated else None,
        "ownership_model": "single",
        "owner": str(leaf.owner),
    }
