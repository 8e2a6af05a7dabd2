"""Keccak-256 hashes of leaves and of what is in them, as Bubblegum computes them (mpl-bubblegum, `hash_metadata`, `LeafSchema`)."""

from __future__ import annotations

from collections.abc import Iterable

from Crypto.Hash import keccak
from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain import borsh
from server.chain.metadata import Creator, Metadata

FROZEN_BY_DELEGATE = 1
FROZEN_BY_COLLECTION = 2
NON_TRANSFERABLE = 4

NO_LEAF = bytes(32)
"""An empty place, and a burned one."""


def hash_keccak(*parts: bytes) -> bytes:
    """Return the Keccak-256 of the parts joined: the original padding, not that of SHA-3."""
    state = keccak.new(digest_bits=256)
    for part in parts:
        state.update(part)
    return state.digest()


NO_ASSET_DATA = hash_keccak(b"")
"""The program does not allow asset data yet."""


def hash_creators(creators: Iterable[Creator]) -> bytes:
    """Return the hash of all creators."""
    return hash_keccak(*(one.write() for one in creators))


def hash_data(written: bytes, fee_points: int) -> bytes:
    """Return the hash of written metadata and its royalty."""
    return hash_keccak(hash_keccak(written), borsh.u16(fee_points))


def hash_collection(collection: Pubkey | None) -> bytes:
    """Return the hash that stands for a collection, or for none."""
    return hash_keccak(bytes(32) if collection is None else bytes(collection))


class Leaf(Struct, frozen=True, kw_only=True):
    """One asset as the tree holds it. ``nonce`` counts the tree's mints and is the leaf's index.

    ``collection_hash`` is None in trees of version 1, which have neither collections of this kind nor flags.
    """

    id: Pubkey
    owner: Pubkey
    delegate: Pubkey
    nonce: int
    data_hash: bytes
    creator_hash: bytes
    collection_hash: bytes | None = None
    flags: int = 0

    def hash(self) -> bytes:
        """Return the 32 bytes that stand in the tree."""
        version = 1 if self.collection_hash is None else 2
        parts = [
            borsh.u8(version),
            bytes(self.id),
            bytes(self.owner),
            bytes(self.delegate),
            borsh.u64(self.nonce),
            borsh.fixed(self.data_hash),
            borsh.fixed(self.creator_hash),
        ]
        if self.collection_hash is not None:
            parts += [borsh.fixed(self.collection_hash), NO_ASSET_DATA, borsh.u8(self.flags)]
        return hash_keccak(*parts)


class Fresh(Struct, frozen=True, kw_only=True):
    """Whose a new asset is, and where it comes to lie."""

    id: Pubkey
    nonce: int
    owner: Pubkey
    delegate: Pubkey


def make_leaf_v2(fresh: Fresh, metadata: Metadata) -> Leaf:
    """Return the leaf that minting makes in a tree of version 2."""
    return Leaf(
        id=fresh.id,
        owner=fresh.owner,
        delegate=fresh.delegate,
        nonce=fresh.nonce,
        data_hash=hash_data(metadata.write_v2(), metadata.fee_points),
        creator_hash=hash_creators(metadata.creators),
        collection_hash=hash_collection(metadata.collection),
    )


def make_leaf_v1(fresh: Fresh, metadata: Metadata) -> Leaf:
    """Return the leaf that minting makes in a tree of version 1."""
    return Leaf(
        id=fresh.id,
        owner=fresh.owner,
        delegate=fresh.delegate,
        nonce=fresh.nonce,
        data_hash=hash_data(metadata.write_v1(), metadata.fee_points),
        creator_hash=hash_creators(metadata.creators),
    )
