"""When two calls are the same call: the form of the key, and the hash of what was asked."""

from __future__ import annotations

import hashlib
import re

import msgspec

KEY_PATTERN = r"^[A-Za-z0-9_.:\-]{16,64}$"
"""The form of an idempotency key, for readers too."""

_KEY = re.compile(KEY_PATTERN)


def is_usable_key(key: str) -> bool:
    """Tell whether a text is an idempotency key: 16 to 64 letters, digits or ``_ . : -``."""
    return _KEY.fullmatch(key) is not None


def hash_request(request: object) -> bytes:
    """Return the SHA-256 of a request's canonical form: every field, names sorted, whatever the sender's spacing."""
    return hashlib.sha256(msgspec.json.encode(request, order="sorted")).digest()
