"""Lookup tables as the chain has them, learned from the very transactions that make them."""

from __future__ import annotations

import struct

from solders.pubkey import Pubkey

from tests.chain_node.called import Called

_HEAD = 12


class LookupTables:
    """What lies in each table."""

    def __init__(self) -> None:
        self.entries: dict[Pubkey, list[Pubkey]] = {}

    def run(self, calls: list[Called]) -> None:
        """Do what landed calls say of tables."""
        for call in calls:
            if call.name == "create_table":
                self.entries[call.accounts[0]] = []
            elif call.name == "extend_table":
                (count,) = struct.unpack_from("<Q", call.data, 4)
                more = [Pubkey(call.data[_HEAD + 32 * n : _HEAD + 32 * (n + 1)]) for n in range(count)]
                self.entries[call.accounts[0]] += more
