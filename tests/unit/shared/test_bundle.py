"""Key bundles: sealed to one gate, signed by one tenant."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import msgpack, structs, to_builtins

from shared.codes.bundle import KeyBundle, SealedBundle, SupervisorEntry, open_bundle, seal_bundle
from shared.ids import SupervisorId
from shared.problems import CodeMalformed, Denied
from tests.unit.shared.samples import ENVELOPE, EVENT, NORTH, NOW, SOUTH, epoch_key, policy, secret

CONFIG = Ed25519PrivateKey.from_private_bytes(secret("tenant config"))
GATE = X25519PrivateKey.from_private_bytes(secret("gate seal"))
BUNDLE = KeyBundle(event=EVENT, event_name="Midsummer", version=7, made=NOW, epochs=[epoch_key()], policy=policy())
SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


def sealed() -> SealedBundle:
    """Return the bundle on its way to the north gate."""
    return seal_bundle(BUNDLE, NORTH, GATE.public_key(), CONFIG)


def test_the_gate_it_was_made_for_opens_it() -> None:
    assert open_bundle(sealed(), NORTH, GATE, CONFIG.public_key()) == BUNDLE


def test_another_gate_another_key_or_another_tenant_cannot() -> None:
    stranger = X25519PrivateKey.from_private_bytes(secret("another gate"))
    other_tenant = Ed25519PrivateKey.from_private_bytes(secret("another tenant"))
    for gate, key, tenant in [(SOUTH, GATE, CONFIG), (NORTH, stranger, CONFIG), (NORTH, GATE, other_tenant)]:
        with pytest.raises(Denied):
            open_bundle(sealed(), gate, key, tenant.public_key())


def test_one_changed_byte_anywhere_is_noticed() -> None:
    carried = sealed()
    for at in (0, 31, 32, len(carried.sealed) - 1):
        changed = bytearray(carried.sealed)
        changed[at] ^= 1
        with pytest.raises(Denied):
            open_bundle(structs.replace(carried, sealed=bytes(changed)), NORTH, GATE, CONFIG.public_key())
    with pytest.raises(Denied):
        open_bundle(structs.replace(carried, signature=bytes(64)), NORTH, GATE, CONFIG.public_key())


def resealed(content: bytes) -> SealedBundle:
    """Return other content, sealed and signed as the tenant would."""
    label = b"ttbundle1" + NORTH.bytes
    data = SUITE.encrypt(content, GATE.public_key(), info=label)
    return SealedBundle(sealed=data, signature=CONFIG.sign(label + data))


def test_signed_rubbish_too_short_to_be_sealed_is_denied() -> None:
    label = b"ttbundle1" + NORTH.bytes
    with pytest.raises(Denied):
        open_bundle(SealedBundle(sealed=b"x", signature=CONFIG.sign(label + b"x")), NORTH, GATE, CONFIG.public_key())


FIELDS: dict[str, Any] = to_builtins(BUNDLE, builtin_types=(bytes,))
EPOCH: dict[str, Any] = FIELDS["epochs"][0]
MALFORMED = {
    "a later field": FIELDS | {"hue": 1},
    "a short envelope key": FIELDS | {"epochs": [EPOCH | {"envelope_key": bytes(31)}]},
    "a short issuer key": FIELDS | {"epochs": [EPOCH | {"issuer": bytes(31)}]},
    "an epoch that ends before it starts": FIELDS | {"epochs": [EPOCH | {"ends": EPOCH["starts"]}]},
    "a time without zone": FIELDS | {"made": "2026-06-20T19:00:00"},
    "a version below zero": FIELDS | {"version": -1},
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
def test_a_bundle_of_another_form_is_refused_whole(fields: dict[str, Any]) -> None:
    with pytest.raises(CodeMalformed):
        open_bundle(resealed(msgpack.encode(fields)), NORTH, GATE, CONFIG.public_key())
    assert open_bundle(resealed(msgpack.encode(FIELDS)), NORTH, GATE, CONFIG.public_key()) == BUNDLE


def test_a_bundle_prints_no_key() -> None:
    assert repr(BUNDLE) == f"KeyBundle(event={EVENT}, version=7)"
    assert str(ENVELOPE) not in repr(BUNDLE.epochs)
    assert dict(BUNDLE.epochs[0].__rich_repr__()) == {"event": EVENT, "epoch": 0}
    assert ENVELOPE not in sealed().sealed


def test_supervisors_travel_sealed_and_show_nowhere() -> None:
    entry = SupervisorEntry(
        id=SupervisorId(EVENT), label="Sam", verifier="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"
    )
    bundle = structs.replace(BUNDLE, supervisors=(entry,))
    opened = open_bundle(seal_bundle(bundle, NORTH, GATE.public_key(), CONFIG), NORTH, GATE, CONFIG.public_key())
    assert opened.supervisors == (entry,)
    assert "Sam" not in repr(opened) + repr(entry)
    assert "argon2" not in repr(opened) + repr(entry)


def test_a_bundle_without_supervisors_is_as_it_always_was() -> None:
    assert "supervisors" not in msgpack.decode(msgpack.encode(BUNDLE))
    assert msgpack.decode(msgpack.encode(BUNDLE), type=KeyBundle).supervisors == ()
