"""A concurrent Merkle tree mirrored in memory: roots and proofs of our own, checked against the chain's."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from server.chain.hashes import NO_LEAF, hash_keccak
from shared.problems import Internal

DEEPEST = 30


def empty_nodes(depth: int) -> list[bytes]:
    """Return the node of an empty subtree at each level, the leaf first, the root of an empty tree last."""
    nodes = [NO_LEAF]
    for _ in range(depth):
        nodes.append(hash_keccak(nodes[-1], nodes[-1]))
    return nodes


class Shape(Struct, frozen=True, kw_only=True):
    """Sizes of a tree: 2^``depth`` leaves, proofs good for ``buffer`` writes, ``canopy`` levels kept on chain."""

    depth: int
    buffer: int
    canopy: int = 0

    @property
    def capacity(self) -> int:
        """Return how many mints the tree takes; burning gives none back."""
        return 1 << self.depth

    @property
    def account_bytes(self) -> int:
        """Return the size of the tree's account."""
        node_path = 32 * self.depth + 40
        canopy = 32 * max((1 << (self.canopy + 1)) - 2, 0)
        return 56 + 24 + self.buffer * node_path + node_path + canopy

    def is_allowed_depth(self) -> bool:
        """Tell whether the compression program takes this depth with this buffer."""
        return self.buffer in _BUFFERS.get(self.depth, ())

    def is_allowed(self) -> bool:
        """Tell whether the programs take a tree of these sizes; Bubblegum wants proofs of at most 17 nodes."""
        return self.is_allowed_depth() and self.depth - 17 <= self.canopy <= self.depth


_WIDE = (64, 256, 1024, 2048)
_BUFFERS: dict[int, tuple[int, ...]] = {
    3: (8,),
    5: (8,),
    **dict.fromkeys(range(6, 10), (16,)),
    **dict.fromkeys(range(10, 14), (32,)),
    14: _WIDE,
    **dict.fromkeys(range(15, 20), (64,)),
    20: _WIDE,
    24: (64, 256, 512, 1024, 2048),
    26: (512, 1024, 2048),
    30: (512, 1024, 2048),
}


class Mirror:
    """A sparse tree: only what was written is kept, everything else is an empty subtree."""

    def __init__(self, depth: int) -> None:
        if not 1 <= depth <= DEEPEST:
            raise Internal(f"A tree has a depth of 1 to {DEEPEST}.")
        self.depth = depth
        self._empty = empty_nodes(depth)
        self._levels: list[dict[int, bytes]] = [{} for _ in range(depth + 1)]

    @property
    def root(self) -> bytes:
        """Return the root of what was written so far."""
        return self.node(self.depth, 0)

    def leaf(self, index: int) -> bytes:
        """Return a leaf, the empty one where nothing was written."""
        return self.node(0, index)

    def write(self, index: int, leaf: bytes) -> None:
        """Put a leaf in its place and mend the path above it.

        Raises:
            Internal: the tree has no such place.
        """
        if not 0 <= index < 1 << self.depth:
            raise Internal("A leaf lies outside its tree.")
        self._levels[0][index] = leaf
        for level in range(self.depth):
            index >>= 1
            left, right = self.node(level, 2 * index), self.node(level, 2 * index + 1)
            self._levels[level + 1][index] = hash_keccak(left, right)

    def prove(self, index: int, canopy: int = 0) -> list[bytes]:
        """Return the sibling at each level from the leaf up, without the top levels that the account itself keeps."""
        return [self.node(level, (index >> level) ^ 1) for level in range(self.depth - canopy)]

    def node(self, level: int, index: int) -> bytes:
        """Return a node; level 0 are the leaves."""
        return self._levels[level].get(index, self._empty[level])


def fold(leaf: bytes, index: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a leaf and its full proof lead to."""
    node = leaf
    for level, sibling in enumerate(proof):
        node = hash_keccak(sibling, node) if index >> level & 1 else hash_keccak(node, sibling)
    return node
