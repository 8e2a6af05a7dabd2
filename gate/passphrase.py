"""A passphrase over the gate's keys: a lane computer that is stolen switched off gives them to nobody.

Argon2id (RFC 9106) makes a key of the passphrase, ChaCha20-Poly1305 (RFC 8439) seals the keys with it.
"""

from __future__ import annotations

import os

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from msgspec import Struct

from shared.problems import Denied, SettingsInvalid
from shared.settings import Secret

SHORTEST = 12
_LABEL = b"ttkeys2"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_ROUNDS, _MEMORY_KIB, _LANES = 3, 64 * 1024, 1


class PassphraseWrong(Denied):
    """The keys are sealed with another passphrase, or with one at all."""

    code = "passphrase_wrong"
    exit_code = 2


class SealedKeys(Struct, frozen=True, kw_only=True):
    """What is on the disk in place of the keys; ``salt`` has 16 bytes, ``nonce`` 12."""

    salt: bytes
    nonce: bytes
    sealed: bytes


def check_passphrase(passphrase: Secret | None) -> None:
    """Return if a passphrase is long enough to stand for itself on a stolen disk.

    Raises:
        SettingsInvalid: it is shorter than twelve characters.
    """
    if passphrase is not None and len(passphrase.value) < SHORTEST:
        raise SettingsInvalid(f"TICKETTOKEN_GATE_PASSPHRASE: use {SHORTEST} characters or more, such as four words.")


def seal_with(passphrase: Secret, plain: bytes) -> SealedKeys:
    """Return bytes sealed with a passphrase."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    cipher = ChaCha20Poly1305(_derive(passphrase, salt))
    return SealedKeys(salt=salt, nonce=nonce, sealed=cipher.encrypt(nonce, plain, _LABEL))


def open_with(passphrase: Secret | None, sealed: SealedKeys) -> bytes:
    """Return what was sealed.

    Raises:
        PassphraseWrong: no passphrase, or another one; damage looks the same.
    """
    if passphrase is None:
        raise PassphraseWrong(
            "This gate's keys are sealed: set TICKETTOKEN_GATE_PASSPHRASE, or TICKETTOKEN_GATE_PASSPHRASE_FILE, "
            "to the passphrase it was enrolled with."
        )
    try:
        cipher = ChaCha20Poly1305(_derive(passphrase, sealed.salt))
        return cipher.decrypt(sealed.nonce, sealed.sealed, _LABEL)
    except (InvalidTag, ValueError) as exc:
        raise PassphraseWrong(
            "This gate's keys do not open with that passphrase: use the one it was enrolled with."
        ) from exc


def _derive(passphrase: Secret, salt: bytes) -> bytes:
    return hash_secret_raw(
        secret=passphrase.value.encode(),
        salt=salt,
        time_cost=_ROUNDS,
        memory_cost=_MEMORY_KIB,
        parallelism=_LANES,
        hash_len=_KEY_BYTES,
        type=Type.ID,
    )
