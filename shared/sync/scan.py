"""What a gate writes down of every scan, and the signed, chained batches in which it tells the server.

Each record extends a hash chain, h_n = SHA-256("ttlog1" | h_(n-1) | record n), from 32 zero bytes. A batch names the hash
before its first record and is signed over the hash after its last, so a log may be cut into batches anywhere, any number
of times, and still cannot be altered.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import DecodeError, Struct, msgpack

from shared.admission.presence import Admission
from shared.admission.verdict import Direction, Reason
from shared.codes.reader import Proof
from shared.ids import EventId, GateId, IncarnationId, ScanId
from shared.problems import CodeMalformed, Denied

GENESIS = bytes(32)
BATCH_LIMIT = 200
_RECORD_LABEL = b"ttlog1"
_BATCH_LABEL = b"ttbatch1"


class Mode(StrEnum):
    """How the gate stood to the server when it decided."""

    ONLINE = "online"
    OFFLINE = "offline"


class Override(Struct, frozen=True, kw_only=True, array_like=True):
    """A supervisor's decision against the rule."""

    supervisor: str
    reason: str


class ScanRecord(Struct, frozen=True, kw_only=True):
    """One scan, as it was decided. Refusals are recorded like admissions.

    ``gate_seq`` counts from 1 without gaps within the gate's incarnation. ``handle_hash`` (16 bytes) is None when the
    code could not be opened; ``code_hash`` is the first 8 bytes of SHA-256 of what was scanned. ``feed_seq`` and
    ``policy_version`` are what the gate knew.
    """

    scan: ScanId
    gate_seq: int
    hlc: int
    at_ms: int
    unsure_ms: int
    event: EventId | None
    handle_hash: bytes | None
    code_hash: bytes
    direction: Direction
    admitted: bool
    reason: Reason
    mode: Mode
    feed_seq: int
    policy_version: int
    proof: Proof | None = None
    operator: str | None = None
    override: Override | None = None


class LoggedRecord(Struct, frozen=True, kw_only=True):
    """A record as stored: its exact bytes and the chain's hash after it."""

    gate_seq: int
    body: bytes
    chain: bytes


class ScanBatch(Struct, frozen=True, kw_only=True):
    """A run of consecutive records of one gate's log; ``previous`` is the chain's hash before the first."""

    gate: GateId
    incarnation: IncarnationId
    first_seq: int
    previous: bytes
    records: list[bytes]


class SignedBatch(Struct, frozen=True, kw_only=True):
    """What travels: the batch and the gate's signature over who, where and the chain's hash after it."""

    batch: ScanBatch
    signature: bytes


class BatchTampered(Denied):
    """The batch's signature does not fit its content."""

    code = "batch_tampered"


def encode_record(record: ScanRecord) -> bytes:
    """Return the bytes that are stored, hashed and sent."""
    return msgpack.encode(record)


def decode_record(body: bytes) -> ScanRecord:
    """Return a record from its bytes.

    Raises:
        CodeMalformed: not a record this version knows.
    """
    try:
        return msgpack.decode(body, type=ScanRecord)
    except DecodeError as exc:
        raise CodeMalformed("A scan record has a form this server does not know.") from exc


def extend_chain(previous: bytes, body: bytes) -> bytes:
    """Return the chain's hash after one more record."""
    return hashlib.sha256(_RECORD_LABEL + previous + body).digest()


def hash_code(text: str) -> bytes:
    """Return the 8 bytes by which a scanned text is known in logs and records."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]


def chain_hashes(batch: ScanBatch) -> list[bytes]:
    """Return the chain's hash after each record of a batch."""
    hashes: list[bytes] = []
    last = batch.previous
    for body in batch.records:
        last = extend_chain(last, body)
        hashes.append(last)
    return hashes


def sign_batch(batch: ScanBatch, key: Ed25519PrivateKey) -> SignedBatch:
    """Sign a batch with the gate's key."""
    return SignedBatch(batch=batch, signature=key.sign(_signed_bytes(batch)))


def verify_batch(signed: SignedBatch, key: Ed25519PublicKey) -> None:
    """Return if the batch is the gate's own and unaltered.

    Raises:
        BatchTampered: the signature does not fit.
    """
    try:
        key.verify(signed.signature, _signed_bytes(signed.batch))
    except InvalidSignature as exc:
        raise BatchTampered("This scan log is not signed by the gate that sent it; nothing of it was taken.") from exc


def as_admission(record: ScanRecord, gate: GateId) -> Admission:
    """Return the part of an admitting record that counts in the ledger."""
    return Admission(
        scan=record.scan,
        gate=gate,
        gate_seq=record.gate_seq,
        hlc=record.hlc,
        at_ms=record.at_ms,
        unsure_ms=record.unsure_ms,
        direction=record.direction,
        proven=record.proof is not None,
        feed_seq=record.feed_seq,
        online=record.mode is Mode.ONLINE,
        override=record.override is not None,
    )


def _signed_bytes(batch: ScanBatch) -> bytes:
    head = chain_hashes(batch)[-1] if batch.records else batch.previous
    numbers = batch.first_seq.to_bytes(8, "big") + len(batch.records).to_bytes(4, "big")
    return _BATCH_LABEL + batch.gate.bytes + batch.incarnation.bytes + numbers + batch.previous + head
