"""Frames and snapshot chunks, good ones and others."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any
from uuid import UUID

import pytest
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import msgpack, to_builtins

from shared.codes.bundle import SealedBundle
from shared.ids import CommandId, IncarnationId
from shared.problems import CodeMalformed
from shared.sync.command import Command, Hold, Outcome, Receipt, sign_command
from shared.sync.feed import (
    AdmissionEntry,
    FeedEntry,
    GateEntry,
    PolicyEntry,
    SnapshotChunk,
    SnapshotManifest,
    TicketEntry,
    TombstoneEntry,
)
from shared.sync.scan import Mode, ScanBatch, sign_batch
from shared.sync.wire import (
    FRAME_LIMIT,
    SNAPSHOT_CHUNK_LIMIT,
    Ack,
    BundleFrame,
    Bye,
    CommandsFrame,
    FeedFrame,
    GateFrame,
    Hello,
    Ping,
    Pong,
    Receipts,
    Scans,
    ServerFrame,
    SnapshotNeeded,
    Vitals,
    Welcome,
    decode_gate_frame,
    decode_server_frame,
    encode_frame,
    pack_chunk,
    unpack_chunk,
)
from shared.tickets.lifecycle import State
from tests.unit.shared.samples import EVENT, NORTH, NOW_MS, passage, policy, secret

INCARNATION = IncarnationId(UUID(int=5))
TICKET = TicketEntry(seq=1, handle_hash=bytes(16), version=1, state=State.ACTIVE, generation=1, product=3, zones=5)
ENTRIES: list[FeedEntry] = [
    TICKET,
    TicketEntry(
        seq=2,
        handle_hash=b"h" * 16,
        version=9,
        state=State.REVOKED,
        generation=300,
        product=0,
        zones=0,
        locked=True,
        entries=2,
        code_policy=3,
        valid_from_ms=0,
        valid_until_ms=NOW_MS,
        sealed=b"sealed",
    ),
    TombstoneEntry(seq=3, handle_hash=bytes(16), version=2),
    AdmissionEntry(seq=4, handle_hash=bytes(16), admission=passage(1)),
    PolicyEntry(seq=5, policy=policy(re_entries=None, exits=True)),
    GateEntry(seq=6, gate=NORTH, name="North 2", revoked=True),
]
BATCH = ScanBatch(gate=NORTH, incarnation=INCARNATION, first_seq=1, previous=bytes(32), records=[b"r"])
SIGNED = sign_batch(BATCH, Ed25519PrivateKey.from_private_bytes(secret("gate sign")))
HELLO = Hello(
    protocol=1,
    gate=NORTH,
    incarnation=INCARNATION,
    event=EVENT,
    feed_seq=0,
    bundle_version=0,
    last_gate_seq=0,
    software="t",
)
VITALS = Vitals(mode=Mode.OFFLINE, clock_offset_ms=-90_000, keys_until_ms=NOW_MS, battery=81, camera=True, held=True)
COMMAND = Command(id=CommandId(UUID(int=6)), number=1, order=Hold(reason="Lift broken"), expires_ms=NOW_MS)
RECEIPT = Receipt(command=COMMAND.id, number=1, outcome=Outcome.DONE, at_ms=NOW_MS, message="m")
GATE_FRAMES: list[GateFrame] = [
    HELLO,
    Scans(signed=SIGNED),
    Ping(sent_ms=1, backlog=2, feed_seq=3, bundle_version=4, scans_per_minute=5.5, command_seq=6, vitals=VITALS),
    Receipts(receipts=[RECEIPT]),
]
SERVER_FRAMES: list[ServerFrame] = [
    Welcome(protocol=1, server_ms=NOW_MS, feed_high=6, acked=0),
    FeedFrame(event=EVENT, after=0, entries=ENTRIES),
    SnapshotNeeded(event=EVENT, feed_high=30_000),
    Ack(incarnation=INCARNATION, upto=7),
    BundleFrame(bundle=SealedBundle(sealed=b"s", signature=bytes(64))),
    CommandsFrame(commands=[sign_command(COMMAND, NORTH, Ed25519PrivateKey.from_private_bytes(secret("config")))]),
    Pong(sent_ms=1, server_ms=2),
    Bye(code="device_revoked", message="This gate was revoked."),
]


@pytest.mark.parametrize("frame", GATE_FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_gates_frame_comes_back_and_is_no_servers(frame: GateFrame) -> None:
    assert decode_gate_frame(encode_frame(frame)) == frame
    with pytest.raises(CodeMalformed):
        decode_server_frame(encode_frame(frame))


@pytest.mark.parametrize("frame", SERVER_FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_servers_frame_comes_back_and_is_no_gates(frame: ServerFrame) -> None:
    assert decode_server_frame(encode_frame(frame)) == frame
    with pytest.raises(CodeMalformed):
        decode_gate_frame(encode_frame(frame))


def raw(frame: GateFrame, **changes: Any) -> bytes:
    """Return a frame's bytes with fields changed behind the types' back."""
    fields: dict[str, Any] = to_builtins(frame, builtin_types=(bytes,))
    return msgpack.encode(fields | changes)


SIGNED_FIELDS: dict[str, Any] = to_builtins(SIGNED, builtin_types=(bytes,))
BATCH_FIELDS: dict[str, Any] = SIGNED_FIELDS["batch"]
ODD_FRAMES = {
    "nothing": b"",
    "garbage": b"\xc1\xff\x00",
    "no tag": msgpack.encode({"a": 1}),
    "a later field": raw(HELLO, later=1),
    "a negative cursor": raw(HELLO, feed_seq=-1),
    "a number no store can hold": raw(HELLO, last_gate_seq=2**63),
    "a name without end": raw(HELLO, software="s" * 201),
    "no number": raw(GATE_FRAMES[2], scans_per_minute=math.nan),
    "an endless number": raw(GATE_FRAMES[2], scans_per_minute=math.inf),
    "a battery fuller than full": raw(GATE_FRAMES[2], vitals=to_builtins(VITALS) | {"battery": 101}),
    "21 receipts": raw(GATE_FRAMES[3], receipts=[to_builtins(RECEIPT)] * 21),
    "201 records": raw(GATE_FRAMES[1], signed=SIGNED_FIELDS | {"batch": BATCH_FIELDS | {"records": [b"r"] * 201}}),
    "an empty record": raw(GATE_FRAMES[1], signed=SIGNED_FIELDS | {"batch": BATCH_FIELDS | {"records": [b""]}}),
    "a record too long": raw(
        GATE_FRAMES[1], signed=SIGNED_FIELDS | {"batch": BATCH_FIELDS | {"records": [bytes(4097)]}}
    ),
    "a batch before the first": raw(GATE_FRAMES[1], signed=SIGNED_FIELDS | {"batch": BATCH_FIELDS | {"first_seq": 0}}),
    "a short signature": raw(GATE_FRAMES[1], signed=SIGNED_FIELDS | {"signature": bytes(63)}),
    "broken text": raw(HELLO).replace(b"software\xa1t", b"software\xa1\xff"),
    "nesting without end": b"\x82\xa1a" + b"\x91" * 200_000 + b"\x01",
}


@pytest.mark.parametrize("data", ODD_FRAMES.values(), ids=ODD_FRAMES)
def test_anything_else_is_malformed_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(CodeMalformed):
        decode_gate_frame(data)
    assert decode_gate_frame(raw(HELLO)) == HELLO


def test_a_frame_above_the_limit_is_refused_unread() -> None:
    with pytest.raises(CodeMalformed, match="larger"):
        decode_server_frame(bytes(FRAME_LIMIT + 1))
    with pytest.raises(CodeMalformed, match="does not belong"):
        decode_server_frame(bytes(FRAME_LIMIT))


def test_the_fullest_batch_fits_a_frame() -> None:
    full = ScanBatch(gate=NORTH, incarnation=INCARNATION, first_seq=1, previous=bytes(32), records=[bytes(4096)] * 200)
    frame = Scans(signed=sign_batch(full, Ed25519PrivateKey.from_private_bytes(secret("gate sign"))))
    assert decode_gate_frame(encode_frame(frame)) == frame


def test_a_chunk_comes_back() -> None:
    assert unpack_chunk(pack_chunk(ENTRIES)) == ENTRIES
    assert unpack_chunk(pack_chunk([])) == []


ODD_CHUNKS = {
    "nothing": b"",
    "garbage": b"garbage",
    "cut": pack_chunk(ENTRIES)[:-3],
    "more behind": pack_chunk(ENTRIES) + b"more",
    "another form": zstandard.ZstdCompressor().compress(msgpack.encode({"a": 1})),
    "a short handle hash": zstandard.ZstdCompressor().compress(msgpack.encode([["x", 1, bytes(15), 1]])),
    "a state nobody knows": zstandard.ZstdCompressor().compress(
        msgpack.encode([["t", 1, bytes(16), 1, "lost", 1, 3, 5]])
    ),
}


@pytest.mark.parametrize("data", ODD_CHUNKS.values(), ids=ODD_CHUNKS)
def test_a_damaged_chunk_is_malformed(data: bytes) -> None:
    with pytest.raises(CodeMalformed, match="damaged"):
        unpack_chunk(data)


@pytest.mark.parametrize("states_its_size", [True, False])
def test_a_small_chunk_that_would_fill_the_memory_is_refused_before_it_does(states_its_size: bool) -> None:
    compressor = zstandard.ZstdCompressor(level=3, write_content_size=states_its_size)
    bomb = compressor.compress(bytes(20 * SNAPSHOT_CHUNK_LIMIT))
    assert len(bomb) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(CodeMalformed):
            unpack_chunk(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2 * SNAPSHOT_CHUNK_LIMIT
    finally:
        tracemalloc.stop()


def test_a_manifest_comes_back_and_odd_hashes_do_not() -> None:
    made = SnapshotManifest(
        snapshot="s-1", event=EVENT, seq=9, rows=2, chunks=[SnapshotChunk(size=10, sha256=bytes(32))]
    )
    decoder = msgpack.Decoder(SnapshotManifest)
    assert decoder.decode(msgpack.encode(made)) == made
    fields = to_builtins(made, builtin_types=(bytes,))
    with pytest.raises(ValueError, match="length"):
        decoder.decode(msgpack.encode(fields | {"chunks": [{"size": 10, "sha256": bytes(31)}]}))
