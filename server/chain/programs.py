"""Which programs take part, and the addresses derived from them (Bubblegum and MPL Core of Metaplex, June 2026)."""

from __future__ import annotations

import hashlib
import struct

from solders.pubkey import Pubkey

BUBBLEGUM = Pubkey.from_string("BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY")
MPL_COMPRESSION = Pubkey.from_string("mcmt6YrQEMKw8Mw43FmpRLmf7BqRnFMKmAcbxE3xkAW")
MPL_NOOP = Pubkey.from_string("mnoopTCrg4p8ry25e4bcWA9XZjbNjMTfgYVGGEdRsf3")
SPL_COMPRESSION = Pubkey.from_string("cmtDvXumGCrqC1Age74AVPhSRVXJMd8PJS91L8KbNCK")
SPL_NOOP = Pubkey.from_string("noopb9bkMVfRPU8AsbpTUg8AQkHtKwMYZiFUjNRtMmV")
MPL_CORE = Pubkey.from_string("CoREENxT6tW1HoK8ypY1SxRMZTcVPm7R94rH4PZNhX7d")
TOKEN_METADATA = Pubkey.from_string("metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s")
SYSTEM = Pubkey.from_string("11111111111111111111111111111111")
RECENT_BLOCKHASHES = Pubkey.from_string("SysvarRecentB1ockHashes11111111111111111111")

MPL_CORE_SIGNER = Pubkey.find_program_address([b"mpl_core_cpi_signer"], BUBBLEGUM)[0]
"""With which Bubblegum signs its calls to MPL Core."""


def find_tree_config(tree: Pubkey) -> Pubkey:
    """Return the account that says who may mint into a tree."""
    return Pubkey.find_program_address([bytes(tree)], BUBBLEGUM)[0]


def find_asset(tree: Pubkey, nonce: int) -> Pubkey:
    """Return the id of the asset that was the tree's ``nonce``-th mint, counted from 0."""
    return Pubkey.find_program_address([b"asset", bytes(tree), struct.pack("<Q", nonce)], BUBBLEGUM)[0]


def find_discriminator(name: str) -> bytes:
    """Return the eight bytes that stand before an Anchor instruction's arguments; ``name`` in snake case."""
    return hashlib.sha256(f"global:{name}".encode()).digest()[:8]
