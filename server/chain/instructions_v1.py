"""Bubblegum's instructions of version 1: the cheap mode, without collection, flags or an operator's standing rights."""

from __future__ import annotations

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from server.chain import borsh
from server.chain.accounts_of import left_out, nodes, reads, signs, writes
from server.chain.instructions import Mint, Place, Signers
from server.chain.merkle import Shape
from server.chain.metadata import Metadata, MetadataChange
from server.chain.programs import (
    BUBBLEGUM,
    SPL_COMPRESSION,
    SPL_NOOP,
    SYSTEM,
    TOKEN_METADATA,
    find_discriminator,
    find_tree_config,
)


def create_tree(tree: Pubkey, shape: Shape, signers: Signers) -> Instruction:
    """Make an allocated account a tree of version 1."""
    data = borsh.u32(shape.depth) + borsh.u32(shape.buffer) + borsh.u8(0)
    creator = signers.authority or signers.payer
    payer = AccountMeta(signers.payer, is_signer=True, is_writable=True)
    return _call("create_tree", data, [writes(find_tree_config(tree)), writes(tree), payer, signs(creator), *_tail()])


def mint(wish: Mint) -> Instruction:
    """Add a leaf; ``wish.leaf_delegate`` may move and burn it until it changes hands."""
    accounts = [
        writes(find_tree_config(wish.tree)),
        reads(wish.owner),
        reads(wish.leaf_delegate or wish.owner),
        writes(wish.tree),
        signs(wish.payer),
        signs(wish.minter or wish.payer),
        *_tail(),
    ]
    return _call("mint_v1", wish.metadata.write_v1(), accounts)


def transfer(place: Place, signer: Pubkey, new_owner: Pubkey) -> Instruction:
    """Give an asset to somebody else; ``signer`` is its owner or its delegate, who is one no more afterwards."""
    accounts = [*_holders(place, signer), reads(new_owner), writes(place.tree), *_tail(), *nodes(place.proof)]
    return _call("transfer", _proof_data(place), accounts)


def delegate(place: Place, new_delegate: Pubkey) -> Instruction:
    """Have the owner, who signs, name another delegate."""
    accounts = [
        reads(find_tree_config(place.tree)),
        signs(place.leaf.owner),
        reads(place.leaf.delegate),
        reads(new_delegate),
        writes(place.tree),
        *_tail(),
        *nodes(place.proof),
    ]
    return _call("delegate", _proof_data(place), accounts)


def burn(place: Place, signer: Pubkey) -> Instruction:
    """Empty a leaf for ever; ``signer`` is its owner or its delegate."""
    accounts = [*_holders(place, signer), writes(place.tree), *_tail(), *nodes(place.proof)]
    return _call("burn", _proof_data(place), accounts)


def update_metadata(place: Place, signers: Signers, current: Metadata, change: MetadataChange) -> Instruction:
    """Change a mutable asset's metadata; the tree's creator or delegate signs as ``signers.authority``."""
    data = (
        borsh.fixed(place.root)
        + borsh.u64(place.leaf.nonce)
        + borsh.u32(place.leaf.nonce)
        + current.write_v1()
        + change.write()
    )
    accounts = [
        reads(find_tree_config(place.tree)),
        signs(signers.authority or signers.payer),
        *[left_out()] * 3,  # no Token Metadata collection
        reads(place.leaf.owner),
        reads(place.leaf.delegate),
        signs(signers.payer),
        writes(place.tree),
        reads(SPL_NOOP),
        reads(SPL_COMPRESSION),
        reads(TOKEN_METADATA),
        reads(SYSTEM),
        *nodes(place.proof),
    ]
    return _call("update_metadata", data, accounts)


def _holders(place: Place, signer: Pubkey) -> list[AccountMeta]:
    leaf = place.leaf
    by_owner, by_delegate = signer == leaf.owner, signer == leaf.delegate
    return [
        reads(find_tree_config(place.tree)),
        signs(leaf.owner) if by_owner else reads(leaf.owner),
        signs(leaf.delegate) if by_delegate else reads(leaf.delegate),
    ]


def _proof_data(place: Place) -> bytes:
    leaf = place.leaf
    hashes = borsh.fixed(place.root) + borsh.fixed(leaf.data_hash) + borsh.fixed(leaf.creator_hash)
    return hashes + borsh.u64(leaf.nonce) + borsh.u32(leaf.nonce)


def _tail() -> list[AccountMeta]:
    return [reads(SPL_NOOP), reads(SPL_COMPRESSION), reads(SYSTEM)]


def _call(name: str, data: bytes, accounts: list[AccountMeta]) -> Instruction:
    return Instruction(BUBBLEGUM, find_discriminator(name) + data, accounts)
