"""One record of a gate's log after the other: read, matched with its ticket, judged, kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import uuid5

import structlog

from server.services.classify import Seen, generations_in
from server.services.ingest_lines import LogLine, Matched, Touched, read_record, seen_before, seen_of
from server.services.ingest_proofs import Claim, check_tags, prove
from server.services.keys import KeyVault, MasterSecrets
from server.services.marking import judged_admission
from server.services.ports import Unit
from server.services.rows import EventRow, HandleRow
from server.services.rows_gates import GateRow, LockedTicket, ScanRow
from shared.admission.policy import Place
from shared.admission.presence import fold, order_key
from shared.admission.rule import Facts, decide
from shared.admission.verdict import Reason
from shared.clock import from_unix_ms
from shared.codes.capsule import CodePolicy
from shared.ids import ScanId, TicketId
from shared.problems import Internal, TicketTokenError, Unavailable
from shared.sync.scan import Mode, ScanRecord

_CODE_REASONS = frozenset(
    {Reason.CODE_FORGED, Reason.CODE_STALE, Reason.CODE_FUTURE, Reason.CODE_VERSION, Reason.CODE_UNREADABLE}
)

log = structlog.get_logger()


class _KeptElsewhere(Exception):
    """Another transaction kept one of these scans at this very moment."""


class RecordTaker:
    """Takes the records of one batch in their order: together, or each alone where one of them stands in the way."""

    def __init__(
        self, tx: Unit, event: EventRow, gate: GateRow, now: datetime, records: Mapping[int, ScanRecord]
    ) -> None:
        self._tx = tx
        self._event = event
        self._gate = gate
        self._now = now
        self._records = records
        self._masters = MasterSecrets(secrets={})
        self._handles: Mapping[bytes, HandleRow] = {}
        self._tickets: Mapping[TicketId, LockedTicket] = {}
        self._proven: frozenset[int] = frozenset()
        self._seen: defaultdict[TicketId, list[Seen]] = defaultdict(list)
        self._fresh: defaultdict[TicketId, list[tuple[bytes, Seen]]] = defaultdict(list)

    @classmethod
    async def prepare(
        cls, tx: Unit, vault: KeyVault, gate: GateRow, lines: Sequence[LogLine], now: datetime
    ) -> RecordTaker:
        """Read what the records say and lock the tickets they speak of."""
        event = await tx.events.get(gate.event)
        if event is None:
            raise Internal("A gate's event cannot be found: the database is damaged.")
        records = {line.seq: record for line in lines if (record := read_record(line)) is not None}
        taker = cls(tx, event, gate, now, records)
        hashes = {one.handle_hash for one in records.values() if one.handle_hash is not None and taker._is_ours(one)}
        taker._handles = {row.handle_hash: row for row in await tx.scans.match(event.id, list(hashes))}
        # before any ticket is locked: recomputing takes milliseconds for each record
        taker._masters = await vault.masters(tx)
        claims = taker._claims(taker._masters)
        taker._proven = await prove(tx, event.id, claims)
        wanted = sorted({row.ticket for row in taker._handles.values()})
        taker._tickets = {one.ticket.id: one for one in await tx.scans.lock_tickets(wanted)}
        taker._proven |= check_tags(claims, taker._tickets)
        for stored in await tx.scans.admissions(wanted):
            taker._seen[stored.ticket].append(seen_before(stored, event.id))
        return taker

    @classmethod
    def knowing(
        cls,
        tx: Unit,
        place: tuple[EventRow, GateRow],
        now: datetime,
        records: Mapping[int, ScanRecord],
        matched: Matched,
    ) -> RecordTaker:
        """Go on from what was read already; the tickets are locked."""
        taker = cls(tx, *place, now, records)
        taker._masters = matched.masters
        taker._handles, taker._tickets, taker._proven = matched.handles, matched.tickets, matched.proven
        for ticket, seen in matched.seen.items():
            taker._seen[ticket] += seen
        return taker

    async def take_fresh(self, lines: Sequence[LogLine]) -> None:
        """Keep records that were made just now, all or none.

        Raises:
            Internal: one of them is stored already.
        """
        if await self._tx.scans.add_all([self._count_in(line) for line in lines]) != len(lines):
            raise Internal(
                "A record that was made a moment ago is stored already: look after the source of randomness."
            )

    async def take_all(self, lines: Sequence[LogLine]) -> None:
        """Keep a batch's records in one statement; where that cannot be done, one by one.

        Raises:
            Unavailable: the database is away; nothing of the batch is kept.
        """
        before = {ticket: list(seen) for ticket, seen in self._seen.items()}
        try:
            async with self._tx.savepoint():
                await self._take_together(lines)
        except Unavailable:
            raise
        except (TicketTokenError, _KeptElsewhere) as problem:
            log.warning("scans.one_by_one", gate=str(self._gate.id), first=lines[0].seq, problem=type(problem).__name__)
            self._seen, self._fresh = defaultdict(list, before), defaultdict(list)
            for line in lines:
                await self.take(line)

    async def _take_together(self, lines: Sequence[LogLine]) -> None:
        taken = await self._tx.scans.known_scans([record.scan for record in self._records.values()])
        rows = []
        for line in lines:
            record = self._records.get(line.seq)
            if record is None or record.scan in taken:
                rows.append(self._unreadable(line))
                continue
            taken.add(record.scan)
            rows.append(self._count_in(line))
        if await self._tx.scans.add_all(rows) != len(rows):
            raise _KeptElsewhere

    async def take(self, line: LogLine) -> None:
        """Keep one record; one that cannot be kept as it is, is kept as bytes that fit nothing.

        Raises:
            Unavailable: the database is away; nothing of the batch is kept.
        """
        record = self._records.get(line.seq)
        handle = self._match(record)
        try:
            if record is not None and await self._keep(line, record, handle):
                return
        except Unavailable:
            raise
        except TicketTokenError as problem:
            log.warning("scans.record_unusable", gate=str(self._gate.id), gate_seq=line.seq, code=problem.code)
        async with self._tx.savepoint():
            await self._tx.scans.add(self._unreadable(line))

    def touched(self) -> Touched:
        """Return what the batch touched, once all its records are taken."""
        return Touched(
            event=self._event,
            gate=self._gate,
            masters=self._masters,
            tickets=self._tickets,
            seen=self._seen,
            fresh=self._fresh,
        )

    def _count_in(self, line: LogLine) -> ScanRow:
        record = self._records[line.seq]
        handle = self._match(record)
        row = self._row(line, record, handle)
        self._count(record, handle, proven=row.proven)
        return row

    async def _keep(self, line: LogLine, record: ScanRecord, handle: HandleRow | None) -> bool:
        row = self._row(line, record, handle)
        async with self._tx.savepoint():
            kept = await self._tx.scans.add(row)
        if not kept:
            log.warning("scans.id_repeated", gate=str(self._gate.id), gate_seq=line.seq, scan=str(record.scan))
            return False
        self._count(record, handle, proven=row.proven)
        return True

    def _count(self, record: ScanRecord, handle: HandleRow | None, *, proven: bool) -> None:
        if handle is not None and record.in_ledger and record.handle_hash is not None:
            seen = seen_of(record, handle, self._gate.id, proven=proven)
            self._seen[handle.ticket].append(seen)
            self._fresh[handle.ticket].append((record.handle_hash, seen))

    def _row(self, line: LogLine, record: ScanRecord, handle: HandleRow | None) -> ScanRow:
        return ScanRow(
            gate=self._gate.id,
            incarnation=line.incarnation,
            gate_seq=line.seq,
            scan=record.scan,
            event=self._event.id,
            ticket=None if handle is None else handle.ticket,
            generation=None if handle is None else handle.generation,
            hlc=record.hlc,
            at=from_unix_ms(record.at_ms),
            received_at=self._now,
            direction=record.direction,
            admitted=record.admitted and record.is_scan,
            reason=record.reason,
            mode=record.mode,
            proven=line.seq in self._proven,
            server_reason=self._judge(line.seq, record, handle),
            body=line.body,
            chain=line.chain,
        )

    def _unreadable(self, line: LogLine) -> ScanRow:
        return ScanRow(
            gate=self._gate.id,
            incarnation=line.incarnation,
            gate_seq=line.seq,
            scan=ScanId(uuid5(line.incarnation, f"{self._gate.id} {line.seq}")),
            event=self._event.id,
            ticket=None,
            generation=None,
            hlc=0,
            at=self._now,
            received_at=self._now,
            direction=self._gate.direction,
            admitted=False,
            reason=Reason.INTERNAL_ERROR,
            mode=Mode.OFFLINE,
            proven=False,
            server_reason=Reason.INTERNAL_ERROR,
            body=line.body,
            chain=line.chain,
        )

    def _judge(self, seq: int, record: ScanRecord, handle: HandleRow | None) -> Reason | None:
        """Return what the rule says of a scan with all that is known now; None where the code itself did not count."""
        if record.handle_hash is None or record.reason in _CODE_REASONS or not record.is_scan:
            return None
        if handle is None:
            return Reason.UNKNOWN_TICKET if self._is_ours(record) else Reason.WRONG_EVENT
        if record.proof is not None and seq not in self._proven:
            return Reason.CODE_FORGED
        mark = order_key(judged_admission(record, self._gate.id, proven=True))
        before = [one for one in self._seen[handle.ticket] if order_key(one.admission) < mark]
        place = Place(
            gate=self._gate.id,
            direction=record.direction,
            zones=self._gate.zones,
            products=self._gate.products,
            online=record.mode is Mode.ONLINE,
        )
        facts = self._facts(record, handle)
        policy = self._event.policy
        presence = fold([one.admission for one in before], policy.double_read_s, generations_in(before))
        return decide(facts, presence, policy, place, from_unix_ms(record.at_ms)).reason

    def _facts(self, record: ScanRecord, handle: HandleRow) -> Facts:
        locked = self._tickets[handle.ticket]
        ticket, kind = locked.ticket, locked.ticket_type
        return Facts(
            known=True,
            superseded=handle.generation < ticket.generation,
            state=ticket.state,
            locked=ticket.locked is not None,
            product=kind.product,
            zones=kind.zones,
            valid_from=ticket.valid_from,
            valid_until=ticket.valid_until,
            entries=kind.entries,
            code_policy=CodePolicy(kind.code_policy),
            static_code=record.proof is None,
        )

    def _match(self, record: ScanRecord | None) -> HandleRow | None:
        if record is None or record.handle_hash is None or not self._is_ours(record):
            return None
        return self._handles.get(record.handle_hash)

    def _is_ours(self, record: ScanRecord) -> bool:
        return record.event is None or record.event == self._event.id

    def _claims(self, masters: MasterSecrets) -> list[Claim]:
        """Return what can be recomputed: without the master that made a code, nothing is shown by it."""
        claims = []
        for seq, record in self._records.items():
            handle = self._match(record)
            master = None if handle is None else masters.secrets.get(handle.master)
            if handle is not None and master is not None:
                claims.append(Claim(seq=seq, record=record, handle=handle, master=master))
        return claims
