"""Files signed by the gate: whatever is in them, their last line holds the gate's key and its signature over the rest."""

from __future__ import annotations

import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from gate.keystore import read_b64url, write_b64url
from shared.problems import Denied, InputUnusable

_LABEL = b"ttfile1"
_SEAL = re.compile(rb"key=([\w-]{43}) signature=([\w-]{86})")


class FileTampered(Denied):
    """A signed file is not as it was signed, or another gate signed it."""

    code = "file_tampered"


class Unsealed(Struct, frozen=True, kw_only=True):
    """A file whose signature fits: what was signed, and the key in Base64url it was signed with."""

    content: bytes
    key: str


def seal_file(content: bytes, key: Ed25519PrivateKey, frame: str = "{}") -> bytes:
    """Return the content, which ends with a line's end, and a last line in the form of ``frame`` that signs it.

    The Ed25519 signature is over ``ttfile1`` and the SHA-256 of everything before the last line.
    """
    public = write_b64url(key.public_key().public_bytes_raw())
    signature = write_b64url(key.sign(_LABEL + hashlib.sha256(content).digest()))
    return content + frame.format(f"key={public} signature={signature}").encode() + b"\n"


def unseal_file(data: bytes, expected: str | None = None) -> Unsealed:
    """Return what was signed, if the signature fits and, where a key is expected, is by that one.

    Raises:
        InputUnusable: there is no signature.
        FileTampered: it does not fit, or is by another key.
    """
    content, last = _split_last_line(data)
    found = _SEAL.search(last)
    if found is None:
        raise InputUnusable("This file has no gate's signature in its last line: was it cut short?")
    key, signature = found[1].decode(), read_b64url(found[2].decode())
    if expected is not None and expected != key:
        raise FileTampered(f"This file is signed with the key {key}, not with {expected}: it is another gate's.")
    try:
        public = Ed25519PublicKey.from_public_bytes(read_b64url(key))
        public.verify(signature, _LABEL + hashlib.sha256(content).digest())
    except (InvalidSignature, ValueError) as exc:
        raise FileTampered("This file is not as the gate signed it: something in it was changed.") from exc
    return Unsealed(content=content, key=key)


def _split_last_line(data: bytes) -> tuple[bytes, bytes]:
    start = data.rstrip(b"\n").rfind(b"\n") + 1
    return data[:start], data[start:]
