"""The gate's two private keys: made on this machine at enrolment, kept in a file that only its owner may read."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from gate.files import write_private
from gate.passphrase import SealedKeys, open_with, seal_with
from shared.problems import CodeMalformed, DataDamaged, Denied, NotFound, Unavailable
from shared.settings import Secret

KEYS_NAME = "keys.json"
_SEALED_VERSION = 2
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeysExposed(Denied):
    """Others on this machine may read the gate's private keys."""

    code = "keys_exposed"
    exit_code = 4


class GateKeys:
    """The signing key (Ed25519) and the key bundles are sealed to (X25519)."""

    def __init__(self, sign: Ed25519PrivateKey, seal: X25519PrivateKey) -> None:
        self.sign = sign
        self.seal = seal

    def __repr__(self) -> str:
        """Keep the keys out of logs."""
        return "GateKeys(...)"


class _KeysFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    version: int
    sign_key: str
    seal_key: str


class _Versioned(Struct, frozen=True, kw_only=True):
    version: int


class _SealedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    salt: str
    nonce: str
    sealed: str


def make_keys() -> GateKeys:
    """Return new keys from the operating system's randomness."""
    return GateKeys(Ed25519PrivateKey.generate(), X25519PrivateKey.generate())


def save_keys(directory: Path, keys: GateKeys, passphrase: Secret | None = None) -> None:
    """Write the keys with mode 0600, sealed where there is a passphrase.

    Raises:
        Unavailable: the directory cannot be written.
    """
    content = _KeysFile(
        version=1,
        sign_key=write_b64url(keys.sign.private_bytes_raw()),
        seal_key=write_b64url(keys.seal.private_bytes_raw()),
    )
    plain = msgspec.json.encode(content)
    write_private(directory / KEYS_NAME, plain if passphrase is None else _seal(passphrase, plain))


def load_keys(directory: Path, passphrase: Secret | None = None) -> GateKeys:
    """Return the stored keys.

    Raises:
        NotFound: there are none: the gate is not enrolled.
        KeysExposed: the file's mode lets others read it.
        PassphraseWrong: they are sealed, and not with this passphrase.
        DataDamaged: the file is not what was written.
    """
    path = directory / KEYS_NAME
    data = _read_checked(path)
    try:
        content = msgspec.json.decode(_unseal(passphrase, data), type=_KeysFile)
        sign = Ed25519PrivateKey.from_private_bytes(read_b64url(content.sign_key))
        seal = X25519PrivateKey.from_private_bytes(read_b64url(content.seal_key))
    except (msgspec.DecodeError, CodeMalformed, ValueError) as exc:
        raise DataDamaged(
            f"{path} is damaged: restore it from a backup, or enrol this gate anew in another --data."
        ) from exc
    return GateKeys(sign, seal)


def _seal(passphrase: Secret, plain: bytes) -> bytes:
    sealed = seal_with(passphrase, plain)
    names = {name: write_b64url(getattr(sealed, name)) for name in SealedKeys.__struct_fields__}
    return msgspec.json.encode(_SealedFile(version=_SEALED_VERSION, **names))


def _unseal(passphrase: Secret | None, data: bytes) -> bytes:
    """Return the keys' own bytes; those that are not sealed are returned as they are."""
    if msgspec.json.decode(data, type=_Versioned).version != _SEALED_VERSION:
        return data
    file = msgspec.json.decode(data, type=_SealedFile)
    return open_with(
        passphrase,
        SealedKeys(salt=read_b64url(file.salt), nonce=read_b64url(file.nonce), sealed=read_b64url(file.sealed)),
    )


def _read_checked(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & _OTHERS:
                raise KeysExposed(
                    f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}): run `chmod 600 {path}`; if others use this "
                    "machine, enrol the gate anew."
                )
            return file.read()
    except FileNotFoundError as exc:
        raise NotFound(f"This gate is not enrolled: {path} is missing. Run `tickettoken-gate enrol` first.") from exc
    except OSError as exc:
        raise Unavailable(f"{path} cannot be read ({exc.strerror}): check who owns it.") from exc


def write_b64url(data: bytes) -> str:
    """Return Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def read_b64url(text: str) -> bytes:
    """Return the bytes of Base64url without padding.

    Raises:
        CodeMalformed: not Base64url.
    """
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as exc:
        raise CodeMalformed("This text is not Base64url.") from exc
