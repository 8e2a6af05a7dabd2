"""The calls of Bubblegum and MPL Core in a transaction, read back from their bytes as the programs read them."""

from __future__ import annotations

import struct

from msgspec import Struct
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from server.chain.hashes import hash_creators, hash_data
from server.chain.metadata import Creator
from server.chain.programs import BUBBLEGUM, MPL_CORE, find_discriminator

NAMES = {
    find_discriminator(name): name
    for name in (
        "create_tree_v2",
        "create_tree",
        "set_tree_delegate",
        "mint_v2",
        "mint_v1",
        "transfer_v2",
        "transfer",
        "burn_v2",
        "burn",
        "freeze_v2",
        "thaw_v2",
    )
}


class Called(Struct, frozen=True, kw_only=True):
    """One call: its place in the transaction, its name, its accounts, and its arguments as bytes."""

    place: int
    name: str
    accounts: tuple[Pubkey, ...]
    data: bytes


class Described(Struct, frozen=True, kw_only=True):
    """What a mint says of its asset."""

    data_hash: bytes
    creator_hash: bytes


class Proven(Struct, frozen=True, kw_only=True):
    """What a change claims of the leaf it changes."""

    root: bytes
    data_hash: bytes
    creator_hash: bytes
    flags: int
    nonce: int
    index: int


def read_calls(raw: bytes) -> list[Called]:
    """Return the calls that matter to trees and collections, in order."""
    message = VersionedTransaction.from_bytes(raw).message
    keys = message.account_keys
    calls = []
    for place, one in enumerate(message.instructions):
        program, data = keys[one.program_id_index], bytes(one.data)
        if program == BUBBLEGUM:
            name, data = NAMES[data[:8]], data[8:]
        elif program == MPL_CORE:
            name = "create_collection"
        else:
            continue
        calls.append(Called(place=place, name=name, accounts=tuple(keys[at] for at in one.accounts), data=data))
    return calls


def read_metadata(data: bytes, version: int) -> Described:
    """Read MetadataArgs of either version; what follows them is left alone."""
    at = 0
    for _ in range(3):
        at += 4 + int.from_bytes(data[at : at + 4], "little")
    (fee,) = struct.unpack_from("<H", data, at)
    at += 4  # the fee, and two flags
    if version == 1:
        at += 1 + data[at]  # edition
    at += 1 + data[at]  # token standard
    if version == 1:
        at += 1 + 33 * data[at]  # collection
        at += 1 + 17 * data[at]  # uses
        at += 1  # token program
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    creators = [_read_creator(data[at + 34 * n : at + 34 * n + 34]) for n in range(count)]
    at += 34 * count
    if version == 2:
        at += 1 + 32 * data[at]
    return Described(data_hash=hash_data(data[:at], fee), creator_hash=hash_creators(creators))


def read_proven(data: bytes, version: int) -> Proven:
    """Read the arguments that every change of a leaf begins with."""
    at, flags = 96, 0
    if version == 2:
        at += 1 + 32 * data[at]
        flags = data[at + 1] if data[at] else 0
        at += 1 + data[at]
    nonce, index = struct.unpack_from("<QI", data, at)
    return Proven(
        root=data[:32], data_hash=data[32:64], creator_hash=data[64:96], flags=flags, nonce=nonce, index=index
    )


def _read_creator(data: bytes) -> Creator:
    return Creator(address=Pubkey(data[:32]), verified=bool(data[32]), share=data[33])
