"""The word in the address of an asset's metadata: as short as 128 bits can be, since each mint pays for every byte of it."""

from __future__ import annotations

import base64
import re
from uuid import UUID

_TOKEN = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")


def write_token(token: UUID) -> str:
    """Return a token as 22 letters (Base64 for addresses, without padding)."""
    return base64.urlsafe_b64encode(token.bytes).decode().rstrip("=")


def read_token(text: str) -> UUID | None:
    """Return the token that 22 letters write; None for anything else."""
    if not _TOKEN.fullmatch(text):
        return None
    return UUID(bytes=base64.urlsafe_b64decode(text + "=="))
