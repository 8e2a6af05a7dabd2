"""One-time enrolment codes: "TT1-" and Crockford Base32 of tenant id (16 bytes) and a secret (10 bytes), in groups."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from shared.codes import base32
from shared.ids import TenantId
from shared.problems import CodeMalformed

LIFETIME = timedelta(minutes=15)
SECRET_SIZE = 10
_PREFIX = "TT1-"
_GROUP = 6
_TENANT_SIZE = 16


class EnrolmentCode(Struct, frozen=True, kw_only=True):
    """A code's parts: whose it is, and the SHA-256 under which it is stored."""

    tenant: TenantId
    code_hash: bytes


def write_code(tenant: TenantId, secret: bytes) -> str:
    """Return the text an organiser hands to whoever sets up the gate; ``secret`` is 10 random bytes."""
    letters = base32.encode(tenant.bytes + secret)
    return _PREFIX + "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def read_code(text: str) -> EnrolmentCode:
    """Return the parts of a code as typed: letter case, spaces and hyphens do not matter.

    Raises:
        CodeMalformed: it is not an enrolment code.
    """
    plain = "".join(text.split()).upper().replace("-", "")
    prefix = _PREFIX.replace("-", "")
    data = _decode(plain.removeprefix(prefix)) if plain.startswith(prefix) else b""
    if len(data) != _TENANT_SIZE + SECRET_SIZE:
        raise CodeMalformed(
            "This is not an enrolment code: it begins with TT1- and has 42 letters and digits after that."
        )
    return EnrolmentCode(tenant=TenantId(UUID(bytes=data[:_TENANT_SIZE])), code_hash=hashlib.sha256(data).digest())


def _decode(text: str) -> bytes:
    try:
        return base32.decode(text)
    except CodeMalformed:
        return b""
