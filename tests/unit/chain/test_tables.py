"""Lookup tables as they are made, and as they are read."""

from __future__ import annotations

import struct

import pytest
from solders.address_lookup_table_account import AddressLookupTable

from server.chain.accounts import AccountUnreadable
from server.chain.programs import BUBBLEGUM, RECENT_BLOCKHASHES, SYSTEM, find_tree_config
from server.chain.tables import TableWish, extend_table, make_table, read_table, shared_accounts, table_bytes
from tests.unit.chain import recorded as seen

WISH = TableWish(owner=seen.PAYER, slot=88, addresses=(seen.TREE_V2, seen.COLLECTION))
# As a node kept it: open, last extended in slot 89, of an owner, with two addresses.
KEPT = (
    struct.pack("<IQQBB32sH", 1, 2**64 - 1, 89, 0, 1, bytes(seen.PAYER), 0)
    + bytes(seen.TREE_V2)
    + bytes(seen.COLLECTION)
)


def test_a_table_is_made_and_filled_by_its_owner() -> None:
    create, extend = make_table(WISH)
    assert struct.unpack_from("<IQ", create.data) == (0, 88)
    assert bytes(extend.data) == struct.pack("<IQ", 2, 2) + bytes(seen.TREE_V2) + bytes(seen.COLLECTION)
    for call in (create, extend):
        assert [one.pubkey for one in call.accounts] == [WISH.address, seen.PAYER, seen.PAYER, SYSTEM]
        assert [one.is_signer for one in call.accounts] == [False, True, True, False]
    more = extend_table(WISH.address, seen.PAYER, (seen.OWNER_A,))
    assert bytes(more.data)[12:] == bytes(seen.OWNER_A)


def test_a_table_is_read_as_the_usual_package_reads_it() -> None:
    found = read_table(WISH.address, KEPT)
    assert (found.key, list(found.addresses)) == (WISH.address, list(AddressLookupTable.deserialize(KEPT).addresses))
    assert len(KEPT) == table_bytes(2)


@pytest.mark.parametrize("harm", [KEPT[:-1], KEPT[:40], b"\x00" + KEPT[1:], KEPT[:4] + bytes(8) + KEPT[12:], b""])
def test_what_is_no_open_table_is_told(harm: bytes) -> None:
    with pytest.raises(AccountUnreadable):
        read_table(WISH.address, harm)


def test_what_is_called_and_who_signs_is_in_no_table() -> None:
    for version, collection in ((1, None), (2, seen.COLLECTION), (2, None)):
        shared = shared_accounts(seen.TREE_V2, version, collection)
        assert len(set(shared)) == len(shared)
        assert {find_tree_config(seen.TREE_V2), RECENT_BLOCKHASHES} < set(shared)
        assert {BUBBLEGUM, SYSTEM, seen.PAYER, seen.TREE_V2}.isdisjoint(shared)
