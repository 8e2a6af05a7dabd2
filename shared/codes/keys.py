"""The key hierarchy's pure part: derivation from a tenant's master, wrapping at rest, and sealed holder data.

Derivations are HKDF-SHA256 (RFC 5869) with a label of their own each; wrapping is AES-SIV (RFC 5297), which needs no nonce.
"""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import msgpack

from shared.packed import Words, unpack
from shared.problems import CodeMalformed, DataDamaged, Internal, SettingsInvalid
from shared.secrecy import Reticent

KEY_SIZE = 32
HANDLE_SIZE = 16
_SIV_SIZE = 16
_SHOWN = 120
_FEWEST_DISTINCT_BYTES = 12
_FEWEST_DISTINCT_STEPS = 8
_FEWEST_DISTINCT_CHARACTERS = 16
_GIVEN_AWAY = ("secret", "password", "passphrase", "changeme", "change-me", "example", "default", "encryption")
_HALF_A_KEY = re.compile(r"[0-9a-fA-F]{32}")
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_NUMBERED = re.compile(r"k[0-9]+")
_FOREIGN = "The holder's data does not belong to this code."


class Holder(Reticent, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """What a gate may show of a ticket once its code was presented."""

    name: Words = ""
    seat: Words = ""
    product: Words = ""


_holder_decoder: msgpack.Decoder[Holder] = msgpack.Decoder(Holder)


def derive_handle(master: bytes, ticket: UUID, generation: int) -> bytes:
    """Return the 16 random-looking bytes that name a ticket's generation inside its code.

    Raises:
        Internal: the generation is not between 0 and 65535.
    """
    return _derive(master, b"tthandle1" + ticket.bytes + _pack_generation(generation), HANDLE_SIZE)


def derive_seed(master: bytes, ticket: UUID, generation: int) -> bytes:
    """Return the 32-byte seed of a ticket generation's chains, which only its phone gets.

    Raises:
        Internal: the generation is not between 0 and 65535.
    """
    return _derive(master, b"ttseed1" + ticket.bytes + _pack_generation(generation), KEY_SIZE)


def hash_handle(handle: bytes) -> bytes:
    """Return the 16 bytes under which gates and feed know a handle."""
    return hashlib.sha256(handle).digest()[:HANDLE_SIZE]


def seal_holder(handle: bytes, holder: Holder) -> bytes:
    """Encrypt a holder's name and seat so that only somebody who was shown the code can read them.

    Each text is cut to 120 characters: it is for a glance at the door, and one endless name must not stop the feed.
    """
    key = _derive(handle, b"ttholder1", KEY_SIZE)
    shown = Holder(name=holder.name[:_SHOWN], seat=holder.seat[:_SHOWN], product=holder.product[:_SHOWN])
    return AESSIV(key).encrypt(msgpack.encode(shown), [hash_handle(handle)])


def open_holder(handle: bytes, sealed: bytes) -> Holder:
    """Decrypt what ``seal_holder`` made.

    Raises:
        CodeMalformed: it was sealed for another handle or altered.
    """
    key = _derive(handle, b"ttholder1", KEY_SIZE)
    try:
        plain = AESSIV(key).decrypt(sealed, [hash_handle(handle)])
    except InvalidTag as exc:
        raise CodeMalformed(_FOREIGN) from exc
    return unpack(_holder_decoder, plain, _FOREIGN)


class KeyRing:
    """The operator's key-encryption keys; the first wraps, all of them unwrap."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = keys
        self.current = next(iter(keys))

    def __repr__(self) -> str:
        """Name the keys, never show them."""
        return f"KeyRing({', '.join(self._keys)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the ids of all keys, the current one first."""
        return tuple(self._keys)

    def wrap(self, label: bytes, secret: bytes) -> bytes:
        """Encrypt a secret for storage under the current key; ``label`` says what it is and whose."""
        name = self.current.encode()
        sealed = AESSIV(self._keys[self.current]).encrypt(secret, [label])
        return bytes([len(name)]) + name + sealed

    def unwrap(self, label: bytes, wrapped: bytes) -> bytes:
        """Return a stored secret.

        Raises:
            SettingsInvalid: the key it was wrapped with is not in the ring.
            DataDamaged: it is not what ``label`` says, or was altered.
        """
        size = wrapped[0] if wrapped else 0
        name = wrapped[1 : 1 + size].decode(errors="replace")
        if not _KEY_ID.fullmatch(name) or len(wrapped) < 1 + size + _SIV_SIZE:
            raise DataDamaged("A stored key is not one this program wrapped: restore the database.")
        if name not in self._keys:
            raise SettingsInvalid(
                f"A stored key is wrapped with key-encryption key '{name}': add it to QR_ENCRYPTION_KEY."
            )
        try:
            return AESSIV(self._keys[name]).decrypt(wrapped[1 + size :], [label])
        except InvalidTag as exc:
            raise DataDamaged(
                f"A stored key does not open with key-encryption key '{name}': restore the right QR_ENCRYPTION_KEY or the database."
            ) from exc


def parse_key_ring(text: str) -> KeyRing:
    """Read QR_ENCRYPTION_KEY: one key, or ``id=key`` pairs separated by commas, the one to wrap with first.

    A key is 32 bytes: 32 characters as they are, 64 hexadecimal digits, or Base64.

    Raises:
        SettingsInvalid: wrong length, a repeated or odd id, a repeated key, or one that is plainly not random.
    """
    keys: dict[str, bytes] = {}
    for part in text.split(","):
        name, found, key = part.strip().partition("=")
        # Base64 ends in '=': a name is only what stands before a key that is itself complete.
        # 32 characters may be a key with such a sign inside, unless they begin as the keys of this very ring do.
        bare = len(part.strip()) == KEY_SIZE and not _NUMBERED.fullmatch(name)
        if not found or not key.strip("=") or bare:
            name, key = "k1", part.strip()
        if not _KEY_ID.fullmatch(name) or name in keys:
            raise SettingsInvalid(
                "QR_ENCRYPTION_KEY: give each key an id of its own of 1-32 letters, digits, '.', '_' or '-' (k2=…,k1=…)."
            )
        keys[name] = _read_key(key)
    if len(set(keys.values())) < len(keys):
        raise SettingsInvalid("QR_ENCRYPTION_KEY: two ids have the same key; a new id needs a new key.")
    return KeyRing(keys)


def _read_key(text: str) -> bytes:
    raw = _decode_key(text)
    if len(raw) != KEY_SIZE:
        raise SettingsInvalid(
            "QR_ENCRYPTION_KEY: a key is exactly 32 bytes (32 characters, 64 hexadecimal digits or Base64)."
        )
    if _HALF_A_KEY.fullmatch(text):
        raise SettingsInvalid(
            "QR_ENCRYPTION_KEY: 32 hexadecimal digits are 16 bytes; make 64 with `openssl rand -hex 32`."
        )
    if _is_guessable(raw) or (len(text) == KEY_SIZE and _is_prose(text)):
        raise SettingsInvalid("QR_ENCRYPTION_KEY: this key is guessable; make one with `openssl rand -base64 32`.")
    return raw


def _is_guessable(raw: bytes) -> bool:
    """Say whether a key is few bytes over and over, a short text repeated, or a run such as 0123456789abcdef."""
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    return len(set(raw)) < _FEWEST_DISTINCT_BYTES or len(steps) < _FEWEST_DISTINCT_STEPS or raw in (raw + raw)[1:-1]


def _is_prose(text: str) -> bool:
    """Say whether 32 characters look thought up by a person and not drawn by chance."""
    kinds = {kind for kind in (str.islower, str.isupper, str.isdigit) if any(map(kind, text))}
    few = len(set(text)) < _FEWEST_DISTINCT_CHARACTERS
    return few or len(kinds) < 2 or " " in text or any(word in text.lower() for word in _GIVEN_AWAY)


def _decode_key(text: str) -> bytes:
    if len(text) == KEY_SIZE:
        return text.encode()
    try:
        return bytes.fromhex(text) if len(text) == 2 * KEY_SIZE else base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def _pack_generation(generation: int) -> bytes:
    if not 0 <= generation <= 0xFFFF:  # must never wrap: two generations with one handle would revive a dead code
        raise Internal("A ticket has at most 65535 generations: issue a new ticket instead.")
    return generation.to_bytes(2, "big")


def _derive(secret: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=size, salt=None, info=info).derive(secret)
