"""Scans of gates that were taken out of service: kept apart as they came, never counted, and shown to the organiser."""

from __future__ import annotations

from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct, msgpack

from server.domain.access import GateCaller, User
from server.services.context import Context
from server.services.problems_gates import BatchUnusable, GateInService, GateRevoked, GateUnknown, QuarantineFull
from server.services.rows_broker import QuarantineRow
from shared.clock import from_unix_ms
from shared.ids import GateId, IncarnationId
from shared.problems import CodeMalformed
from shared.sync.scan import BATCH_LIMIT, ScanRecord, SignedBatch, decode_record, verify_batch

MOST_LISTED = 1000

_batches: msgpack.Decoder[SignedBatch] = msgpack.Decoder(SignedBatch)

log = structlog.get_logger()


class Kept(Struct, frozen=True, kw_only=True):
    """The answer to a gate: of this incarnation of its log, the records up to and including ``upto`` are kept apart."""

    incarnation: IncarnationId
    upto: int


class QuarantineView(Struct, frozen=True, kw_only=True, rename="camel"):
    """One batch that was kept apart; what cannot be read in it is null.

    ``records`` and ``admitted`` count the scans in it and the guests let in; ``firstSeq`` is its first record's number in
    the gate's log, ``firstAt`` and ``lastAt`` are the gate's own times.
    """

    batch_hash: str
    reason: str
    received_at: datetime
    incarnation: IncarnationId | None = None
    first_seq: int | None = None
    records: int | None = None
    admitted: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None


async def keep_apart(context: Context, caller: GateCaller, signed: SignedBatch) -> Kept:
    """Keep a batch of a gate that was taken out of service; the same batch again changes nothing.

    Raises:
        GateInService: the gate may hand its log over in the ordinary way.
        BatchTampered, BatchUnusable: it is not this gate's log.
        QuarantineFull: as many batches as are kept of one gate are kept already.
        GateUnknown: the tenant has no such gate.
    """
    batch = signed.batch
    async with context.db.tenant(caller.tenant) as tx:
        gate = await tx.gates.get(caller.gate)
        if gate is None:
            raise GateUnknown("There is no such gate.")
        if gate.revoked_at is None:
            raise GateInService("This gate is in service: hand its scans over at /gate/v1/scans.")
        verify_batch(signed, Ed25519PublicKey.from_public_bytes(gate.sign_public))
        if batch.gate != gate.id or not 1 <= len(batch.records) <= BATCH_LIMIT or batch.first_seq < 1:
            raise BatchUnusable(f"A batch has 1 to {BATCH_LIMIT} records of this gate's own log.")
        if not await tx.broker.quarantine(gate.id, msgpack.encode(signed), GateRevoked.code):
            raise QuarantineFull(
                "Too many batches of this gate are kept apart already: keep the log and tell the organiser."
            )
    log.warning("quarantine.kept", gate=str(gate.id), first=batch.first_seq, records=len(batch.records))
    return Kept(incarnation=batch.incarnation, upto=batch.first_seq + len(batch.records) - 1)


async def list_kept_apart(context: Context, user: User, gate_id: GateId) -> list[QuarantineView]:
    """Return what is kept apart of one gate, oldest first.

    Raises:
        GateUnknown: the caller's tenant has no such gate.
    """
    async with context.db.tenant(user.tenant) as tx:
        if await tx.gates.get(gate_id) is None:
            raise GateUnknown("There is no such gate.")
        rows = await tx.broker.quarantined(gate_id, MOST_LISTED)
    return [_view(row) for row in rows]


def _view(row: QuarantineRow) -> QuarantineView:
    plain = QuarantineView(batch_hash=row.body_hash.hex(), reason=row.reason, received_at=row.received_at)
    try:
        batch = _batches.decode(row.body).batch
    except (ValueError, RecursionError):
        return plain  # a batch may be here for the very reason that nobody can read it
    records = [record for body in batch.records if (record := _read(body)) is not None]
    moments = [from_unix_ms(record.at_ms) for record in records]
    return QuarantineView(
        batch_hash=plain.batch_hash,
        reason=plain.reason,
        received_at=plain.received_at,
        incarnation=batch.incarnation,
        first_seq=batch.first_seq,
        records=len(batch.records),
        admitted=sum(record.admitted for record in records),
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
    )


def _read(body: bytes) -> ScanRecord | None:
    try:
        return decode_record(body)
    except CodeMalformed:
        return None
