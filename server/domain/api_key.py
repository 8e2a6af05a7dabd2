"""API keys as text: `tt_live_` and 92 letters and digits that name the tenant and the key and carry its secret.

The letters are Base62 of 68 bytes: tenant id (16), key id (16), secret (32), and a check of 4 bytes, the first of
SHA-256("ttkeycheck1" | the rest), by which a mistyped key is told without asking the database, and one left in a public place
can be told from other text.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

from shared.ids import ApiKeyId, TenantId
from shared.secrecy import Reticent

PREFIX = "tt_live_"
SECRET_SIZE = 32
LENGTH = 92
_CHECK_SIZE = 4
_SIZE = 16 + 16 + SECRET_SIZE + _CHECK_SIZE
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {char: value for value, char in enumerate(_ALPHABET)}


class ApiKey(Reticent, frozen=True, kw_only=True):
    """A key's parts."""

    tenant: TenantId
    id: ApiKeyId
    secret: bytes


def write_key(key: ApiKey) -> str:
    """Return the text its owner is shown once."""
    body = key.tenant.bytes + key.id.bytes + key.secret
    number = int.from_bytes(body + _check(body))
    letters = []
    for _ in range(LENGTH):
        number, value = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[value])
    return PREFIX + "".join(reversed(letters))


def read_key(text: str) -> ApiKey | None:
    """Return the parts of a key; None for any other text."""
    letters = text.removeprefix(PREFIX)
    if not text.startswith(PREFIX) or len(letters) != LENGTH or not all(char in _VALUE for char in letters):
        return None
    number = 0
    for char in letters:
        number = number * len(_ALPHABET) + _VALUE[char]
    if number >> 8 * _SIZE:
        return None
    data = number.to_bytes(_SIZE)
    body = data[:-_CHECK_SIZE]
    if _check(body) != data[-_CHECK_SIZE:]:
        return None
    tenant, key = TenantId(UUID(bytes=body[:16])), ApiKeyId(UUID(bytes=body[16:32]))
    return ApiKey(tenant=tenant, id=key, secret=body[32:])


def hash_secret(secret: bytes) -> bytes:
    """Return what is kept of a secret.

    A plain SHA-256: slow hashes make guessing dear where there is little to guess, as with PINs. Of 256 random bits nobody
    guesses any, so a slow hash would only slow down every call.
    """
    return hashlib.sha256(secret).digest()


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"ttkeycheck1" + body).digest()[:_CHECK_SIZE]
