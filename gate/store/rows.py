"""Feed entries as rows of the gate's database and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, assert_never
from uuid import UUID

from msgspec import Struct

from gate.store.opening import Row
from shared.admission.policy import Policy
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.ids import GateId, ScanId
from shared.sync.feed import AdmissionEntry, FeedEntry, GateEntry, HotEntry, PolicyEntry, TicketEntry, TombstoneEntry
from shared.tickets.lifecycle import State


class EntryGroups(Struct, frozen=True, kw_only=True):
    """Entries by the table they go to; the order among tables means nothing, since each row carries its version."""

    tickets: list[Row]
    tombstones: list[Row]
    admissions: list[Row]
    gates: list[Row]
    policies: list[Policy]
    hot: list[Row]


def group_entries(entries: Iterable[FeedEntry]) -> EntryGroups:
    """Return entries as rows for each table."""
    groups = EntryGroups(tickets=[], tombstones=[], admissions=[], gates=[], policies=[], hot=[])
    for entry in entries:
        match entry:
            case TicketEntry():
                groups.tickets.append(_ticket_row(entry))
            case TombstoneEntry():
                groups.tombstones.append((entry.handle_hash, entry.seq, entry.version))
            case AdmissionEntry():
                groups.admissions.append(_admission_row(entry))
            case GateEntry():
                groups.gates.append((entry.gate.bytes, entry.seq, entry.name, int(entry.revoked)))
            case PolicyEntry():
                groups.policies.append(entry.policy)
            case HotEntry():
                groups.hot.append((entry.handle_hash, entry.seq, int(entry.hot)))
            case _:
                assert_never(entry)
    return groups


def read_ticket(handle_hash: bytes, columns: Sequence[Any]) -> TicketEntry:
    """Return a ticket row, whose columns follow ``find_ticket``."""
    seq, version, state, generation, product, zones, locked, entries, code_policy, opens_ms, closes_ms, sealed = columns
    return TicketEntry(
        seq=seq,
        handle_hash=handle_hash,
        version=version,
        state=State(state),
        generation=generation,
        product=product,
        zones=zones,
        locked=bool(locked),
        entries=entries,
        code_policy=code_policy,
        valid_from_ms=opens_ms,
        valid_until_ms=closes_ms,
        sealed=sealed,
    )


def read_admission(columns: Sequence[Any]) -> Admission:
    """Return an admission row, whose columns follow ``find_admissions``."""
    scan, gate, gate_seq, hlc, at_ms, unsure_ms, direction, proven, feed_seq, online, override, undoes = columns
    return Admission(
        scan=ScanId(UUID(bytes=scan)),
        gate=GateId(UUID(bytes=gate)),
        gate_seq=gate_seq,
        hlc=hlc,
        at_ms=at_ms,
        unsure_ms=unsure_ms,
        direction=Direction(direction),
        proven=bool(proven),
        feed_seq=feed_seq,
        online=bool(online),
        override=bool(override),
        undoes=None if undoes is None else ScanId(UUID(bytes=undoes)),
    )


def _ticket_row(entry: TicketEntry) -> Row:
    return (
        entry.handle_hash,
        entry.seq,
        entry.version,
        entry.state.value,
        entry.generation,
        entry.product,
        entry.zones,
        int(entry.locked),
        entry.entries,
        entry.code_policy,
        entry.valid_from_ms,
        entry.valid_until_ms,
        entry.sealed,
    )


def _admission_row(entry: AdmissionEntry) -> Row:
    admission = entry.admission
    return (
        entry.handle_hash,
        admission.scan.bytes,
        admission.gate.bytes,
        admission.gate_seq,
        admission.hlc,
        admission.at_ms,
        admission.unsure_ms,
        admission.direction.value,
        int(admission.proven),
        admission.feed_seq,
        int(admission.online),
        int(admission.override),
        None if admission.undoes is None else admission.undoes.bytes,
    )
