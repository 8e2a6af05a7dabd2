"""Accounts as they lie on chain: who may mint into a tree, the tree's root, and durable nonces."""

from __future__ import annotations

import hashlib
import struct

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.merkle import Shape
from shared.problems import DataDamaged

_TREE_CONFIG = hashlib.sha256(b"account:TreeConfig").digest()[:8]
_TREE_HEAD = 56
_FIRST_CHANGE = 80
_NONCE_BYTES = 80


class AccountUnreadable(DataDamaged):
    """An account is not what its address says it is."""

    code = "chain_account_unreadable"


class TreeConfig(Struct, frozen=True, kw_only=True):
    """Who made a tree, who mints into it, and how much; ``minted`` never falls, whatever is burned."""

    creator: Pubkey
    delegate: Pubkey
    capacity: int
    minted: int
    public: bool
    version: int


class TreeState(Struct, frozen=True, kw_only=True):
    """A tree as it stands; ``seq`` is the number of the last write."""

    shape: Shape
    authority: Pubkey
    seq: int
    root: bytes


class Nonce(Struct, frozen=True, kw_only=True):
    """A durable nonce: one transaction that names ``value`` can land, then it is another."""

    authority: Pubkey
    value: bytes


def read_tree_config(data: bytes) -> TreeConfig:
    """Read a TreeConfig of 96 bytes.

    Raises:
        AccountUnreadable: it is something else.
    """
    if len(data) != 96 or not data.startswith(_TREE_CONFIG):
        raise AccountUnreadable("This account is no tree's configuration.")
    capacity, minted, public, _, version = struct.unpack_from("<QQBBB", data, 72)
    return TreeConfig(
        creator=Pubkey(data[8:40]),
        delegate=Pubkey(data[40:72]),
        capacity=capacity,
        minted=minted,
        public=bool(public),
        version=version + 1,
    )


def read_tree(data: bytes) -> TreeState:
    """Read the head and the present root of a tree's account.

    Raises:
        AccountUnreadable: it is something else.
    """
    if len(data) < _FIRST_CHANGE or data[:2] != b"\x01\x00":
        raise AccountUnreadable("This account is no tree.")
    buffer, depth = struct.unpack_from("<II", data, 2)
    seq, active, _ = struct.unpack_from("<QQQ", data, _TREE_HEAD)
    at = _FIRST_CHANGE + active * (32 * depth + 40)
    bare = Shape(depth=depth, buffer=buffer)
    if not bare.is_allowed_depth() or active >= buffer or len(data) < bare.account_bytes:
        raise AccountUnreadable("This tree's sizes contradict one another.")
    canopy = ((len(data) - bare.account_bytes) // 32 + 2).bit_length() - 2
    shape = Shape(depth=depth, buffer=buffer, canopy=canopy)
    if shape.account_bytes != len(data):
        raise AccountUnreadable("This tree's canopy has an odd size.")
    return TreeState(shape=shape, authority=Pubkey(data[10:42]), seq=seq, root=data[at : at + 32])


def read_nonce(data: bytes) -> Nonce:
    """Read an initialised nonce account.

    Raises:
        AccountUnreadable: it is something else, or not initialised.
    """
    if len(data) != _NONCE_BYTES or struct.unpack_from("<I", data, 4)[0] != 1:
        raise AccountUnreadable("This account is no initialised nonce.")
    return Nonce(authority=Pubkey(data[8:40]), value=data[40:72])
