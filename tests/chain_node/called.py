"""The calls of Bubblegum, MPL Core and lookup tables in a transaction, read back from its bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from msgspec import Struct
from solders.address_lookup_table_account import ID as LOOKUP_TABLES
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

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
        "update_metadata_v2",
        "update_metadata",
    )
}
_CREATE_TABLE, _EXTEND_TABLE = 0, 2
_TABLES = {_CREATE_TABLE: "create_table", _EXTEND_TABLE: "extend_table"}

Tables = Mapping[Pubkey, Sequence[Pubkey]]
"""What lies in each lookup table."""


class Called(Struct, frozen=True, kw_only=True):
    """One call: its place in the transaction, its name, its accounts, and its arguments as bytes."""

    place: int
    name: str
    accounts: tuple[Pubkey, ...]
    data: bytes


def read_accounts(raw: bytes, tables: Tables) -> list[Pubkey]:
    """Return a transaction's accounts in the order in which its calls number them: its own, then the tables'."""
    message = VersionedTransaction.from_bytes(raw).message
    looked_up = message.address_table_lookups if isinstance(message, MessageV0) else []
    written = [tables[one.account_key][at] for one in looked_up for at in bytes(one.writable_indexes)]
    only_read = [tables[one.account_key][at] for one in looked_up for at in bytes(one.readonly_indexes)]
    return [*message.account_keys, *written, *only_read]


def read_calls(raw: bytes, tables: Tables) -> list[Called]:
    """Return the calls that matter to trees, collections and tables, in order."""
    message = VersionedTransaction.from_bytes(raw).message
    keys = read_accounts(raw, tables)
    calls = []
    for place, one in enumerate(message.instructions):
        program, data = keys[one.program_id_index], bytes(one.data)
        if program == BUBBLEGUM:
            name, data = NAMES[data[:8]], data[8:]
        elif program == MPL_CORE:
            name = "create_collection"
        elif program == LOOKUP_TABLES:
            name = _TABLES[struct.unpack_from("<I", data)[0]]
        else:
            continue
        accounts = tuple(keys[at] for at in bytes(one.accounts))
        calls.append(Called(place=place, name=name, accounts=accounts, data=data))
    return calls
