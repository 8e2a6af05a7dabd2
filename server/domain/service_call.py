"""Signed calls between services: what is signed, and how (HMAC-SHA256, RFC 2104)."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

from msgspec import Struct

from shared.ids import TenantId

SCHEME = "TT-HMAC-SHA256-1"
WINDOW = timedelta(seconds=300)
"""How far the time a call was signed at may be from the server's, either way."""
NONCE_KEPT = 2 * WINDOW
"""How long a nonce is remembered: a call signed by a clock that is ahead counts for twice the window."""
SECRET_SIZE = 32

_CALLER = re.compile(r"[a-z][a-z0-9-]{1,39}")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TIME = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


class SignedCall(Struct, frozen=True, kw_only=True):
    """Everything the signature covers; ``target`` is the path with its query exactly as sent, ``body_hash`` SHA-256."""

    audience: str
    caller: str
    time_s: int
    nonce: str
    tenant: TenantId
    method: str
    target: str
    body_hash: bytes


class CallHeaders(Struct, frozen=True, kw_only=True):
    """What a call says of itself, in the form it must have."""

    caller: str
    time_s: int
    nonce: str
    signature: bytes


def read_headers(caller: str, time: str, nonce: str, signature: str) -> CallHeaders | None:
    """Return what the headers say; None if one does not have its form."""
    formed = (
        _CALLER.fullmatch(caller)
        and _TIME.fullmatch(time)
        and _NONCE.fullmatch(nonce)
        and _SIGNATURE.fullmatch(signature)
    )
    if not formed:
        return None
    return CallHeaders(caller=caller, time_s=int(time), nonce=nonce, signature=bytes.fromhex(signature))


def is_caller_name(name: str) -> bool:
    """Tell whether a service may be called this: 2 to 40 lower-case letters, digits and hyphens, a letter first."""
    return _CALLER.fullmatch(name) is not None


def write_signed(call: SignedCall) -> bytes:
    """Return the bytes that are signed: nine lines, each in the only form it can have, so that no two calls read the same."""
    lines = (
        SCHEME,
        call.audience,
        call.caller,
        str(call.time_s),
        call.nonce,
        str(call.tenant),
        call.method,
        call.target,
        call.body_hash.hex(),
    )
    return "\n".join(lines).encode()


def sign(secret: bytes, call: SignedCall) -> bytes:
    """Return the signature, 32 bytes."""
    return hmac.digest(secret, write_signed(call), hashlib.sha256)


def is_in_time(call: SignedCall, now: datetime) -> bool:
    """Tell whether a call was signed near enough to now."""
    return abs(now.timestamp() - call.time_s) <= WINDOW.total_seconds()
