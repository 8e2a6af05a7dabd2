"""The log of an event's server gate: records written as gates write them, taken as gates' records are taken."""

from __future__ import annotations

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from server.domain.server_gate import NAME, server_gate_id, server_log_id
from server.services.context import Context
from server.services.ingest_records import LogLine, RecordTaker
from server.services.ingest_tickets import settle_tickets
from server.services.ports import Unit
from server.services.rows import EventRow
from server.services.rows_gates import GateRow, LogRow
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.problems import Internal
from shared.sync.feed import GateEntry
from shared.sync.hlc import MAX_AHEAD_MS, physical_ms, tick
from shared.sync.scan import ScanRecord, encode_record, extend_chain


class ServerLog(Struct, frozen=True, kw_only=True):
    """An event's server gate and how far its log goes, locked until the transaction ends."""

    gate: GateRow
    log: LogRow

    @property
    def next_seq(self) -> int:
        """Return the number of the record that comes next."""
        return self.log.acked + 1


async def open_log(tx: Unit, event: EventRow, now: datetime) -> ServerLog:
    """Lock the log of an event's server gate; the first time the gate is made, and told to the others."""
    gate_id = server_gate_id(event.id)
    gate = await tx.gates.get(gate_id)
    if gate is None:
        gate = _make_gate(event, now)
        if await tx.gates.add_server(gate):
            await tx.outbox.append(event.id, [GateEntry(seq=0, gate=gate.id, name=gate.name)])
    return ServerLog(gate=gate, log=await tx.scans.lock_log(gate_id, server_log_id(event.id)))


async def write_record(context: Context, tx: Unit, held: ServerLog, record: ScanRecord, now: datetime) -> None:
    """Append a record to a locked log and settle the ticket it speaks of."""
    if record.gate_seq != held.next_seq:
        raise Internal("A record of the server's log does not bear the number that is due.")
    body = encode_record(record)
    incarnation = server_log_id(held.gate.event)
    chain = extend_chain(held.log.chain, body)
    line = LogLine(incarnation=incarnation, seq=held.next_seq, body=body, chain=chain)
    taker = await RecordTaker.prepare(tx, context.vault, held.gate, [line], now)
    await taker.take(line)
    await settle_tickets(tx, context.vault, taker.touched(), now)
    await tx.scans.advance_log(held.gate.id, incarnation, LogRow(acked=line.seq, chain=chain))


def stamp(now: datetime, seen: list[Admission]) -> int:
    """Return a stamp after everything that is known of a ticket, as far as that lies in no impossible future."""
    now_ms = unix_ms(now)
    known = [one.hlc for one in seen if physical_ms(one.hlc) - now_ms <= MAX_AHEAD_MS]
    return tick(max(known, default=0), now_ms)


def _make_gate(event: EventRow, now: datetime) -> GateRow:
    # Its keys are forgotten as soon as they are made: nobody can sign in as this gate, or read a bundle made for it.
    return GateRow(
        tenant=event.tenant,
        id=server_gate_id(event.id),
        event=event.id,
        name=NAME,
        direction=Direction.ENTRY,
        zones=0,
        products=(),
        sign_public=Ed25519PrivateKey.generate().public_key().public_bytes_raw(),
        seal_public=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        software="server",
        enrolled_at=now,
        config=event.config,
    )
