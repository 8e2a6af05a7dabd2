"""What the programs said: the events that Bubblegum and the compression programs write as calls to a noop program."""

from __future__ import annotations

import struct

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.hashes import Leaf
from shared.problems import DataDamaged

_CHANGE_LOG = b"\x00\x00"
_APPLICATION = b"\x01\x00"
_LEAF_BYTES = {0: 203 + 6, 1: 268 + 6}


class EventUnreadable(DataDamaged):
    """A program wrote an event of another form than its source says: it was upgraded."""

    code = "chain_event_unreadable"


class LeafWritten(Struct, frozen=True, kw_only=True):
    """A leaf as it is from now on; ``hash`` is what the program computed."""

    leaf: Leaf
    hash: bytes


class TreeChanged(Struct, frozen=True, kw_only=True):
    """The path that a write left in a tree, leaf first, root last. ``seq`` grows by one with every write of the tree."""

    tree: Pubkey
    path: tuple[bytes, ...]
    seq: int
    index: int

    @property
    def leaf(self) -> bytes:
        """Return the leaf's hash; 32 zero bytes when it was burned."""
        return self.path[0]

    @property
    def root(self) -> bytes:
        """Return the tree's new root."""
        return self.path[-1]


def read_event(data: bytes) -> LeafWritten | TreeChanged | None:
    """Return the event in a noop call's data; None for what is no leaf and no change of a tree.

    Raises:
        EventUnreadable: it has the beginning of one and another length.
    """
    if data.startswith(_CHANGE_LOG):
        return _read_change(data)
    if data.startswith(_APPLICATION) and len(data) > 8 and data[6] == 1:
        return _read_leaf(data)
    return None


def _read_change(data: bytes) -> TreeChanged:
    if len(data) < 38:
        raise EventUnreadable("A tree's change is shorter than its head.")
    count = int.from_bytes(data[34:38], "little")
    end = 38 + 36 * count
    if count < 2 or len(data) != end + 12:
        raise EventUnreadable(f"A tree's change of {count} nodes has {len(data)} bytes.")
    path = tuple(data[at : at + 32] for at in range(38, end, 36))
    seq, index = struct.unpack("<QI", data[end:])
    return TreeChanged(tree=Pubkey(data[2:34]), path=path, seq=seq, index=index)


def _read_leaf(data: bytes) -> LeafWritten:
    """Read a LeafSchemaEvent: type, version, schema, then the leaf's fields, then its hash."""
    version = data[7]
    if _LEAF_BYTES.get(version) != len(data) or int.from_bytes(data[2:6], "little") != len(data) - 6:
        raise EventUnreadable(f"A leaf of version {version} has {len(data)} bytes.")
    keys = [Pubkey(data[at : at + 32]) for at in (9, 41, 73)]
    nonce = int.from_bytes(data[105:113], "little")
    data_hash, creator_hash = data[113:145], data[145:177]
    second = version == 1
    leaf = Leaf(
        id=keys[0],
        owner=keys[1],
        delegate=keys[2],
        nonce=nonce,
        data_hash=data_hash,
        creator_hash=creator_hash,
        collection_hash=data[177:209] if second else None,
        flags=data[241] if second else 0,
    )
    return LeafWritten(leaf=leaf, hash=data[-32:])
