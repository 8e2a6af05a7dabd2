"""The gate's log: records, their chain, and signed batches."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import msgpack, structs, to_builtins

from shared.admission.verdict import Direction, Reason
from shared.codes.reader import Proof
from shared.ids import IncarnationId, ScanId
from shared.problems import CodeMalformed, Internal
from shared.sync.scan import (
    GENESIS,
    BatchTampered,
    Mode,
    Override,
    ScanBatch,
    ScanRecord,
    as_admission,
    chain_hashes,
    decode_record,
    encode_record,
    extend_chain,
    hash_code,
    sign_batch,
    tag_seen,
    verify_batch,
)
from tests.unit.shared.samples import EVENT, NORTH, NOW_MS, SOUTH, secret

GATE_KEY = Ed25519PrivateKey.from_private_bytes(secret("gate sign"))
INCARNATION = IncarnationId(UUID(int=77))


def record(number: int = 1, **changes: Any) -> ScanRecord:
    """Return an admission, as the north gate notes it."""
    fields: dict[str, Any] = {
        "scan": ScanId(UUID(int=number)),
        "gate_seq": number,
        "hlc": NOW_MS << 16,
        "at_ms": NOW_MS,
        "unsure_ms": 40,
        "event": EVENT,
        "handle_hash": bytes(16),
        "code_hash": bytes(8),
        "direction": Direction.ENTRY,
        "admitted": True,
        "reason": Reason.OK,
        "mode": Mode.ONLINE,
        "feed_seq": 12,
        "policy_version": 3,
    }
    return ScanRecord(**(fields | changes))


def batch(count: int = 3, first: int = 1, previous: bytes = GENESIS) -> ScanBatch:
    """Return consecutive records."""
    bodies = [encode_record(record(number)) for number in range(first, first + count)]
    return ScanBatch(gate=NORTH, incarnation=INCARNATION, first_seq=first, previous=previous, records=bodies)


FULL = record(
    proof=Proof(epoch=1, slot=2, value=bytes(16)),
    operator="op-7",
    override=Override(supervisor="sup-1", reason="phone broken"),
)


def test_the_tag_of_a_printed_code_is_the_documented_one() -> None:
    scan, handle = ScanId(UUID(int=5)), bytes(range(16))
    documented = hmac.new(handle, b"ttseen1" + scan.bytes, hashlib.sha256).digest()[:16]
    assert tag_seen(handle, scan) == documented
    assert tag_seen(handle, ScanId(UUID(int=6))) != documented


@pytest.mark.parametrize(
    "made",
    [
        record(),
        FULL,
        record(seen=bytes(range(16))),
        record(event=None, handle_hash=None, admitted=False, reason=Reason.CODE_FORGED),
    ],
)
def test_a_record_comes_back_from_its_bytes(made: ScanRecord) -> None:
    assert decode_record(encode_record(made)) == made


FIELDS: dict[str, Any] = to_builtins(FULL, builtin_types=(bytes,))
MALFORMED = {
    "a later field": FIELDS | {"mood": 1},
    "a missing field": {name: value for name, value in FIELDS.items() if name != "scan"},
    "a number before the first": FIELDS | {"gate_seq": 0},
    "a stamp no store can hold": FIELDS | {"hlc": 2**63},
    "a time after the end of time": FIELDS | {"at_ms": 253_402_300_800_000},
    "a time before 1970": FIELDS | {"at_ms": -1},
    "a short handle hash": FIELDS | {"handle_hash": bytes(15)},
    "a long code hash": FIELDS | {"code_hash": bytes(9)},
    "a reason nobody knows": FIELDS | {"reason": "whim"},
    "a short proof": FIELDS | {"proof": [1, 2, bytes(15)]},
    "an endless operator": FIELDS | {"operator": "o" * 201},
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
def test_records_of_another_form_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(CodeMalformed):
        decode_record(msgpack.encode(fields))
    assert decode_record(msgpack.encode(FIELDS)) == FULL


def test_a_record_too_long_to_send_never_gets_into_the_log() -> None:
    with pytest.raises(Internal, match="longer than the protocol"):
        encode_record(record(operator="o" * 5000))


def test_the_longest_record_that_can_be_read_can_be_sent() -> None:
    long = "\U0001f3ab" * 200
    body = encode_record(structs.replace(FULL, operator=long, override=Override(supervisor=long, reason=long)))
    assert decode_record(body).operator == long


def test_the_chain_is_the_documented_hash() -> None:
    assert extend_chain(GENESIS, b"body") == hashlib.sha256(b"ttlog1" + bytes(32) + b"body").digest()
    made = batch(2)
    first = extend_chain(GENESIS, made.records[0])
    assert chain_hashes(made) == [first, extend_chain(first, made.records[1])]


def test_the_signature_covers_exactly_the_documented_bytes() -> None:
    made = batch(2)
    said = b"ttbatch1" + NORTH.bytes + INCARNATION.bytes + (1).to_bytes(8, "big") + (2).to_bytes(4, "big")
    GATE_KEY.public_key().verify(sign_batch(made, GATE_KEY).signature, said + GENESIS + chain_hashes(made)[-1])
    assert sign_batch(made, GATE_KEY).batch == made


def test_an_honest_batch_verifies_even_an_empty_one() -> None:
    public = GATE_KEY.public_key()
    for made in (batch(), batch(0), batch(1, first=200, previous=secret("head"))):
        verify_batch(sign_batch(made, GATE_KEY), public)
        with pytest.raises(BatchTampered):
            verify_batch(structs.replace(sign_batch(made, GATE_KEY), signature=bytes(64)), public)


ALTERED = {
    "another gate": {"gate": SOUTH},
    "another incarnation": {"incarnation": IncarnationId(UUID(int=78))},
    "other numbers": {"first_seq": 2},
    "another head": {"previous": secret("other")},
    "a record dropped at the end": {"records": batch().records[:2]},
    "a record dropped at the start": {"records": batch().records[1:]},
    "a record twice": {"records": [*batch().records, batch().records[2]]},
    "another order": {"records": batch().records[::-1]},
    "another record": {"records": [*batch().records[:2], encode_record(record(3, admitted=False))]},
    "nothing": {"records": []},
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_an_altered_batch_does_not_verify(change: dict[str, Any]) -> None:
    signed = sign_batch(batch(), GATE_KEY)
    with pytest.raises(BatchTampered):
        verify_batch(structs.replace(signed, batch=structs.replace(signed.batch, **change)), GATE_KEY.public_key())


def test_another_gates_key_does_not_verify() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(secret("another gate"))
    with pytest.raises(BatchTampered):
        verify_batch(sign_batch(batch(), GATE_KEY), stranger.public_key())


def test_an_admission_takes_over_what_counts() -> None:
    made = as_admission(FULL, NORTH)
    assert (made.scan, made.gate, made.gate_seq, made.hlc) == (FULL.scan, NORTH, 1, NOW_MS << 16)
    assert (made.at_ms, made.unsure_ms, made.direction, made.feed_seq) == (NOW_MS, 40, Direction.ENTRY, 12)
    assert (made.proven, made.online, made.override) == (True, True, True)
    plain = as_admission(record(mode=Mode.OFFLINE), SOUTH)
    assert (plain.proven, plain.online, plain.override) == (False, False, False)


def test_a_code_is_known_by_eight_bytes_whatever_its_text() -> None:
    assert hash_code("abc") == hashlib.sha256(b"abc").digest()[:8]
    assert len(hash_code("\ud800")) == len(hash_code("")) == 8


def test_a_record_prints_no_chain_value() -> None:
    assert "Proof(...)" in repr(FULL)
