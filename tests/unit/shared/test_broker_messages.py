"""What travels over the broker: names, keys, wrappings, and the sealed account."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import msgpack

from shared.ids import EventId, GateId, TenantId
from shared.problems import CodeMalformed, Denied
from shared.settings import Secret
from shared.sync.access import BrokerAccess, open_access, seal_access
from shared.sync.broker import (
    Letter,
    Place,
    SnapshotEnd,
    Word,
    decode_letter,
    decode_stream_frame,
    decode_word,
    encode_message,
    key_of,
    name_key,
    read_key,
)
from shared.sync.wire import FRAME_LIMIT, FeedFrame, Ping, Pong

TENANT, GATE, EVENT = TenantId(UUID(int=1)), GateId(UUID(int=2)), EventId(UUID(int=3))
PING = Ping(sent_ms=1, backlog=2, feed_seq=3, bundle_version=4)
ACCESS = BrokerAccess(address="amqps://mq/tt", account="gate.x", password=Secret("geheim"), authority="PEM")


def test_messages_come_back_as_they_were() -> None:
    word = Word(session=uuid4(), frame=PING)
    letter = Letter(
        session=uuid4(), frame=Pong(sent_ms=1, server_ms=2), place=Place(from_ms=5, snapshot="s", snapshot_ms=4)
    )
    feed, end = FeedFrame(event=EVENT, after=7, entries=[]), SnapshotEnd(snapshot="s", seq=9)
    assert decode_word(encode_message(word)) == word
    assert decode_letter(encode_message(letter)) == letter
    assert [decode_stream_frame(encode_message(one)) for one in (feed, end)] == [feed, end]


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xc1", msgpack.encode({"session": str(UUID(int=7))}), b"\x81" * 5000])
def test_noise_is_refused(data: bytes) -> None:
    for decode in (decode_word, decode_letter, decode_stream_frame):
        with pytest.raises(CodeMalformed):
            decode(data)


def test_a_letter_is_no_word_and_too_much_is_refused_unread() -> None:
    letter = encode_message(Letter(session=uuid4(), frame=Pong(sent_ms=1, server_ms=2)))
    with pytest.raises(CodeMalformed):
        decode_word(letter)
    with pytest.raises(CodeMalformed, match="larger"):
        decode_word(bytes(FRAME_LIMIT + 2000))


def test_a_key_names_one_gate_in_one_form() -> None:
    key = name_key(key_of(PING), TENANT, GATE)
    assert key.startswith("words.")
    assert read_key(key) == (TENANT, GATE)
    braced = f"words.{{{TENANT}}}.{GATE}"
    for wrong in (
        "",
        "words",
        f"words.{TENANT}",
        f"{key}.more",
        f"{key}\n",
        f"words.{TENANT}.x",
        key.replace("-", ""),
        braced,
    ):
        with pytest.raises(CodeMalformed):
            read_key(wrong)


def test_an_account_is_opened_by_its_gate_alone_and_never_shown() -> None:
    own, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = seal_access(ACCESS, GATE, own.public_key())
    assert open_access(sealed, GATE, own) == ACCESS
    assert b"geheim" not in sealed
    assert "geheim" not in repr(ACCESS)
    damaged = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for data, gate, key in (
        (sealed, GATE, other),
        (sealed, GateId(uuid4()), own),
        (damaged, GATE, own),
        (b"", GATE, own),
    ):
        with pytest.raises(Denied):
            open_access(data, gate, key)
