"""What travels between the steps of taking a gate's records: lines, what is known of their tickets, what they touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from server.services.classify import Seen
from server.services.keys import MasterSecrets
from server.services.marking import counts_elsewhere, judged_admission
from server.services.rows import EventRow, HandleRow
from server.services.rows_gates import ConflictRow, GateRow, LockedTicket, StepRow, StoredAdmission
from shared.ids import EventId, GateId, IncarnationId, TicketId
from shared.problems import CodeMalformed
from shared.sync.scan import ScanRecord, decode_record


class LogLine(Struct, frozen=True, kw_only=True):
    """A record as it travelled, its number in the log and the chain's hash after it."""

    incarnation: IncarnationId
    seq: int
    body: bytes
    chain: bytes


class Matched(Struct, frozen=True, kw_only=True):
    """What is known of a batch before its records are kept: tickets by hash, locked, what was proven, and who was let in."""

    masters: MasterSecrets
    handles: Mapping[bytes, HandleRow]
    tickets: Mapping[TicketId, LockedTicket]
    proven: frozenset[int]
    """The numbers of the records whose proof was recomputed."""
    seen: Mapping[TicketId, Sequence[Seen]]


class Past(Struct, frozen=True, kw_only=True):
    """What was written of tickets before: their histories, and all their conflicts."""

    steps: Sequence[StepRow]
    conflicts: Sequence[ConflictRow]


class Touched(Struct, frozen=True, kw_only=True):
    """What a batch touches: the event, the gate, its tickets locked, and all their admissions, new ones included."""

    event: EventRow
    gate: GateRow
    masters: MasterSecrets
    tickets: Mapping[TicketId, LockedTicket]
    seen: Mapping[TicketId, list[Seen]]
    fresh: Mapping[TicketId, list[tuple[bytes, Seen]]]


def seen_of(record: ScanRecord, handle: HandleRow, gate: GateId, *, proven: bool) -> Seen:
    """Return what a record that is in the ledger says of its ticket's generation."""
    return Seen(
        admission=judged_admission(record, gate, proven=proven),
        generation=handle.generation,
        counts=counts_elsewhere(record, gate, proven=proven),
        proof=record.proof,
        supervisor=None if record.override is None else record.override.supervisor,
    )


def read_record(line: LogLine) -> ScanRecord | None:
    """Return what a line says; None when it is no record this version knows, or bears another's number."""
    try:
        record = decode_record(line.body)
    except CodeMalformed:
        return None
    return record if record.gate_seq == line.seq else None


def seen_before(stored: StoredAdmission, event: EventId) -> Seen:
    """Return what a stored admission says of its ticket's generation."""
    handle = HandleRow(event=event, handle_hash=b"", ticket=stored.ticket, generation=stored.generation)
    return seen_of(decode_record(stored.body), handle, stored.gate, proven=stored.proven)
