"""Bubblegum and the compression program, as rules in Python: which calls they take, which they refuse, what they write.

Plays the programs' part on a node where stubs stand in their place. It is held to what the real ones accepted and computed, by
the recorded vectors, and wherever the programs themselves are at hand, by running both.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.hashes import NO_LEAF, Leaf, hash_collection
from server.chain.merkle import Mirror, Shape, fold
from server.chain.programs import BUBBLEGUM, find_asset
from tests.chain_node.called import Called, Proven, read_metadata, read_proven

WRONG_SIGNER, TREE_FULL, NOT_ALLOWED, FROZEN = 6016, 6017, 6025, 6045
STALE_PROOF = 6001

_TREE_AT = {"transfer_v2": 6, "burn_v2": 5, "freeze_v2": 5, "thaw_v2": 5, "transfer": 4, "burn": 3}
_WITHOUT_PROOF = frozenset(
    {"create_collection", "create_tree", "create_tree_v2", "set_tree_delegate", "mint_v1", "mint_v2"}
)


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
    roots: deque[bytes]
    minted: int = 0
    seq: int = 0


class Bubblegum:
    """The state of all trees and collections, changed by one transaction after another."""

    def __init__(self) -> None:
        self.trees: dict[Pubkey, Tree] = {}
        self.operators: dict[Pubkey, Pubkey] = {}

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
            if call.name not in _WITHOUT_PROOF:
                self._find(call, signers)

    def _check_mints(self, calls: list[Called], signers: frozenset[Pubkey]) -> None:
        for minted, call in enumerate(calls, start=1):
            second = call.name == "mint_v2"
            tree = self.trees[call.accounts[6 if second else 3]]
            minter = call.accounts[2 if second else 5]
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
        if call.name == "create_collection":
            self.operators[call.accounts[0]] = Pubkey(_operator(call.data))
            return []
        if call.name in {"create_tree", "create_tree_v2"}:
            return self._create(call)
        if call.name == "set_tree_delegate":
            self.trees[call.accounts[3]].delegate = call.accounts[2]
            return []
        if call.name in {"mint_v1", "mint_v2"}:
            return self._mint(call)
        address, leaf = self._find(call, signers)
        return self._write(address, leaf.nonce, _after(call, leaf))

    def _create(self, call: Called) -> list[bytes]:
        depth, buffer = struct.unpack_from("<II", call.data)
        shape = Shape(depth=depth, buffer=buffer)
        mirror = Mirror(depth)
        self.trees[call.accounts[1]] = Tree(
            version=2 if call.name.endswith("v2") else 1,
            shape=shape,
            mirror=mirror,
            creator=call.accounts[3],
            delegate=call.accounts[3],
            leaves={},
            roots=deque([mirror.root], maxlen=buffer),
        )
        return []

    def _mint(self, call: Called) -> list[bytes]:
        second = call.name == "mint_v2"
        address, owner, delegate = (call.accounts[at] for at in ((6, 4, 5) if second else (3, 1, 2)))
        tree = self.trees[address]
        told = read_metadata(call.data, tree.version)
        collection = call.accounts[7] if second and call.accounts[7] != BUBBLEGUM else None
        leaf = Leaf(
            id=find_asset(address, tree.minted),
            owner=owner,
            delegate=owner if delegate == BUBBLEGUM else delegate,
            nonce=tree.minted,
            data_hash=told.data_hash,
            creator_hash=told.creator_hash,
            collection_hash=hash_collection(collection) if second else None,
        )
        tree.minted += 1
        return self._write(address, leaf.nonce, leaf)

    def _find(self, call: Called, signers: frozenset[Pubkey]) -> tuple[Pubkey, Leaf]:
        """Return the tree and the leaf that a change is about."""
        second = call.name.endswith("_v2")
        address = call.accounts[_TREE_AT[call.name]]
        tree, claim = self.trees[address], read_proven(call.data, 2 if second else 1)
        leaf = tree.leaves.get(claim.index)
        if leaf is None or not _is_as_claimed(tree, leaf, claim):
            raise ProgramRefused(call.place, STALE_PROOF)
        authority = call.accounts[2] if second else None
        if not self._may(leaf, authority, signers):
            raise ProgramRefused(call.place, NOT_ALLOWED)
        if authority == leaf.owner and leaf.flags and call.name == "transfer_v2":
            raise ProgramRefused(call.place, FROZEN)
        return address, leaf

    def _may(self, leaf: Leaf, authority: Pubkey | None, signers: frozenset[Pubkey]) -> bool:
        holders = {leaf.owner, leaf.delegate}
        if authority is None:
            return bool(holders & signers)
        standing = {self.operators[one] for one in self.operators if hash_collection(one) == leaf.collection_hash}
        return authority in signers and authority in holders | standing

    def _write(self, address: Pubkey, index: int, leaf: Leaf | None) -> list[bytes]:
        tree = self.trees[address]
        tree.mirror.write(index, NO_LEAF if leaf is None else leaf.hash())
        tree.leaves.pop(index, None) if leaf is None else tree.leaves.update({index: leaf})
        tree.seq += 1
        tree.roots.append(tree.mirror.root)
        told = [] if leaf is None else [_tell_leaf(leaf)]
        return [*told, _tell_change(address, tree, index)]


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


def _tell_leaf(leaf: Leaf) -> bytes:
    second = leaf.collection_hash is not None
    body = bytes([1, second, second]) + bytes(leaf.id) + bytes(leaf.owner) + bytes(leaf.delegate)
    body += struct.pack("<Q", leaf.nonce) + leaf.data_hash + leaf.creator_hash
    if leaf.collection_hash is not None:
        body += leaf.collection_hash + _NO_ASSET_DATA + bytes([leaf.flags])
    body += leaf.hash()
    return b"\x01\x00" + struct.pack("<I", len(body)) + body


def _tell_change(address: Pubkey, tree: Tree, index: int) -> bytes:
    depth = tree.shape.depth
    path = []
    for level in range(depth + 1):
        node = tree.mirror._node(level, index >> level)
        path.append(node + struct.pack("<I", (1 << (depth - level)) + (index >> level)))
    head = b"\x00\x00" + bytes(address) + struct.pack("<I", depth + 1)
    return head + b"".join(path) + struct.pack("<QI", tree.seq, index)


def _operator(data: bytes) -> bytes:
    """Return who holds the standing rights: the one authority that is named after the index of the right to transfer."""
    at = 1
    for _ in range(2):
        at += 4 + int.from_bytes(data[at : at + 4], "little")
    marker = bytes([7, 1, 3])
    found = data.index(marker, at) + len(marker)
    return data[found : found + 32]


_NO_ASSET_DATA = bytes.fromhex("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470")
