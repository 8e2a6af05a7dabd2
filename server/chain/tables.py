"""Address lookup tables: a transaction names a table and one byte an account, where it would need 32 bytes for each.

All mints into a tree name the same accounts. With those in a table about twice as many mints fit into one transaction.
"""

from __future__ import annotations

import struct

from msgspec import Struct
from solders.address_lookup_table_account import ID as LOOKUP_TABLES
from solders.address_lookup_table_account import AddressLookupTableAccount, derive_lookup_table_address
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from server.chain.accounts import AccountUnreadable
from server.chain.accounts_of import pays, reads, signs, writes
from server.chain.programs import (
    MPL_COMPRESSION,
    MPL_CORE,
    MPL_CORE_SIGNER,
    MPL_NOOP,
    RECENT_BLOCKHASHES,
    SPL_COMPRESSION,
    SPL_NOOP,
    SYSTEM,
    find_tree_config,
)

HEAD_BYTES = 56
_CREATE, _EXTEND = 0, 2
_IS_TABLE = 1
_STILL_OPEN = (1 << 64) - 1


class TableWish(Struct, frozen=True, kw_only=True):
    """A table to be made: whose it is, after which recent slot it is named, and what is to lie in it."""

    owner: Pubkey
    slot: int
    addresses: tuple[Pubkey, ...]

    @property
    def address(self) -> Pubkey:
        """Return where it will be."""
        return derive_lookup_table_address(self.owner, self.slot)[0]


def table_bytes(count: int) -> int:
    """Return the size of a table of so many addresses."""
    return HEAD_BYTES + 32 * count


def shared_accounts(tree: Pubkey, version: int, collection: Pubkey | None) -> tuple[Pubkey, ...]:
    """Return the accounts that all mints into a tree name, in the order of its table.

    Signers cannot lie in one, nor programs that a transaction itself calls: the system program is one, as it advances the nonce.
    The tree is left out, by which its transactions are found: not every node finds them by an address that stands in a table.
    """
    if version == 1:
        return (find_tree_config(tree), SPL_NOOP, SPL_COMPRESSION, RECENT_BLOCKHASHES)
    collections = () if collection is None else (collection, MPL_CORE_SIGNER)
    return (
        find_tree_config(tree),
        *collections,
        MPL_NOOP,
        MPL_COMPRESSION,
        MPL_CORE,
        RECENT_BLOCKHASHES,
    )


def make_table(wish: TableWish) -> tuple[Instruction, Instruction]:
    """Make a table and fill it; it can be used from the next slot on. Its owner signs, pays, and alone may add to it."""
    address, bump = derive_lookup_table_address(wish.owner, wish.slot)
    accounts = [writes(address), signs(wish.owner), pays(wish.owner), reads(SYSTEM)]
    create = struct.pack("<IQB", _CREATE, wish.slot, bump)
    return Instruction(LOOKUP_TABLES, create, accounts), extend_table(address, wish.owner, wish.addresses)


def extend_table(table: Pubkey, owner: Pubkey, addresses: tuple[Pubkey, ...]) -> Instruction:
    """Add to a table; what is added can be used from the next slot on."""
    accounts = [writes(table), signs(owner), pays(owner), reads(SYSTEM)]
    data = struct.pack("<IQ", _EXTEND, len(addresses)) + b"".join(bytes(one) for one in addresses)
    return Instruction(LOOKUP_TABLES, data, accounts)


def read_table(address: Pubkey, data: bytes) -> AddressLookupTableAccount:
    """Read a table's account.

    Raises:
        AccountUnreadable: it is something else, or about to be closed.
    """
    whole, rest = divmod(len(data) - HEAD_BYTES, 32)
    if len(data) < HEAD_BYTES or rest or struct.unpack_from("<I", data)[0] != _IS_TABLE:
        raise AccountUnreadable("This account is no lookup table.")
    if struct.unpack_from("<Q", data, 4)[0] != _STILL_OPEN:
        raise AccountUnreadable("This lookup table is about to be closed.")
    found = [Pubkey(data[HEAD_BYTES + 32 * n : HEAD_BYTES + 32 * (n + 1)]) for n in range(whole)]
    return AddressLookupTableAccount(key=address, addresses=found)
