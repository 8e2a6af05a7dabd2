"""Derivations, wrapping at rest and the operator's key ring."""

from __future__ import annotations

import base64
import hashlib
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec import msgpack

from shared.codes.keys import (
    Holder,
    KeyRing,
    derive_handle,
    derive_seed,
    hash_handle,
    open_holder,
    parse_key_ring,
    seal_holder,
)
from shared.problems import CodeMalformed, DataDamaged, Internal, SettingsInvalid
from tests.unit.shared.samples import MASTER, TICKET, secret

KEY_1, KEY_2 = secret("kek 1"), secret("kek 2")
B64_1, B64_2 = (base64.b64encode(key).decode() for key in (KEY_1, KEY_2))


def test_every_ticket_generation_and_purpose_has_a_value_of_its_own() -> None:
    other = UUID(int=TICKET.int + 1)
    made = [
        derive(MASTER, ticket, gen)
        for derive in (derive_handle, derive_seed)
        for ticket in (TICKET, other)
        for gen in (0, 1, 256, 257)
    ]
    assert len(set(made)) == len(made)
    assert {len(value) for value in made} == {16, 32}


@pytest.mark.parametrize("generation", [-1, 65536])
def test_a_generation_never_wraps_into_another_ones_handle(generation: int) -> None:
    with pytest.raises(Internal):
        derive_handle(MASTER, TICKET, generation)
    with pytest.raises(Internal):
        derive_seed(MASTER, TICKET, generation)


def test_gates_know_a_handle_by_half_its_hash() -> None:
    assert hash_handle(b"h" * 16) == hashlib.sha256(b"h" * 16).digest()[:16]


def test_a_holder_opens_only_with_the_handle() -> None:
    holder = Holder(name="Ada L\u00f6we", seat="B 12", product="Stalls")
    sealed = seal_holder(b"h" * 16, holder)
    assert open_holder(b"h" * 16, sealed) == holder
    for handle, data in [
        (b"i" * 16, sealed),
        (b"h" * 16, sealed[:-1] + b"x"),
        (b"h" * 16, b""),
        (b"h" * 16, sealed[:15]),
    ]:
        with pytest.raises(CodeMalformed):
            open_holder(handle, data)
    assert repr(holder) == "Holder(...)"


@pytest.mark.parametrize(
    "content", [b"\xc1", msgpack.encode(["a", "b", "c", "d"]), msgpack.encode(["x" * 201]), b"\x91\xa1\xff"]
)
def test_sealed_data_of_another_form_is_malformed_not_a_crash(content: bytes) -> None:
    handle = b"h" * 16
    key = seal_key(handle)
    with pytest.raises(CodeMalformed):
        open_holder(handle, AESSIV(key).encrypt(content, [hash_handle(handle)]))


def test_an_endless_name_is_cut_to_what_a_screen_shows_and_a_frame_holds() -> None:
    sealed = seal_holder(b"h" * 16, Holder(name="\U0001f3ab" * 9000, seat="s" * 9000, product="\u00e4" * 9000))
    assert len(sealed) <= 1536
    assert open_holder(b"h" * 16, sealed).seat == "s" * 120


def seal_key(handle: bytes) -> bytes:
    """Return HKDF(handle, "ttholder1") written out with HMAC (RFC 5869), as another implementation would."""
    extracted = hmac_sha256(bytes(32), handle)
    return hmac_sha256(extracted, b"ttholder1\x01")


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    """Return HMAC-SHA256."""
    padded = key.ljust(64, b"\x00")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + data).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def test_what_was_wrapped_comes_back_only_under_its_label() -> None:
    ring = parse_key_ring(B64_1)
    wrapped = ring.wrap(b"epoch 1", b"secret")
    assert ring.unwrap(b"epoch 1", wrapped) == b"secret"
    assert b"secret" not in wrapped
    with pytest.raises(DataDamaged, match="does not open"):
        ring.unwrap(b"epoch 2", wrapped)
    with pytest.raises(DataDamaged, match="does not open"):
        ring.unwrap(b"epoch 1", wrapped[:-1] + bytes([wrapped[-1] ^ 1]))


def test_a_new_key_wraps_while_the_old_one_still_opens() -> None:
    old = parse_key_ring(f"old={B64_1}")
    both = parse_key_ring(f" new={B64_2} , old={B64_1} ")
    wrapped = old.wrap(b"l", b"secret")
    assert both.current == "new"
    assert both.unwrap(b"l", wrapped) == b"secret"
    with pytest.raises(SettingsInvalid, match="'new'"):
        old.unwrap(b"l", both.wrap(b"l", b"secret"))


@pytest.mark.parametrize("wrapped", [b"", b"\x00rest", b"\xffshort", b"\x02\xff\xfe" + bytes(20)])
def test_stored_rubbish_is_damage_not_a_missing_key(wrapped: bytes) -> None:
    with pytest.raises(DataDamaged, match="not one this program wrapped"):
        KeyRing({"k1": KEY_1}).unwrap(b"l", wrapped)


def test_one_key_may_be_given_in_three_ways() -> None:
    raw = "Zq8-vT3=kM5_xW7.pB2/rL9+nC4~hD6!"
    for text, key in [(raw, raw.encode()), (KEY_1.hex(), KEY_1), (B64_1, KEY_1)]:
        assert KeyRing({"k1": key}).unwrap(b"l", parse_key_ring(text).wrap(b"l", b"s")) == b"s"


RINGS = {
    "nothing": "",
    "two nothings": ",",
    "a comma too many": B64_1 + ",",
    "a short key with an id, 32 characters in all": "k2=Zx81kQ-w7TnB3vY5rLp0sGdHj2Mc4",
    "an id twice": f"a={B64_1},a={B64_2}",
    "an empty id": f"={B64_1}",
    "a space in an id": f"a b={B64_1}",
    "a long id": f"{'n' * 33}={B64_1}",
    "a foreign letter": f"\u00e4={B64_1}",
    "a cut key": B64_1[:-4],
    "odd hexadecimal": KEY_1.hex()[:-2],
    "no hexadecimal": "zz" * 32,
    "a letter too many": "a=" + B64_1 + "x",
    "two keys without ids": f"{B64_1},{B64_2}",
    "a key twice": f"a={B64_1},b={KEY_1.hex()}",
    "half a key in hexadecimal": KEY_1.hex()[:32],
    "half a key that has every digit": "8f3a1c5e7092d4b61b8d6f02a94c7e35",
    "half a key in capitals": f"k2={B64_2},k1={KEY_1.hex()[:32].upper()}",
    "half a key in Base64": base64.b64encode(KEY_1[:16]).decode(),
    "a key and a half": base64.b64encode(KEY_1 + KEY_1[:16]).decode(),
    "33 characters": "Zq8-vT3=kM5_xW7.pB2/rL9+nC4~hD6!x",
    "16 letters of two bytes": "äöüßÄÖÜéèêëàâîïôx"[:32],
}


@pytest.mark.parametrize("text", RINGS.values(), ids=RINGS)
def test_rings_that_cannot_be_meant_are_refused(text: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parse_key_ring(text)
    assert B64_1 not in str(caught.value)


GUESSABLE = {
    "zeros": bytes(32),
    "two letters": b"ab" * 16,
    "a phrase again and again": (b"correct horse!" * 3)[:32],
    "hexadecimal digits twice": b"0123456789abcdef" * 2,
    "counting": bytes(range(32)),
    "the alphabet": b"abcdefghijklmnopqrstuvwxyz123456",
    "a half twice": secret("half")[:16] * 2,
}


@pytest.mark.parametrize("key", GUESSABLE.values(), ids=GUESSABLE)
def test_keys_that_are_plainly_not_random_are_refused_in_every_form_and_place(key: bytes) -> None:
    for text in (base64.b64encode(key).decode(), key.hex(), key.hex().upper()):
        for ring in (text, f"k9={text}", f"k2={B64_2},k1={text}", f"k1={text},k2={B64_2}"):
            with pytest.raises(SettingsInvalid, match="guessable") as caught:
                parse_key_ring(ring)
            assert text not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "this-is-a-32-byte-secret-key!!!!",
        "MySuperSecretKeyForTickets2026!!",
        "the quick brown fox jumps over 1",
        "correct horse battery staple now",
        "QR_Default-Key-9f3Lx7Pq2Wv8Bz5Tm",
        "12345678901234567890123456789012",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ],
)
def test_a_sentence_of_32_characters_is_no_key(text: str) -> None:
    assert len(text) == 32
    with pytest.raises(SettingsInvalid, match=r"guessable|16 bytes"):
        parse_key_ring(f"k2={text},k1={B64_1}")


def test_a_ring_prints_names_only() -> None:
    assert repr(parse_key_ring(f"a={B64_1},b={B64_2}")) == "KeyRing(a, b)"
