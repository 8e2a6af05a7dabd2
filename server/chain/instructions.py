"""Bubblegum's instructions of version 2: trees, mints and everything that changes a leaf (mpl-bubblegum, main, June 2026)."""

from __future__ import annotations

from msgspec import Struct
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from server.chain import borsh
from server.chain.accounts_of import left_out, maybe_reads, maybe_signs, maybe_writes, nodes, pays, reads, signs, writes
from server.chain.hashes import Leaf
from server.chain.merkle import Shape
from server.chain.metadata import Metadata, MetadataChange
from server.chain.programs import (
    BUBBLEGUM,
    MPL_COMPRESSION,
    MPL_CORE,
    MPL_CORE_SIGNER,
    MPL_NOOP,
    SYSTEM,
    find_discriminator,
    find_tree_config,
)


class Signers(Struct, frozen=True, kw_only=True):
    """Who pays, and who else signs; ``authority`` None: the payer is it."""

    payer: Pubkey
    authority: Pubkey | None = None


class Place(Struct, frozen=True, kw_only=True):
    """A leaf as it is now, with the root and the proof that it was read under; ``proof`` is without the canopy's levels."""

    tree: Pubkey
    leaf: Leaf
    root: bytes
    proof: tuple[bytes, ...]
    collection: Pubkey | None = None


class Mint(Struct, frozen=True, kw_only=True):
    """One new asset. ``minter`` is the tree's delegate and signs, ``collection_authority`` None: the minter is it."""

    tree: Pubkey
    payer: Pubkey
    minter: Pubkey | None
    owner: Pubkey
    metadata: Metadata
    collection_authority: Pubkey | None = None
    leaf_delegate: Pubkey | None = None


def create_tree(tree: Pubkey, shape: Shape, signers: Signers) -> Instruction:
    """Make an allocated account a tree; ``signers.authority`` becomes its creator, whom only `set_tree_delegate` helps."""
    data = borsh.u32(shape.depth) + borsh.u32(shape.buffer) + borsh.u8(0)
    accounts = [writes(find_tree_config(tree)), writes(tree), pays(signers.payer), maybe_signs(signers.authority)]
    return _call("create_tree_v2", data, [*accounts, reads(MPL_NOOP), reads(MPL_COMPRESSION), reads(SYSTEM)])


def set_tree_delegate(tree: Pubkey, creator: Pubkey, delegate: Pubkey) -> Instruction:
    """Let ``delegate`` mint, and nobody else but the creator."""
    accounts = [writes(find_tree_config(tree)), signs(creator), reads(delegate), reads(tree), reads(SYSTEM)]
    return _call("set_tree_delegate", b"", accounts)


def mint(wish: Mint) -> Instruction:
    """Add a leaf; its index is known only from the confirmed transaction's events."""
    collection = wish.metadata.collection
    no_asset_data_no_schema = bytes(2)
    accounts = [
        writes(find_tree_config(wish.tree)),
        pays(wish.payer),
        maybe_signs(wish.minter),
        maybe_signs(wish.collection_authority),
        reads(wish.owner),
        maybe_reads(wish.leaf_delegate),
        writes(wish.tree),
        maybe_writes(collection),
        left_out() if collection is None else reads(MPL_CORE_SIGNER),
        reads(MPL_NOOP),
        reads(MPL_COMPRESSION),
        reads(MPL_CORE),
        reads(SYSTEM),
    ]
    return _call("mint_v2", wish.metadata.write_v2() + no_asset_data_no_schema, accounts)


def transfer(place: Place, signers: Signers, new_owner: Pubkey) -> Instruction:
    """Give an asset to somebody else; its delegate becomes the new owner too."""
    accounts = [
        *_leaf_head(place, signers),
        reads(place.leaf.delegate),
        reads(new_owner),
        writes(place.tree),
        maybe_reads(place.collection),
        *_leaf_tail(place),
    ]
    return _call("transfer_v2", _proof_data(place), accounts)


def burn(place: Place, signers: Signers) -> Instruction:
    """Empty a leaf for ever; its place is not used again."""
    accounts = [
        *_leaf_head(place, signers),
        reads(place.leaf.delegate),
        writes(place.tree),
        maybe_writes(place.collection),
        left_out() if place.collection is None else reads(MPL_CORE_SIGNER),
        reads(MPL_NOOP),
        reads(MPL_COMPRESSION),
        reads(MPL_CORE),
        reads(SYSTEM),
        *nodes(place.proof),
    ]
    return _call("burn_v2", _proof_data(place), accounts)


def freeze(place: Place, signers: Signers) -> Instruction:
    """Keep an asset from being moved by its owner."""
    return _call("freeze_v2", _proof_data(place), _freezing(place, signers))


def thaw(place: Place, signers: Signers) -> Instruction:
    """Take a freeze back."""
    return _call("thaw_v2", _proof_data(place), _freezing(place, signers))


def update_metadata(place: Place, signers: Signers, current: Metadata, change: MetadataChange) -> Instruction:
    """Change a mutable asset's metadata; ``current`` must be what the leaf's hash was made of."""
    data = (
        borsh.fixed(place.root)
        + borsh.u8(0)
        + _flags(place)
        + borsh.u64(place.leaf.nonce)
        + borsh.u32(place.leaf.nonce)
        + current.write_v2()
        + change.write()
    )
    accounts = [
        *_leaf_head(place, signers),
        reads(place.leaf.delegate),
        writes(place.tree),
        maybe_reads(place.collection),
        *_leaf_tail(place),
    ]
    return _call("update_metadata_v2", data, accounts)


def _freezing(place: Place, signers: Signers) -> list[AccountMeta]:
    return [
        *_leaf_head(place, signers),
        reads(place.leaf.delegate),
        writes(place.tree),
        maybe_reads(place.collection),
        *_leaf_tail(place),
    ]


def _leaf_head(place: Place, signers: Signers) -> list[AccountMeta]:
    config = writes(find_tree_config(place.tree))
    return [config, pays(signers.payer), maybe_signs(signers.authority), reads(place.leaf.owner)]


def _leaf_tail(place: Place) -> list[AccountMeta]:
    return [reads(MPL_NOOP), reads(MPL_COMPRESSION), reads(SYSTEM), *nodes(place.proof)]


def _proof_data(place: Place) -> bytes:
    leaf = place.leaf
    return (
        borsh.fixed(place.root)
        + borsh.fixed(leaf.data_hash)
        + borsh.fixed(leaf.creator_hash)
        + borsh.u8(0)
        + _flags(place)
        + borsh.u64(leaf.nonce)
        + borsh.u32(leaf.nonce)
    )


def _flags(place: Place) -> bytes:
    """Return the flags as they are now: with any others the program would look for another leaf."""
    return borsh.option(place.leaf.flags or None, borsh.u8)


def _call(name: str, data: bytes, accounts: list[AccountMeta]) -> Instruction:
    return Instruction(BUBBLEGUM, find_discriminator(name) + data, accounts)
