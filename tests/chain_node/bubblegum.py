"""Bubblegum and the compression program, as rules in Python: which calls they take, which they refuse, what they write.

Plays the programs' part on a node where stubs stand in their place. It is held to what the real ones accepted and computed, by
the recorded vectors, and wherever the programs themselves are at hand, by running both.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque

from msgspec import Struct
from msgspec.structs import replace
from solders.pubkey import Pubkey

from server.chain.hashes import NO_LEAF, Leaf, hash_collection, hash_creators, hash_data
from server.chain.merkle import Mirror, Shape, fold
from server.chain.metadata import Metadata
from server.chain.programs import BUBBLEGUM, find_asset
from tests.chain_node.called import Called
from tests.chain_node.telling import tell_change, tell_leaf
from tests.chain_node.written import (
    TRANSFER_RIGHT,
    UPDATE_RIGHT,
    Cursor,
    Proven,
    read_change,
    read_flags,
    read_index,
    read_metadata,
    read_plugins,
    read_proven,
)

WRONG_SIGNER, TREE_FULL, NOT_ALLOWED, IMMUTABLE, FROZEN = 6016, 6017, 6025, 6037, 6045
STALE_PROOF = 6001

_TREE_AT = {
    "transfer_v2": 6,
    "burn_v2": 5,
    "freeze_v2": 5,
    "thaw_v2": 5,
    "update_metadata_v2": 5,
    "transfer": 4,
    "burn": 3,
    "update_metadata": 8,
}


class ProgramRefused(Exception):
    """A program refused: at which call, and with which of its numbers."""

    def __init__(self, place: int, number: int) -> None:
        super().__init__(number)
        self.place = place
        self.number = number


class Tree(Struct, kw_only=True):
    """One tree as its account has it, with the roots that proofs may still be made for."""

    version: int
    shape: Shape
    mirror: Mirror
    creator: Pubkey
    delegate: Pubkey
    leaves: dict[int, Leaf]
    metadata: dict[int, Metadata]
    roots: deque[bytes]
    minted: int = 0
    seq: int = 0


class Bubblegum:
    """The state of all trees and collections, changed by one transaction after another."""

    def __init__(self) -> None:
        self.trees: dict[Pubkey, Tree] = {}
        self.operators: dict[Pubkey, Pubkey] = {}
        self.editors: dict[Pubkey, frozenset[Pubkey]] = {}

    def run(self, calls: list[Called], signers: frozenset[Pubkey]) -> list[tuple[int, bytes]]:
        """Do a transaction's calls; return the events that programs write, each with its call's place.

        Raises:
            ProgramRefused: one was refused, and nothing was done.
        """
        # Only mints come several to a transaction, and they are refused for want of room or right, which is known first.
        self.check(calls, signers)
        return [(call.place, one) for call in calls for one in self._call(call, signers)]

    def check(self, calls: list[Called], signers: frozenset[Pubkey]) -> None:
        """Return if a transaction's calls would be taken now.

        Raises:
            ProgramRefused: otherwise.
        """
        self._check_mints([one for one in calls if one.name in {"mint_v1", "mint_v2"}], signers)
        for call in calls:
            if call.name in _TREE_AT:
                self._find(call, signers)

    def _check_mints(self, calls: list[Called], signers: frozenset[Pubkey]) -> None:
        for minted, call in enumerate(calls, start=1):
            second = call.name == "mint_v2"
            tree = self.trees[call.accounts[6 if second else 3]]
            minter = _given(call, 2, 1) if second else call.accounts[5]
            if minter not in signers or minter not in {tree.creator, tree.delegate}:
                raise ProgramRefused(call.place, WRONG_SIGNER)
            if tree.minted + minted > tree.shape.capacity:
                raise ProgramRefused(call.place, TREE_FULL)

    def account(self, tree: Pubkey, size: int) -> bytes:
        """Return a tree's account, byte for byte where anybody reads it."""
        found = self.trees[tree]
        shape = found.shape
        head = struct.pack("<BBII", 1, 0, shape.buffer, shape.depth) + bytes(Pubkey.default()) + bytes(8 + 6)
        state = struct.pack("<QQQ", found.seq, 0, 1)
        return (head.ljust(56, b"\0") + state + found.mirror.root).ljust(size, b"\0")

    def config(self, tree: Pubkey) -> bytes:
        """Return the account that says who may mint into a tree, and how many were minted."""
        found = self.trees[tree]
        head = hashlib.sha256(b"account:TreeConfig").digest()[:8] + bytes(found.creator) + bytes(found.delegate)
        counts = struct.pack("<QQBBB", found.shape.capacity, found.minted, 0, 1, found.version - 1)
        return (head + counts).ljust(96, b"\0")

    def _call(self, call: Called, signers: frozenset[Pubkey]) -> list[bytes]:
        if call.name in _TREE_AT:
            address, leaf = self._find(call, signers)
            if call.name.startswith("update"):
                return self._update(call, address, leaf)
            return self._write(address, leaf.nonce, _after(call, leaf))
        if call.name in {"mint_v1", "mint_v2"}:
            return self._mint(call)
        if call.name in {"create_tree", "create_tree_v2"}:
            self._create(call)
        elif call.name == "set_tree_delegate":
            self.trees[call.accounts[3]].delegate = call.accounts[2]
        elif call.name == "create_collection":
            plugins, owner = read_plugins(call.data), call.accounts[1]
            self.operators[call.accounts[0]] = plugins.get(TRANSFER_RIGHT) or owner
            self.editors[call.accounts[0]] = frozenset({owner, plugins.get(UPDATE_RIGHT) or owner})
        return []

    def _update(self, call: Called, address: Pubkey, leaf: Leaf) -> list[bytes]:
        tree = self.trees[address]
        fresh = _changed(call, tree.version)
        tree.metadata[leaf.nonce] = fresh
        hashes = {"data_hash": _hash(fresh, tree.version), "creator_hash": hash_creators(fresh.creators)}
        return self._write(address, leaf.nonce, replace(leaf, **hashes))

    def _create(self, call: Called) -> None:
        depth, buffer = struct.unpack_from("<II", call.data)
        shape = Shape(depth=depth, buffer=buffer)
        mirror = Mirror(depth)
        self.trees[call.accounts[1]] = Tree(
            version=2 if call.name.endswith("v2") else 1,
            shape=shape,
            mirror=mirror,
            creator=_given(call, 3, 2),
            delegate=_given(call, 3, 2),
            leaves={},
            metadata={},
            roots=deque([mirror.root], maxlen=buffer),
        )

    def _mint(self, call: Called) -> list[bytes]:
        second = call.name == "mint_v2"
        address, owner, delegate = (call.accounts[at] for at in ((6, 4, 5) if second else (3, 1, 2)))
        tree = self.trees[address]
        told = read_metadata(Cursor(call.data), tree.version)
        leaf = Leaf(
            id=find_asset(address, tree.minted),
            owner=owner,
            delegate=owner if delegate == BUBBLEGUM else delegate,
            nonce=tree.minted,
            data_hash=_hash(told, tree.version),
            creator_hash=hash_creators(told.creators),
            collection_hash=hash_collection(told.collection) if second else None,
        )
        tree.metadata[tree.minted] = told
        tree.minted += 1
        return self._write(address, leaf.nonce, leaf)

    def _find(self, call: Called, signers: frozenset[Pubkey]) -> tuple[Pubkey, Leaf]:
        """Return the tree and the leaf that a change is about."""
        second = call.name.endswith("_v2")
        address = call.accounts[_TREE_AT[call.name]]
        tree = self.trees[address]
        edits = call.name.startswith("update")
        claim = _read_claim(call, tree.version) if edits else read_proven(call.data, 2 if second else 1)
        leaf = tree.leaves.get(claim.index)
        if leaf is None or not _is_as_claimed(tree, leaf, claim) or _holders(call) != (leaf.owner, leaf.delegate):
            raise ProgramRefused(call.place, STALE_PROOF)
        authority = _given(call, 2, 1) if second else call.accounts[1] if edits else None
        if not (self._may_edit(tree, leaf, authority, signers) if edits else self._may(leaf, authority, signers)):
            raise ProgramRefused(call.place, NOT_ALLOWED)
        if edits and not tree.metadata[claim.index].mutable:
            raise ProgramRefused(call.place, IMMUTABLE)
        if authority == leaf.owner and leaf.flags and call.name == "transfer_v2":
            raise ProgramRefused(call.place, FROZEN)
        return address, leaf

    def _may(self, leaf: Leaf, authority: Pubkey | None, signers: frozenset[Pubkey]) -> bool:
        holders = {leaf.owner, leaf.delegate}
        if authority is None:
            return bool(holders & signers)
        standing = {self.operators[one] for one in self.operators if hash_collection(one) == leaf.collection_hash}
        return authority in signers and authority in holders | standing

    def _may_edit(self, tree: Tree, leaf: Leaf, authority: Pubkey | None, signers: frozenset[Pubkey]) -> bool:
        collections = [one for one in self.editors if hash_collection(one) == leaf.collection_hash]
        editors = self.editors[collections[0]] if collections else {tree.creator, tree.delegate}
        return authority in signers and authority in editors

    def _write(self, address: Pubkey, index: int, leaf: Leaf | None) -> list[bytes]:
        tree = self.trees[address]
        tree.mirror.write(index, NO_LEAF if leaf is None else leaf.hash())
        tree.leaves.pop(index, None) if leaf is None else tree.leaves.update({index: leaf})
        tree.seq += 1
        tree.roots.append(tree.mirror.root)
        told = [] if leaf is None else [tell_leaf(leaf)]
        return [*told, tell_change(address, tree.mirror, tree.seq, index)]


def _given(call: Called, place: int, instead: int) -> Pubkey:
    """Return an account, or the one that stands for it where it was left out."""
    found = call.accounts[place]
    return call.accounts[instead] if found == BUBBLEGUM else found


def _holders(call: Called) -> tuple[Pubkey, Pubkey]:
    """Return whose a change says that the asset is."""
    owner = 3 if call.name.endswith("_v2") else 5 if call.name.startswith("update") else 1
    return call.accounts[owner], _given(call, owner + 1, owner)


def _is_as_claimed(tree: Tree, leaf: Leaf, claim: Proven) -> bool:
    same = (leaf.data_hash, leaf.creator_hash, leaf.flags) == (claim.data_hash, claim.creator_hash, claim.flags)
    proof = tree.mirror.prove(claim.index)
    return same and claim.root in tree.roots and fold(leaf.hash(), claim.index, proof) == tree.mirror.root


def _after(call: Called, leaf: Leaf) -> Leaf | None:
    if call.name.startswith("burn"):
        return None
    flags, owner = leaf.flags, leaf.owner
    if call.name.startswith("transfer"):
        owner = call.accounts[5 if call.name.endswith("v2") else 3]
    elif call.name == "freeze_v2":
        flags |= 2
    else:
        flags &= ~2
    return Leaf(
        id=leaf.id,
        owner=owner,
        delegate=owner,
        nonce=leaf.nonce,
        data_hash=leaf.data_hash,
        creator_hash=leaf.creator_hash,
        collection_hash=leaf.collection_hash,
        flags=flags,
    )


def _hash(metadata: Metadata, version: int) -> bytes:
    written = metadata.write_v2() if version == 2 else metadata.write_v1()
    return hash_data(written, metadata.fee_points)


def _read_claim(call: Called, version: int) -> Proven:
    """Read what an update says of the asset as it is now."""
    cursor = Cursor(call.data)
    root = cursor.take(32)
    flags = read_flags(cursor) if version == 2 else 0
    index, now = read_index(cursor), read_metadata(cursor, version)
    hashes = {"data_hash": _hash(now, version), "creator_hash": hash_creators(now.creators)}
    return Proven(root=root, flags=flags, index=index, **hashes)


def _changed(call: Called, version: int) -> Metadata:
    """Return what an update makes of an asset's metadata."""
    cursor = Cursor(call.data)
    cursor.take(32)
    if version == 2:
        read_flags(cursor)
    read_index(cursor)
    now, change = read_metadata(cursor, version), read_change(cursor)
    told = {name: getattr(change, name) for name in change.__struct_fields__}
    return replace(now, **{name: value for name, value in told.items() if value is not None})
