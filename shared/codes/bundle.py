"""The key bundle: what one gate needs to read an event's codes, sealed to that gate and signed by its tenant.

Sealing is HPKE (RFC 9180: X25519, HKDF-SHA256, ChaCha20-Poly1305), the signature Ed25519 over "ttbundle1" | gate id | sealed.
Whoever carries a bundle can delay it, never read or change it.
"""

from __future__ import annotations

from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from msgspec import Meta, Struct, msgpack

from shared.admission.policy import Policy
from shared.codes.reader import EpochKey
from shared.ids import EventId, GateId, SupervisorId
from shared.packed import Aware, Bytes32, Bytes64, Natural, Words, unpack
from shared.problems import Denied
from shared.secrecy import Reticent

MOST_SUPERVISORS = 200
_LABEL = b"ttbundle1"
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


class SupervisorEntry(Reticent, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """Somebody who may decide at the gate against the rule: who, called what, and a verifier of the PIN.

    ``verifier`` is an encoded Argon2id hash (PHC string) with its own salt and parameters; it tells a right PIN from a wrong
    one and gives none away.
    """

    id: SupervisorId
    label: Annotated[str, Meta(max_length=100)]
    verifier: Annotated[str, Meta(max_length=200)]

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep name and verifier out of logs."""
        return [("id", self.id)]


class KeyBundle(Reticent, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Keys and policy of one event; a gate refuses a version that is not above the last one it took.

    ``next_config_key`` announces the Ed25519 key that will sign later bundles; the gate believes it from then on as well.
    ``supervisors`` are those who may decide at this very gate.
    """

    event: EventId
    event_name: Words
    version: Natural
    made: Aware
    epochs: Annotated[list[EpochKey], Meta(max_length=1000)]
    policy: Policy
    next_config_key: Bytes32 | None = None
    supervisors: Annotated[tuple[SupervisorEntry, ...], Meta(max_length=MOST_SUPERVISORS)] = ()

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Keep the keys out of logs."""
        return [("event", self.event), ("version", self.version)]


_decoder: msgpack.Decoder[KeyBundle] = msgpack.Decoder(KeyBundle)


class SealedBundle(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What travels: ciphertext for one gate and the tenant's signature."""

    sealed: Annotated[bytes, Meta(max_length=512 * 1024)]
    signature: Bytes64


def seal_bundle(
    bundle: KeyBundle, gate: GateId, seal_to: X25519PublicKey, config_key: Ed25519PrivateKey
) -> SealedBundle:
    """Encrypt a bundle to one gate and sign it."""
    sealed = _SUITE.encrypt(msgpack.encode(bundle), seal_to, info=_LABEL + gate.bytes)
    return SealedBundle(sealed=sealed, signature=config_key.sign(_LABEL + gate.bytes + sealed))


def open_bundle(
    carried: SealedBundle, gate: GateId, seal_key: X25519PrivateKey, config_key: Ed25519PublicKey
) -> KeyBundle:
    """Verify, then decrypt a bundle.

    Raises:
        Denied: the signature is not the tenant's, or it was sealed for another gate.
        CodeMalformed: its content is not a bundle this version knows.
    """
    try:
        config_key.verify(carried.signature, _LABEL + gate.bytes + carried.sealed)
        plain = _SUITE.decrypt(carried.sealed, seal_key, info=_LABEL + gate.bytes)
    except (InvalidSignature, InvalidTag, ValueError) as exc:
        raise Denied("This key bundle is not from this gate's organiser; the keys in use stay.") from exc
    return unpack(_decoder, plain, "This key bundle has a form this gate does not know: update the gate.")
