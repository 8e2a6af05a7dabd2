"""The events that Bubblegum and the compression program write as calls to a noop program."""

from __future__ import annotations

import struct

from solders.pubkey import Pubkey

from server.chain.hashes import Leaf
from server.chain.merkle import Mirror

_NO_ASSET_DATA = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")


def tell_leaf(leaf: Leaf) -> bytes:
    """Return the event of a leaf as it is from now on."""
    second = leaf.collection_hash is not None
    body = bytes([1, second, second]) + bytes(leaf.id) + bytes(leaf.owner) + bytes(leaf.delegate)
    body += struct.pack("<Q", leaf.nonce) + leaf.data_hash + leaf.creator_hash
    if leaf.collection_hash is not None:
        body += leaf.collection_hash + _NO_ASSET_DATA + bytes([leaf.flags])
    body += leaf.hash()
    return b"\x01\x00" + struct.pack("<I", len(body)) + body


def tell_change(address: Pubkey, mirror: Mirror, seq: int, index: int) -> bytes:
    """Return the event of a path that write number ``seq`` left."""
    depth = mirror.depth
    path = []
    for level in range(depth + 1):
        node = mirror.node(level, index >> level)
        path.append(node + struct.pack("<I", (1 << (depth - level)) + (index >> level)))
    head = b"\x00\x00" + bytes(address) + struct.pack("<I", depth + 1)
    return head + b"".join(path) + struct.pack("<QI", seq, index)
