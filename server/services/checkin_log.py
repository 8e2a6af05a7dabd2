"""The log of an event's server gate: records written as gates write them, taken as gates' records are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from server.domain.server_gate import NAME, server_gate_id, server_log_id
from server.services.checkin_cases import Decided, Page, make_record
from server.services.context import Context
from server.services.correlation import correlating_each
from server.services.ingest_lines import LogLine, Matched, Past
from server.services.ingest_records import RecordTaker
from server.services.ingest_tickets import settle_fresh
from server.services.keys import MasterSecrets
from server.services.ports import Unit
from server.services.rows import EventRow, TicketRow
from server.services.rows_gates import GateRow, LockedTicket, LogRow
from shared.admission.verdict import Direction
from shared.ids import TicketId
from shared.sync.feed import GateEntry
from shared.sync.scan import ScanRecord, encode_record, extend_chain


class ServerLog(Struct, frozen=True, kw_only=True):
    """An event's server gate and how far its log goes, locked until the transaction ends."""

    event: EventRow
    gate: GateRow
    log: LogRow


class Entries(Struct, frozen=True, kw_only=True):
    """What is to be written: decisions in their order, with what was read to come to them."""

    decided: Sequence[Decided]
    masters: MasterSecrets
    locked: Mapping[TicketId, LockedTicket]
    now: datetime


class Written(Struct, frozen=True, kw_only=True):
    """What was written: a record for each ticket, and the tickets whose state changed by it."""

    records: Mapping[TicketId, ScanRecord]
    changed: Mapping[TicketId, TicketRow]


async def open_log(tx: Unit, event: EventRow, gate: GateRow | None, now: datetime) -> ServerLog:
    """Lock the log of an event's server gate; the first time, without a ``gate``, that is made and told to the others."""
    if gate is None:
        gate = _make_gate(event, now)
        if await tx.gates.add_server(gate):
            await tx.outbox.append(event.id, [GateEntry(seq=0, gate=gate.id, name=gate.name)])
    return ServerLog(event=event, gate=gate, log=await tx.scans.lock_log(gate.id, server_log_id(event.id)))


async def write_records(context: Context, tx: Unit, held: ServerLog, entries: Entries) -> Written:
    """Append records to a locked log and settle the tickets they speak of, all or none."""
    feed_seq, due = await tx.feed.head(held.event.id), held.log.acked + 1
    records = {
        due + at: make_record(one, Page(seq=due + at, feed_seq=feed_seq, now=entries.now), context.random_bytes)
        for at, one in enumerate(entries.decided)
    }
    lines = _lines(held, records)
    matched = _match(entries, due)
    taker = RecordTaker.knowing(tx, (held.event, held.gate), entries.now, records, matched)
    await taker.take_fresh(lines)
    # The rule has just looked at the ticket, locked as it is: its history only matters to whoever overrules it, or was here before.
    storied = [
        one.case.known.ticket.id for one in entries.decided if one.admitted and (one.forced or one.case.known.seen)
    ]
    past = Past(
        steps=await tx.scans.steps(storied) if storied else (),
        conflicts=[row for one in entries.decided for row in one.case.known.conflicts],
    )
    visits = [one.case.visit for one in entries.decided]
    with correlating_each({one.ticket: one.trace for one in visits if one.trace is not None}):
        changed = await settle_fresh(tx, taker.touched(), past, entries.now)
    after = LogRow(acked=lines[-1].seq, chain=lines[-1].chain)
    await tx.scans.advance_log(held.gate.id, lines[-1].incarnation, after)
    by_ticket = dict(zip((one.case.known.ticket.id for one in entries.decided), records.values(), strict=True))
    return Written(records=by_ticket, changed=changed)


def _lines(held: ServerLog, records: Mapping[int, ScanRecord]) -> list[LogLine]:
    incarnation, chain = server_log_id(held.event.id), held.log.chain
    lines = []
    for seq, record in records.items():
        body = encode_record(record)
        chain = extend_chain(chain, body)
        lines.append(LogLine(incarnation=incarnation, seq=seq, body=body, chain=chain))
    return lines


def _match(entries: Entries, due: int) -> Matched:
    """Return what was found out about the records to be written, as a gate's batch would have to be looked up for."""
    cases = [one.case for one in entries.decided]
    handles = [one.scanned.handle for one in cases]
    proven = {due + at for at, one in enumerate(cases) if one.scanned.recomputed and one.scanned.proof is not None}
    return Matched(
        masters=entries.masters,
        handles={one.handle_hash: one for one in handles if one is not None},
        tickets=entries.locked,
        proven=frozenset(proven),
        seen={one.known.ticket.id: one.known.seen for one in cases},
    )


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
