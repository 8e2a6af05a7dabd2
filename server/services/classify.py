"""Which of a ticket's admissions were one too many, why, and where its holder is: the same in any order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from server.services.rows import TicketRow, TicketTypeRow
from server.services.rows_gates import Evidence, Staleness, StepRow, Witness
from shared.admission.policy import Policy
from shared.admission.presence import Admission, GenerationOf, Presence, passages
from shared.admission.rule import allowed_entries
from shared.admission.verdict import Direction
from shared.clock import from_unix_ms, unix_ms
from shared.codes.reader import Proof
from shared.ids import ScanId
from shared.sync.ledger import ConflictClass, Surplus, settle
from shared.sync.scan import Mode
from shared.tickets.lifecycle import State

LOCK_SOURCE = "lock"
UNLOCK_SOURCE = "unlock"
"""The ``source`` of the history rows that lock a ticket and free it again; its state stays the same in between."""

_ENDED = frozenset({State.REVOKED, State.REFUNDED, State.CANCELLED, State.EXPIRED})


class Seen(Struct, frozen=True, kw_only=True):
    """One admission of a ticket: of which generation, whether it counts elsewhere, and what was seen and who overrode."""

    admission: Admission
    generation: int
    counts: bool
    proof: Proof | None
    supervisor: str | None


class TicketCase(Struct, frozen=True, kw_only=True):
    """All there is to know about one ticket's admissions."""

    ticket: TicketRow
    ticket_type: TicketTypeRow
    policy: Policy
    seen: Sequence[Seen]
    steps: Sequence[StepRow]


class Finding(Struct, frozen=True, kw_only=True):
    """A conflict as the facts show it."""

    scan: ScanId
    earlier: ScanId | None
    kind: ConflictClass
    evidence: Evidence


def find_conflicts(case: TicketCase) -> list[Finding]:
    """Return the ticket's conflicts, one at most for each admission; depends on the set of admissions only."""
    standing = {(one.gate, one.scan) for one in passages(seen.admission for seen in case.seen)}
    by_scan = {one.admission.scan: one for one in case.seen if (one.admission.gate, one.admission.scan) in standing}
    surplus = {one.admission.scan: one for one in _settle(case, case.seen)[1]}
    findings = []
    for scan in sorted(by_scan):
        one = by_scan[scan]
        stale = _find_staleness(one, case.steps)
        extra = surplus.get(scan)
        kind = _choose(one, extra, stale)
        if kind is not None:
            earlier = None if extra is None else by_scan[extra.earlier.scan]
            findings.append(
                Finding(
                    scan=scan,
                    earlier=None if earlier is None else earlier.admission.scan,
                    kind=kind,
                    evidence=Evidence(
                        scan=_witness(one), earlier=None if earlier is None else _witness(earlier), stale=stale
                    ),
                )
            )
    return findings


def find_presence(case: TicketCase) -> Presence:
    """Return where the holder is, from the admissions that count everywhere."""
    return _settle(case, [one for one in case.seen if one.counts])[0]


def was_taken_back(case: TicketCase) -> bool:
    """Return whether an admission that counted everywhere was taken back by a supervisor at its gate."""
    counted = [one.admission for one in case.seen if one.counts]
    return len(passages(counted)) < len({(one.gate, one.scan) for one in counted if one.undoes is None})


def generations_in(seen: Iterable[Seen]) -> GenerationOf:
    """Return by what the ledger tells which of these admissions were of one generation."""
    known = {(one.admission.gate, one.admission.scan): one.generation for one in seen}
    return lambda admission: known[admission.gate, admission.scan]


def _settle(case: TicketCase, seen: Sequence[Seen]) -> tuple[Presence, tuple[Surplus, ...]]:
    allowed = allowed_entries(case.ticket_type.entries, case.policy)
    ledger = settle(
        [one.admission for one in seen],
        allowed,
        double_read_s=case.policy.double_read_s,
        generation_of=generations_in(seen),
    )
    return ledger.presence, ledger.surplus


def _choose(seen: Seen, surplus: Surplus | None, stale: Staleness | None) -> ConflictClass | None:
    if stale is not None and seen.admission.override:
        return ConflictClass.OVERRIDDEN
    if surplus is None:
        return None if stale is None else ConflictClass.STALE_STATE
    if stale is None or surplus.kind is ConflictClass.OVERRIDDEN:
        return surplus.kind
    # Two phones with live codes are explained where the ticket changed hands; otherwise the copy is the graver finding.
    changed_hands = stale.generation > seen.generation
    return surplus.kind if surplus.kind is ConflictClass.CLONE and not changed_hands else ConflictClass.STALE_STATE


def _find_staleness(seen: Seen, steps: Sequence[StepRow]) -> Staleness | None:
    """Return what had become of the ticket before it was let in, by the server's history; None while it was good."""
    if seen.admission.direction is Direction.EXIT:
        return None
    at = from_unix_ms(seen.admission.at_ms)
    before = [step for step in steps if step.at <= at]
    since = _ended_at(before) or _replaced_at(before, seen.generation) or _locked_at(before)
    if since is None:
        return None
    last = before[-1]
    return Staleness(state=last.to_state, generation=last.generation, since_ms=unix_ms(since))


def _ended_at(before: Sequence[StepRow]) -> datetime | None:
    return before[-1].at if before and before[-1].to_state in _ENDED else None


def _replaced_at(before: Sequence[StepRow], generation: int) -> datetime | None:
    return next((step.at for step in before if step.generation > generation), None)


def _locked_at(before: Sequence[StepRow]) -> datetime | None:
    since = None
    for step in before:
        if step.source in {LOCK_SOURCE, UNLOCK_SOURCE}:
            since = step.at if step.source == LOCK_SOURCE else None
    return since


def _witness(seen: Seen) -> Witness:
    admission = seen.admission
    return Witness(
        scan=admission.scan,
        gate=admission.gate,
        at_ms=admission.at_ms,
        unsure_ms=admission.unsure_ms,
        mode=Mode.ONLINE if admission.online else Mode.OFFLINE,
        feed_seq=admission.feed_seq,
        proven=admission.proven,
        generation=seen.generation,
        epoch=None if seen.proof is None else seen.proof.epoch,
        slot=None if seen.proof is None else seen.proof.slot,
        supervisor=seen.supervisor,
    )
