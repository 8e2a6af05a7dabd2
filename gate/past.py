"""What this gate's log says of the last hours: each record, what became of it, and what can still be done about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from gate.overrule import REMEMBERED_S
from gate.staff import Ending, Past, Remedy
from shared.admission.override import may_override
from shared.admission.presence import UNDO_WITHIN_MS
from shared.clock import from_unix_ms
from shared.ids import ScanId
from shared.sync.scan import ScanRecord


def undoing(records: Sequence[ScanRecord]) -> dict[ScanId, ScanRecord]:
    """Return the records that take an admission back, by the admission's id."""
    return {record.takes_back: record for record in records if record.takes_back is not None}


def can_be_taken_back(record: ScanRecord, gone: Mapping[ScanId, ScanRecord], now_ms: int) -> bool:
    """Say whether a record let somebody pass lately and that still stands."""
    passed = record.admitted and record.handle_hash is not None
    return passed and record.scan not in gone and record.at_ms >= now_ms - UNDO_WITHIN_MS


class _Later(Struct, kw_only=True):
    """What the records after the one that is told say: admissions taken back, and each ticket's next admission."""

    gone: Mapping[ScanId, ScanRecord]
    let_in: dict[bytes, ScanRecord]


def tell_past(records: Sequence[ScanRecord], now_ms: int) -> tuple[Past, ...]:
    """Return each record with its ending; both are newest first."""
    later = _Later(gone=undoing(records), let_in={})
    told: list[Past] = []
    for record in records:
        told.append(_tell(record, later, now_ms))
        if record.admitted and record.handle_hash is not None and record.scan not in later.gone:
            later.let_in[record.handle_hash] = record
    return tuple(told)


def _tell(record: ScanRecord, later: _Later, now_ms: int) -> Past:
    end = _find_end(record, later)
    return Past(
        scan=record.scan,
        gate_seq=record.gate_seq,
        at=from_unix_ms(record.at_ms),
        reason=record.reason,
        code_id=record.code_hash.hex(),
        why=None if record.override is None else record.override.reason,
        ending=_name_end(end),
        ended_at=None if end is None else from_unix_ms(end.at_ms),
        ended_why=None if end is None or end.override is None else end.override.reason,
        remedy=_find_remedy(record, end, later, now_ms),
    )


def _find_end(record: ScanRecord, later: _Later) -> ScanRecord | None:
    if not record.is_scan:
        return None
    if record.admitted:
        return later.gone.get(record.scan)
    after = later.let_in.get(record.handle_hash) if record.handle_hash is not None else None
    return after if after is not None and after.direction is record.direction else None


def _name_end(end: ScanRecord | None) -> Ending:
    if end is None:
        return Ending.STANDS
    if end.takes_back is not None:
        return Ending.TAKEN_BACK
    return Ending.LET_IN_LATER if end.override is None else Ending.LET_IN_BY_SUPERVISOR


def _find_remedy(record: ScanRecord, end: ScanRecord | None, later: _Later, now_ms: int) -> Remedy | None:
    if not record.is_scan or end is not None:
        return None
    if record.admitted:
        return Remedy.UNDO if can_be_taken_back(record, later.gone, now_ms) else None
    fresh = record.at_ms >= now_ms - REMEMBERED_S * 1000
    return Remedy.OVERRIDE if fresh and may_override(record.reason) else None
