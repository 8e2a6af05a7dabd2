"""The time-indexed hash chain that makes a code live: each slot shows the next pre-image.

    x_N     = HKDF-SHA256(seed, info = "ttchain1" | header), 16 bytes
    x_(i-1) = SHA-256(context | u16 i | x_i)[:16]
    context = SHA-256("ttchain1" | event id | header | handle)[:16]

After T/Key (Kogan, Manohar, Boneh, CCS 2017, arXiv 1708.08424): the verifier keeps only the anchor x_0, so it holds no
secret, and the index in every step makes each step its own hash function. Slot 1 is the epoch's first: x_0 is never shown.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VALUE_SIZE = 16
MAX_SLOTS = 0xFFFF
"""Slots an epoch may have: a token has 16 bits for its own."""

_LABEL = b"ttchain1"


def derive_context(event: UUID, header: bytes, handle: bytes) -> bytes:
    """Return the 16 bytes that tie a chain to one ticket, event and epoch."""
    return hashlib.sha256(_LABEL + event.bytes + header + handle).digest()[:VALUE_SIZE]


def derive_top(seed: bytes, header: bytes) -> bytes:
    """Return x_N, the chain's secret end, from the ticket's 32-byte seed."""
    return HKDF(algorithm=SHA256(), length=VALUE_SIZE, salt=None, info=_LABEL + header).derive(seed)


def walk_down(context: bytes, value: bytes, start: int, stop: int) -> bytes:
    """Return x_stop from x_start by start - stop hashes; ``start >= stop >= 0``."""
    for index in range(start, stop, -1):
        value = hashlib.sha256(context + index.to_bytes(2, "big") + value).digest()[:VALUE_SIZE]
    return value


def slot_count(starts: datetime, ends: datetime, slot_s: int) -> int:
    """Return N, the number of slots in an epoch, at most ``MAX_SLOTS``; the last may be cut short by the epoch's end."""
    return -((starts - ends) // timedelta(seconds=slot_s))


def slot_at(starts: datetime, slot_s: int, now: datetime) -> int:
    """Return the slot of a moment, 1 for the first; below 1 before the epoch and above N after it."""
    return 1 + (now - starts) // timedelta(seconds=slot_s)
