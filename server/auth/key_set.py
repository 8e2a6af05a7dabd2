"""The public keys with which tokens made elsewhere are verified: a PEM file, or a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Meta, Struct

from server.domain.token_rules import TokenAlgorithm
from shared.problems import SettingsInvalid

MOST_KEYS = 50
_SHORTEST_RSA_BITS = 2048
_LONGEST_RSA_BITS = 8192
_LARGEST_EXPONENT_BITS = 33

PublicKey = Ed25519PublicKey | RSAPublicKey


class NamedKey(Struct, frozen=True, kw_only=True):
    """A key and the name tokens call it by."""

    kid: str | None
    key: PublicKey


class _Jwk(Struct, frozen=True, kw_only=True):
    kty: str
    kid: str | None = None
    use: str | None = None
    key_ops: list[str] | None = None
    alg: str | None = None
    crv: str | None = None
    x: str | None = None
    n: str | None = None
    e: str | None = None


class _KeySet(Struct, frozen=True, kw_only=True):
    keys: Annotated[list[msgspec.Raw], Meta(max_length=MOST_KEYS)]


def read_pem(text: str, algorithm: TokenAlgorithm) -> list[NamedKey]:
    """Return the one key of a PEM file.

    Raises:
        SettingsInvalid: it is no public key, or none for the algorithm.
    """
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise SettingsInvalid("JWT_PUBLIC_KEY is not a public key in PEM (-----BEGIN PUBLIC KEY-----).") from exc
    fitting = _fit(key, algorithm)
    if fitting is None:
        raise SettingsInvalid(f"JWT_PUBLIC_KEY is not a key for {algorithm}: Ed25519, or RSA of 2048 to 8192 bits.")
    return [NamedKey(kid=None, key=fitting)]


def read_key_set(data: bytes, algorithm: TokenAlgorithm) -> list[NamedKey]:
    """Return the keys of a set that fit the algorithm and are for signatures; others are passed over.

    Raises:
        SettingsInvalid: it is no key set, or has no fitting key.
    """
    try:
        found = msgspec.json.decode(data, type=_KeySet)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise SettingsInvalid('The JSON Web Key Set cannot be read: it has the form {"keys": […]}.') from exc
    keys = [named for raw in found.keys if (named := _read_jwk(raw, algorithm)) is not None]
    if not keys:
        raise SettingsInvalid(f"The JSON Web Key Set has no key for {algorithm} signatures.")
    return keys


def choose_key(keys: list[NamedKey], kid: str | None) -> PublicKey | None:
    """Return the key a token names; for a token that names none, the only one there is."""
    if kid is None or (len(keys) == 1 and keys[0].kid is None):
        return keys[0].key if len(keys) == 1 else None
    named = [one.key for one in keys if one.kid == kid]
    return named[0] if len(named) == 1 else None


def _read_jwk(raw: msgspec.Raw, algorithm: TokenAlgorithm) -> NamedKey | None:
    try:
        jwk = msgspec.json.decode(raw, type=_Jwk)
    except msgspec.DecodeError:
        return None
    if jwk.use not in {None, "sig"} or jwk.alg not in {None, algorithm.value}:
        return None
    if jwk.key_ops is not None and "verify" not in jwk.key_ops:
        return None
    try:
        key = _make_ed25519(jwk) if jwk.kty == "OKP" else _make_rsa(jwk) if jwk.kty == "RSA" else None
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        return None
    fitting = _fit(key, algorithm)
    return None if fitting is None else NamedKey(kid=jwk.kid, key=fitting)


def _make_ed25519(jwk: _Jwk) -> Ed25519PublicKey | None:
    if jwk.crv != "Ed25519" or jwk.x is None:
        return None
    return Ed25519PublicKey.from_public_bytes(_decode(jwk.x))


def _make_rsa(jwk: _Jwk) -> RSAPublicKey | None:
    if jwk.n is None or jwk.e is None:
        return None
    modulus, exponent = int.from_bytes(_decode(jwk.n)), int.from_bytes(_decode(jwk.e))
    # Before the library looks: work with numbers of any size is what an attacker would send.
    if modulus.bit_length() > _LONGEST_RSA_BITS or exponent.bit_length() > _LARGEST_EXPONENT_BITS:
        return None
    return RSAPublicNumbers(e=exponent, n=modulus).public_key()


def _fit(key: object, algorithm: TokenAlgorithm) -> PublicKey | None:
    if algorithm is TokenAlgorithm.EDDSA and isinstance(key, Ed25519PublicKey):
        return key
    right_size = isinstance(key, RSAPublicKey) and _SHORTEST_RSA_BITS <= key.key_size <= _LONGEST_RSA_BITS
    return key if algorithm is TokenAlgorithm.RS256 and isinstance(key, RSAPublicKey) and right_size else None


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
