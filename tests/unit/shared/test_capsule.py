"""The capsule: what goes in comes out, and only with the right keys."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import structs

from shared.codes.capsule import (
    SIZE,
    Capsule,
    CapsuleTooNew,
    Header,
    event_hint,
    open_capsule,
    pack_header,
    read_header,
    seal,
)
from shared.problems import CodeMalformed, Internal
from tests.unit.shared.samples import ENVELOPE, EVENT, ISSUER, Order, make_capsule, secret

PUBLIC = ISSUER.public_key()
OTHER_EVENT = UUID(int=EVENT.int + 1)


def sample(**changes: Any) -> Capsule:
    """Return an open capsule with a recognisable anchor."""
    return make_capsule(Order(**changes), bytes(range(16)))


def test_a_capsule_opens_to_what_was_sealed() -> None:
    made = sample(epoch=0x1234, not_before=7, not_after=144, entries=3, policy=7)
    sealed = seal(made, EVENT, ENVELOPE, ISSUER)
    assert len(sealed) == SIZE
    assert open_capsule(sealed, EVENT, ENVELOPE, PUBLIC) == made


def test_sealing_twice_gives_the_same_bytes() -> None:
    assert seal(sample(), EVENT, ENVELOPE, ISSUER) == seal(sample(), EVENT, ENVELOPE, ISSUER)


def test_only_the_right_event_envelope_and_issuer_open_a_capsule() -> None:
    sealed = seal(sample(), EVENT, ENVELOPE, ISSUER)
    stranger = Ed25519PrivateKey.from_private_bytes(secret("somebody else"))
    assert open_capsule(sealed, OTHER_EVENT, ENVELOPE, PUBLIC) is None
    assert open_capsule(sealed, EVENT, secret("another envelope"), PUBLIC) is None
    assert open_capsule(sealed, EVENT, ENVELOPE, stranger.public_key()) is None


def test_who_holds_the_envelope_key_alone_cannot_mint() -> None:
    thief = Ed25519PrivateKey.from_private_bytes(secret("thief"))
    assert open_capsule(seal(sample(), EVENT, ENVELOPE, thief), EVENT, ENVELOPE, PUBLIC) is None


def test_a_header_cannot_be_swapped() -> None:
    sealed = seal(sample(), EVENT, ENVELOPE, ISSUER)
    other = pack_header(structs.replace(sample().header, profile=1))
    assert open_capsule(other + sealed[4:], EVENT, ENVELOPE, PUBLIC) is None


@pytest.mark.parametrize("size", [0, 3, 4, 19, 127, 129])
def test_any_other_length_does_not_open(size: int) -> None:
    sealed = seal(sample(), EVENT, ENVELOPE, ISSUER)
    assert open_capsule((sealed + b"x")[:size], EVENT, ENVELOPE, PUBLIC) is None


def test_genuine_statements_of_a_later_version_are_not_guessed() -> None:
    with pytest.raises(CapsuleTooNew):
        open_capsule(seal(sample(policy=0b1000), EVENT, ENVELOPE, ISSUER), EVENT, ENVELOPE, PUBLIC)
    with pytest.raises(CapsuleTooNew):
        open_capsule(with_reserved_byte(), EVENT, ENVELOPE, PUBLIC)


def with_reserved_byte() -> bytes:
    """Return a capsule that the issuer signed with the reserved byte set."""
    sealed = seal(sample(), EVENT, ENVELOPE, ISSUER)
    bound = b"ttcap1" + EVENT.bytes + sealed[:4]
    stated = bytearray(AESSIV(ENVELOPE).decrypt(sealed[4:], [bound])[:44])
    stated[27] = 1
    return sealed[:4] + AESSIV(ENVELOPE).encrypt(bytes(stated) + ISSUER.sign(bound + stated), [bound])


@pytest.mark.parametrize("change", [{"product": 65536}, {"entries": 256}, {"policy": -1}, {"epoch": 65536}])
def test_numbers_that_do_not_fit_are_a_broken_promise(change: dict[str, int]) -> None:
    with pytest.raises(Internal):
        seal(sample(**change), EVENT, ENVELOPE, ISSUER)


def test_parts_of_a_wrong_length_are_never_cut_or_padded() -> None:
    made = sample()
    with pytest.raises(Internal):
        seal(structs.replace(made, anchor=bytes(15)), EVENT, ENVELOPE, ISSUER)
    with pytest.raises(Internal):
        seal(structs.replace(made, claims=structs.replace(made.claims, handle=bytes(17))), EVENT, ENVELOPE, ISSUER)


def test_a_genuine_statement_of_another_length_does_not_open() -> None:
    bound = b"ttcap1" + EVENT.bytes + seal(sample(), EVENT, ENVELOPE, ISSUER)[:4]
    stated = bytes(45)
    longer = bound[-4:] + AESSIV(ENVELOPE).encrypt(stated + ISSUER.sign(bound + stated), [bound])
    assert open_capsule(longer, EVENT, ENVELOPE, PUBLIC) is None


@pytest.mark.parametrize(("version", "profile"), [(16, 0), (1, 16), (-1, 0), (1, -1)])
def test_version_and_profile_cannot_run_into_each_other(version: int, profile: int) -> None:
    with pytest.raises(Internal):
        pack_header(Header(version=version, profile=profile, hint=0, epoch=0))


def test_the_header_is_four_clear_bytes() -> None:
    header = Header(version=1, profile=1, hint=0xAB, epoch=0x0102)
    assert pack_header(header) == bytes.fromhex("11ab0102")
    assert read_header(bytes.fromhex("11ab0102ffff")) == header
    with pytest.raises(CodeMalformed):
        read_header(b"\x11\xab\x01")


def test_the_hint_is_the_first_byte_of_the_events_hash() -> None:
    assert event_hint(EVENT) == hashlib.sha256(EVENT.bytes).digest()[0]


def test_claims_print_nothing_that_opens_a_holders_data() -> None:
    made = sample()
    assert made.claims.handle.hex() not in repr(made)
    assert repr(made.claims) == "Claims(...)"
    assert made.claims.__rich_repr__() == []
