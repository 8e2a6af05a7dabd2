"""What a gate writes down of every scan, and the signed, chained batches in which it tells the server.

Each record extends a hash chain, h_n = SHA-256("ttlog1" | h_(n-1) | record n), from 32 zero bytes. A batch names the hash
before its first record and is signed over the hash after its last, so a log may be cut into batches anywhere, any number
of times, and still cannot be altered.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import UNSET, Meta, Struct, UnsetType, msgpack

from shared.admission.presence import Admission
from shared.admission.verdict import NO_SCAN, Direction, Reason
from shared.codes.reader import Proof
from shared.ids import EventId, GateId, IncarnationId, ScanId
from shared.packed import Bytes8, Bytes16, Bytes32, Bytes64, Natural, Ordinal, Stamp, UnixMs, Words, unpack
from shared.problems import Denied, Internal

GENESIS = bytes(32)
BATCH_LIMIT = 200
RECORD_LIMIT = 4096
"""Bytes a record may have: 200 of them still fit one frame."""

RecordBytes = Annotated[bytes, Meta(min_length=1, max_length=RECORD_LIMIT)]
_SEEN_LABEL = b"ttseen1"
_RECORD_LABEL = b"ttlog1"
_BATCH_LABEL = b"ttbatch1"


class Mode(StrEnum):
    """How the gate stood to the server when it decided."""

    ONLINE = "online"
    OFFLINE = "offline"


class Override(Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """A supervisor's decision against the rule, or what else one did: who, and why or what, in a word of a closed list."""

    supervisor: Words
    reason: Words


class ScanRecord(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scan, as it was decided. Refusals are recorded like admissions.

    ``gate_seq`` counts from 1 without gaps within the gate's incarnation. ``handle_hash`` (16 bytes) is None when the
    code could not be opened; ``code_hash`` is the first 8 bytes of SHA-256 of what was scanned. ``feed_seq`` and
    ``policy_version`` are what the gate knew.

    A live code's ``proof`` shows that it was seen. A printed one has none: there ``seen`` is the tag of `tag_seen`.

    Two reasons mark records that answer no scan. ``undone`` names in ``undoes`` the admission of this gate that a supervisor
    took back; it repeats that one's ticket, code, proof and tag. ``staff_action`` says in ``override`` what a supervisor did.
    """

    scan: ScanId
    gate_seq: Ordinal
    hlc: Stamp
    at_ms: UnixMs
    unsure_ms: UnixMs
    event: EventId | None
    handle_hash: Bytes16 | None
    code_hash: Bytes8
    direction: Direction
    admitted: bool
    reason: Reason
    mode: Mode
    feed_seq: Natural
    policy_version: Natural
    proof: Proof | None = None
    operator: Words | None = None
    override: Override | None = None
    undoes: ScanId | UnsetType = UNSET
    seen: Bytes16 | UnsetType = UNSET

    @property
    def is_scan(self) -> bool:
        """Whether somebody stood at the gate and was answered."""
        return self.reason not in NO_SCAN

    @property
    def takes_back(self) -> ScanId | None:
        """The admission this record takes back, if that is what it does."""
        undone = None if self.undoes is UNSET else self.undoes
        return undone if self.reason is Reason.UNDONE else None

    @property
    def in_ledger(self) -> bool:
        """Whether it says anything of where the ticket's holder is."""
        return (self.admitted and self.is_scan) or self.takes_back is not None


def tag_seen(handle: bytes, scan: ScanId) -> bytes:
    """Return the 16 bytes by which a gate shows that a printed code was held up to it for this scan.

    HMAC-SHA256 keyed with the ticket's handle, which is inside the code: snapshots and feed hold only its hash.
    """
    return hmac.digest(handle, _SEEN_LABEL + scan.bytes, "sha256")[:16]


_record_decoder: msgpack.Decoder[ScanRecord] = msgpack.Decoder(ScanRecord)


class LoggedRecord(Struct, frozen=True, kw_only=True):
    """A record as stored: its exact bytes and the chain's hash after it."""

    gate_seq: int
    body: bytes
    chain: bytes


class ScanBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run of consecutive records of one gate's log; ``previous`` is the chain's hash before the first."""

    gate: GateId
    incarnation: IncarnationId
    first_seq: Ordinal
    previous: Bytes32
    records: Annotated[list[RecordBytes], Meta(max_length=BATCH_LIMIT)]


class SignedBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What travels: the batch and the gate's signature over who, where and the chain's hash after it."""

    batch: ScanBatch
    signature: Bytes64


class BatchTampered(Denied):
    """The batch's signature does not fit its content."""

    code = "batch_tampered"


def encode_record(record: ScanRecord) -> bytes:
    """Return the bytes that are stored, hashed and sent.

    Raises:
        Internal: too long to be sent; noticed here, before it is in the log and holds up everything after it.
    """
    body = msgpack.encode(record)
    if len(body) > RECORD_LIMIT:
        raise Internal(f"A scan record of {len(body)} bytes is longer than the protocol allows.")
    return body


def decode_record(body: bytes) -> ScanRecord:
    """Return a record from its bytes.

    Raises:
        CodeMalformed: not a record this version knows.
    """
    return unpack(_record_decoder, body, "A scan record has a form this server does not know.")


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
    """Return the part of a record that counts in the ledger; the record admits or takes an admission back."""
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
        undoes=record.takes_back,
    )


def _signed_bytes(batch: ScanBatch) -> bytes:
    head = chain_hashes(batch)[-1] if batch.records else batch.previous
    numbers = batch.first_seq.to_bytes(8, "big") + len(batch.records).to_bytes(4, "big")
    return _BATCH_LABEL + batch.gate.bytes + batch.incarnation.bytes + numbers + batch.previous + head
