"""Taking a batch of a gate's log: verified, continued without gap, every record kept, in one transaction.

The same batch again, a batch that overlaps, or one that comes late changes nothing twice and gets the same answer. What
a gate admitted is never refused or dropped: a record that fits nothing is kept as unmatched, and what was one admission
too many becomes a conflict with evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from server.domain.access import GateCaller
from server.services.gate_access import find_gate
from server.services.ingest_lines import LogLine
from server.services.ingest_records import RecordTaker
from server.services.ingest_tickets import settle_tickets
from server.services.keys import KeyVault
from server.services.ports import Database, Unit
from server.services.problems_gates import BatchConflict, BatchUnusable
from server.services.rows_gates import GateRow, LogRow
from shared.problems import Internal
from shared.sync.scan import BATCH_LIMIT, ScanBatch, SignedBatch, chain_hashes, verify_batch
from shared.sync.wire import Ack

_LARGEST_SEQ = 2**62

log = structlog.get_logger()


class Receipt(Struct, frozen=True, kw_only=True):
    """What came of a batch: the answer to the gate, and how many records were new."""

    ack: Ack
    taken: int


async def take_batch(db: Database, vault: KeyVault, gate: GateCaller, signed: SignedBatch, now: datetime) -> Receipt:
    """Keep what is new in a batch and return how far the gate's log is stored now; durable when this returns.

    Raises:
        BatchTampered: another gate's, or altered on the way.
        BatchUnusable: too long, or numbered impossibly.
        BatchConflict: it contradicts what was stored of this log before.
        GateRevoked: the gate is out of service.
    """
    try:
        return await _take_batch(db, vault, gate, signed, now)
    except BatchConflict as problem:
        # beside the transaction that is undone: two machines that say they are one gate are for people to look at
        async with db.tenant(gate.tenant) as tx:
            await tx.gates.raise_alarm(gate.gate, problem.code, now)
        raise


async def _take_batch(db: Database, vault: KeyVault, gate: GateCaller, signed: SignedBatch, now: datetime) -> Receipt:
    batch = signed.batch
    _check_form(batch)
    async with db.tenant(gate.tenant) as tx:
        present = await find_gate(tx, gate.gate)
        verify_batch(signed, Ed25519PublicKey.from_public_bytes(present.sign_public))
        if batch.gate != gate.gate:
            raise BatchUnusable("This batch is another gate's log.")
        stored = await tx.scans.lock_log(gate.gate, batch.incarnation)
        lines = await _find_new(tx, batch, stored)
        if lines:
            await _take(tx, vault, present, lines, now)
            stored = LogRow(acked=lines[-1].seq, chain=lines[-1].chain)
            await tx.scans.advance_log(gate.gate, batch.incarnation, stored)
    log.info("scans.taken", gate=str(gate.gate), first=batch.first_seq, upto=stored.acked, new=len(lines))
    return Receipt(ack=Ack(incarnation=batch.incarnation, upto=stored.acked), taken=len(lines))


def _check_form(batch: ScanBatch) -> None:
    if len(batch.records) > BATCH_LIMIT:
        raise BatchUnusable(f"A batch has at most {BATCH_LIMIT} records.")
    if not 1 <= batch.first_seq <= _LARGEST_SEQ or len(batch.previous) != 32:
        raise BatchUnusable("A batch begins at record 1 or later and names the 32-byte hash before it.")


async def _find_new(tx: Unit, batch: ScanBatch, stored: LogRow) -> list[LogLine]:
    """Return the records beyond those stored; none when the batch begins later than the next one due.

    Raises:
        BatchConflict: the batch is no continuation, or differs in what is stored already.
    """
    hashes = chain_hashes(batch)
    if batch.first_seq > stored.acked + 1:
        return []
    known = stored.acked + 1 - batch.first_seq
    if known == 0:
        _compare(batch, batch.previous, stored.chain)
    elif hashes:
        # a hash stands for everything before it: one comparison covers all the records the two have in common
        last = min(known, len(hashes))
        seq = batch.first_seq + last - 1
        kept = stored.chain if seq == stored.acked else await tx.scans.chain_at(batch.gate, batch.incarnation, seq)
        if kept is None:
            raise Internal(f"record {seq} of a gate's log was acknowledged and is not stored")
        _compare(batch, hashes[last - 1], kept)
    return [
        LogLine(incarnation=batch.incarnation, seq=batch.first_seq + at, body=body, chain=hashes[at])
        for at, body in enumerate(batch.records)
        if at >= known
    ]


def _compare(batch: ScanBatch, theirs: bytes, ours: bytes) -> None:
    if theirs == ours:
        return
    log.error("scans.log_diverged", gate=str(batch.gate), incarnation=str(batch.incarnation), first=batch.first_seq)
    raise BatchConflict(
        "This log is not the one stored of this gate before: its disk was altered, restored or copied. Enrol the gate anew."
    )


async def _take(tx: Unit, vault: KeyVault, gate: GateRow, lines: Sequence[LogLine], now: datetime) -> None:
    taker = await RecordTaker.prepare(tx, vault, gate, lines, now)
    await taker.take_all(lines)
    await settle_tickets(tx, taker.touched(), now)
