"""How a gate opens what is sealed for it, and what wraps keys at rest, from docs/reference/codes.md and RFC 9180 alone."""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305

KEM = b"KEM" + (0x0020).to_bytes(2, "big")
SUITE = b"HPKE" + b"".join(number.to_bytes(2, "big") for number in (0x0020, 0x0001, 0x0003))
BUNDLE = b"ttbundle1"


class Carried(NamedTuple):
    """What travels to a gate."""

    sealed: bytes
    signature: bytes


def extract(salt: bytes, key: bytes) -> bytes:
    """RFC 5869, 2.2."""
    return hmac.digest(salt or bytes(32), key, "sha256")


def expand(key: bytes, info: bytes, size: int) -> bytes:
    """RFC 5869, 2.3."""
    block, out, number = b"", b"", 1
    while len(out) < size:
        block = hmac.digest(key, block + info + bytes([number]), "sha256")
        out, number = out + block, number + 1
    return out[:size]


def labeled_extract(suite: bytes, salt: bytes, label: bytes, key: bytes) -> bytes:
    """RFC 9180, 4."""
    return extract(salt, b"HPKE-v1" + suite + label + key)


def labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    """RFC 9180, 4."""
    return expand(key, size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, size)


def derive_aead(shared: bytes, encapsulated: bytes, recipient: bytes, info: bytes) -> tuple[bytes, bytes]:
    """Return key and first nonce: RFC 9180, 4.1 (ExtractAndExpand) and 5.1 (KeySchedule in base mode)."""
    prk = labeled_extract(KEM, b"", b"eae_prk", shared)
    secret = labeled_expand(KEM, prk, b"shared_secret", encapsulated + recipient, 32)
    context = b"\0" + labeled_extract(SUITE, b"", b"psk_id_hash", b"") + labeled_extract(SUITE, b"", b"info_hash", info)
    secret = labeled_extract(SUITE, secret, b"secret", b"")
    return labeled_expand(SUITE, secret, b"key", context, 32), labeled_expand(SUITE, secret, b"base_nonce", context, 12)


def seal_bundle(plain: bytes, gate: UUID, to: bytes, config: Ed25519PrivateKey, ephemeral: X25519PrivateKey) -> Carried:
    """Seal a bundle as a server does; the ephemeral key would be fresh each time."""
    encapsulated = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(to))
    key, nonce = derive_aead(shared, encapsulated, to, BUNDLE + gate.bytes)
    sealed = encapsulated + ChaCha20Poly1305(key).encrypt(nonce, plain, b"")
    return Carried(sealed, config.sign(BUNDLE + gate.bytes + sealed))


def open_bundle(carried: Carried, gate: UUID, seal_key: X25519PrivateKey, config: bytes) -> bytes:
    """Check the signature, then open."""
    Ed25519PublicKey.from_public_bytes(config).verify(carried.signature, BUNDLE + gate.bytes + carried.sealed)
    encapsulated, sealed = carried.sealed[:32], carried.sealed[32:]
    shared = seal_key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    own = seal_key.public_key().public_bytes_raw()
    key, nonce = derive_aead(shared, encapsulated, own, BUNDLE + gate.bytes)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed, b"")


def open_holder(handle: bytes, sealed: bytes) -> bytes:
    """Return the MessagePack of a holder's name, seat and product."""
    key = expand(extract(b"", handle), b"ttholder1", 32)
    return AESSIV(key).decrypt(sealed, [hashlib.sha256(handle).digest()[:16]])


def unwrap(ring: dict[str, bytes], label: bytes, wrapped: bytes) -> bytes:
    """Return a stored secret."""
    size = wrapped[0]
    return AESSIV(ring[wrapped[1 : 1 + size].decode()]).decrypt(wrapped[1 + size :], [label])


def label_of(*parts: bytes) -> bytes:
    """Return what says of a wrapped secret what it is and whose."""
    return b"|".join(parts)
