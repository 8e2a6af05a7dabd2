"""Laws of the log, the clock and the wire, and of the life cycle."""

from __future__ import annotations

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from shared.ids import IncarnationId
from shared.problems import CodeMalformed
from shared.sync import hlc
from shared.sync.feed import FEED_START, UNMARKED, FeedEntry, extend_mark
from shared.sync.scan import (
    GENESIS,
    BatchTampered,
    ScanBatch,
    ScanRecord,
    SignedBatch,
    chain_hashes,
    decode_record,
    encode_record,
    extend_chain,
    sign_batch,
    verify_batch,
)
from shared.sync.wire import (
    FeedFrame,
    Scans,
    decode_gate_frame,
    decode_server_frame,
    encode_frame,
    pack_chunk,
    unpack_chunk,
)
from shared.tickets.lifecycle import TERMINAL, TRANSITIONS, Actor, State, check_transition
from tests.property.strategies import feed_entries, law, records
from tests.unit.shared.samples import EVENT, NORTH, secret

KEY = Ed25519PrivateKey.from_private_bytes(secret("gate sign"))
INCARNATION = IncarnationId(UUID(int=9))
logs = st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=30)


def cut(log: list[bytes], sizes: list[int]) -> list[SignedBatch]:
    """Return a log in signed batches of the given sizes, repeated as long as needed."""
    batches: list[SignedBatch] = []
    previous, first = GENESIS, 0
    while first < len(log):
        records = log[first : first + sizes[len(batches) % len(sizes)]]
        batch = ScanBatch(gate=NORTH, incarnation=INCARNATION, first_seq=first + 1, previous=previous, records=records)
        batches.append(sign_batch(batch, KEY))
        previous, first = chain_hashes(batch)[-1], first + len(records)
    return batches


@law
@given(logs, st.lists(st.integers(1, 7), min_size=1, max_size=5))
def test_a_log_verifies_however_it_is_cut(log: list[bytes], sizes: list[int]) -> None:
    batches = cut(log, sizes)
    head = GENESIS
    for signed in batches:
        verify_batch(signed, KEY.public_key())
        assert signed.batch.previous == head
        head = chain_hashes(signed.batch)[-1]
    whole = GENESIS
    for body in log:
        whole = extend_chain(whole, body)
    assert head == whole
    assert [body for signed in batches for body in signed.batch.records] == log


@law
@given(logs, st.data())
def test_no_record_can_be_altered_dropped_doubled_or_moved(log: list[bytes], data: st.DataObject) -> None:
    signed = cut(log, [len(log)])[0]
    at = data.draw(st.integers(0, len(log) - 1))
    to = data.draw(st.integers(0, len(log) - 1))
    moved = [*log]
    moved.insert(to, moved.pop(at))
    changed = [
        [*log[:at], log[at] + b"x", *log[at + 1 :]],
        [*log[:at], *log[at + 1 :]],
        [*log[:at], log[at], *log[at:]],
        moved,
    ]
    for bodies in changed:
        altered = structs.replace(signed, batch=structs.replace(signed.batch, records=bodies))
        if bodies == log:
            verify_batch(altered, KEY.public_key())
            continue
        with pytest.raises(BatchTampered):
            verify_batch(altered, KEY.public_key())


@law
@given(logs, st.integers(0, 255), st.integers(0, 63))
def test_no_byte_of_a_signature_can_be_altered(log: list[bytes], value: int, at: int) -> None:
    signed = cut(log, [30])[0]
    forged = signed.signature[:at] + bytes([value]) + signed.signature[at + 1 :]
    if forged == signed.signature:
        verify_batch(signed, KEY.public_key())
        return
    with pytest.raises(BatchTampered):
        verify_batch(structs.replace(signed, signature=forged), KEY.public_key())


@law
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100_000), st.integers(0, 2**33)), max_size=30))
def test_stamps_only_grow_whatever_the_clocks_do(happenings: list[tuple[bool, int, int]]) -> None:
    last = 0
    for received, now_ms, remote in happenings:
        try:
            stamp = hlc.receive(last, remote, now_ms) if received else hlc.tick(last, now_ms)
        except hlc.StampTooFarAhead:
            assert hlc.physical_ms(remote) > now_ms + hlc.MAX_AHEAD_MS
            continue
        assert stamp > last
        assert hlc.physical_ms(stamp) >= now_ms
        assert not received or stamp > remote
        last = stamp


@law
@given(records)
def test_a_record_comes_back_from_its_bytes(record: ScanRecord) -> None:
    assert decode_record(encode_record(record)) == record


@law
@given(st.lists(feed_entries, max_size=10), st.integers(0, 2**40))
def test_entries_come_back_from_frames_and_chunks(entries: list[FeedEntry], after: int) -> None:
    frame = FeedFrame(event=EVENT, after=after, entries=entries)
    assert decode_server_frame(encode_frame(frame)) == frame
    assert unpack_chunk(pack_chunk(entries)) == entries


@law
@given(st.lists(feed_entries, max_size=8), st.lists(feed_entries, max_size=4), st.integers(0, 8))
def test_a_mark_stands_for_all_entries_in_their_order(told: list[FeedEntry], others: list[FeedEntry], at: int) -> None:
    mark = extend_mark(FEED_START, told)
    assert mark == extend_mark(extend_mark(FEED_START, told[:at]), told[at:])
    assert mark == extend_mark(FEED_START, unpack_chunk(pack_chunk(told)))
    if others != told:
        assert extend_mark(FEED_START, others) != mark
        assert extend_mark(extend_mark(FEED_START, others), told) != extend_mark(mark, told)
    assert extend_mark(UNMARKED, told) == UNMARKED


@law
@given(
    st.binary(max_size=60) | st.lists(feed_entries, max_size=2).map(pack_chunk), st.integers(0, 59), st.integers(0, 255)
)
def test_damaged_bytes_are_malformed_or_harmless(data: bytes, at: int, value: int) -> None:
    damaged = data[:at] + bytes([value]) + data[at + 1 :]
    for decode in (decode_gate_frame, decode_server_frame, decode_record, unpack_chunk):
        try:
            meant = decode(damaged)
        except CodeMalformed:
            continue
        assert meant is not None


@law
@given(logs, st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_batch_is_malformed_tampered_or_the_same(log: list[bytes], at: int, value: int) -> None:
    signed = cut(log, [30])[0]
    data = encode_frame(Scans(signed=signed))
    damaged = data[:at] + bytes([value]) + data[at + 1 :]
    try:
        frame = decode_gate_frame(damaged)
        assert isinstance(frame, Scans)
        verify_batch(frame.signed, KEY.public_key())
    except (CodeMalformed, BatchTampered):
        assert damaged != data
        return
    assert frame.signed == signed


@law
@given(st.lists(st.sampled_from(Actor), max_size=12), st.data())
def test_every_life_keeps_to_the_table_and_ends_for_good(hands: list[Actor], data: st.DataObject) -> None:
    state = State.AVAILABLE
    for actor in hands:
        steps = sorted(target for target, step in TRANSITIONS[state].items() if actor in step.actors)
        if not steps:
            continue
        target = data.draw(st.sampled_from(steps))
        check_transition(state, target, actor, "a reason")
        assert state not in TERMINAL
        state = target
    assert (TRANSITIONS[state] == {}) is (state in TERMINAL)
