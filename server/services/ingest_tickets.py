"""After a batch's records are kept: what they mean for each ticket, its conflicts, its state, and for other gates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

import structlog
from msgspec import Struct

from server.services.classify import Finding, TicketCase, find_conflicts, find_presence, was_taken_back
from server.services.hot_list import watching_hot_list
from server.services.ingest_lines import Past, Touched
from server.services.keys import MasterSecrets
from server.services.ports import Unit
from server.services.rows import ActorRef, TicketRow
from server.services.rows_gates import ConflictRow
from server.services.transition import Move, move_known
from shared.ids import ConflictId, EventId, ScanId, TicketId
from shared.problems import TicketTokenError, Unavailable
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import SEVERITY, ConflictClass
from shared.tickets.lifecycle import ADMISSIBLE, Actor, State

SOURCE = "scan"
_STAYS = frozenset({"open", "acknowledged", "resolved"})

log = structlog.get_logger()


class _Known(Struct, frozen=True, kw_only=True):
    case: TicketCase
    conflicts: Sequence[ConflictRow]


class _Settling(Struct, frozen=True, kw_only=True, eq=False):
    tx: Unit
    masters: MasterSecrets
    event: EventId
    gate: str
    now: datetime


async def settle_tickets(tx: Unit, batch: Touched, now: datetime) -> None:
    """Bring the tickets of newly taken admissions up to date and tell the other gates.

    All tickets together; should one be impossible to change, each under a savepoint of its own. Scans are kept all the same.

    Raises:
        Unavailable: the database is away.
    """
    touched = sorted(batch.fresh)
    if not touched:
        return
    await tx.outbox.append(batch.event.id, _tell_others(batch))
    past = Past(steps=await tx.scans.steps(touched), conflicts=await tx.conflicts.of_tickets(touched))
    cases, settling = _cases(batch, touched, past), _settling(tx, batch, now)
    try:
        async with tx.savepoint():
            await _settle(settling, cases)
    except Unavailable:
        raise
    except TicketTokenError as problem:
        log.warning("scans.tickets_one_by_one", tickets=len(cases), code=problem.code)
        for known in cases:
            await _settle_alone(settling, known)


async def settle_fresh(tx: Unit, batch: Touched, past: Past, now: datetime) -> dict[TicketId, TicketRow]:
    """Do the same all or none with a past that is known already, and return the tickets that changed.

    Raises:
        TicketTokenError: one of them cannot be changed; the transaction is to be given up.
    """
    touched = sorted(batch.fresh)
    if not touched:
        return {}
    await tx.outbox.append(batch.event.id, _tell_others(batch))
    return await _settle(_settling(tx, batch, now), _cases(batch, touched, past))


def _settling(tx: Unit, batch: Touched, now: datetime) -> _Settling:
    return _Settling(tx=tx, masters=batch.masters, event=batch.event.id, gate=str(batch.gate.id), now=now)


def _tell_others(batch: Touched) -> list[AdmissionEntry]:
    return [
        AdmissionEntry(seq=0, handle_hash=handle_hash, admission=seen.admission)
        for ticket in sorted(batch.fresh)
        for handle_hash, seen in batch.fresh[ticket]
        if seen.counts
    ]


def _cases(batch: Touched, touched: Sequence[TicketId], past: Past) -> list[_Known]:
    steps_of, conflicts_of = defaultdict(list), defaultdict(list)
    for step in past.steps:
        steps_of[step.ticket].append(step)
    for one in past.conflicts:
        conflicts_of[one.ticket].append(one)
    return [
        _Known(
            case=TicketCase(
                ticket=batch.tickets[ticket].ticket,
                ticket_type=batch.tickets[ticket].ticket_type,
                policy=batch.event.policy,
                seen=batch.seen[ticket],
                steps=steps_of[ticket],
            ),
            conflicts=conflicts_of[ticket],
        )
        for ticket in touched
    ]


async def _settle_alone(settling: _Settling, known: _Known) -> None:
    try:
        async with settling.tx.savepoint():
            await _settle(settling, [known])
    except Unavailable:
        raise
    except TicketTokenError as problem:
        log.warning("scans.ticket_unsettled", ticket=str(known.case.ticket.id), code=problem.code)


async def _settle(settling: _Settling, cases: Sequence[_Known]) -> dict[TicketId, TicketRow]:
    """Write what these tickets' admissions mean, in a number of statements that does not depend on how many they are."""
    tx, now = settling.tx, settling.now
    found: list[ConflictRow] = []
    gone: list[ScanId] = []
    targets: defaultdict[State, list[TicketCase]] = defaultdict(list)
    for known in cases:
        fresh, withdrawn = _compare_conflicts(known, now)
        found += fresh
        gone += withdrawn
        target = _find_target(known.case)
        if target is not None:
            targets[target].append(known.case)
    async with watching_hot_list(tx, settling.event, _perhaps_copied(cases, found)):
        await tx.conflicts.keep_all(found)
        if gone:
            await tx.conflicts.withdraw(gone, now)
    changed: dict[TicketId, TicketRow] = {}
    for target, moved in targets.items():
        move = Move(to=target, actor=ActorRef(kind=Actor.GATE, id=settling.gate), source=SOURCE, now=now)
        types = {case.ticket_type.id: case.ticket_type for case in moved}
        after = await move_known(tx, settling.masters, [case.ticket for case in moved], list(types.values()), move)
        changed |= {one.id: one for one in after}
    return changed


def _perhaps_copied(cases: Sequence[_Known], found: Sequence[ConflictRow]) -> list[TicketId]:
    """Return the tickets that are on the hot list, come onto it or leave it."""
    known = [one for case in cases for one in case.conflicts]
    return sorted({one.ticket for one in (*known, *found) if one.kind is ConflictClass.CLONE})


def _compare_conflicts(known: _Known, now: datetime) -> tuple[list[ConflictRow], list[ScanId]]:
    """Return the conflicts to be kept, and the scans whose conflicts hold no longer."""
    found = [_conflict(known.case, finding, now) for finding in find_conflicts(known.case)]
    kept = {one.scan: one for one in known.conflicts if one.state in _STAYS}
    fresh = [row for row in found if not _says_the_same(kept.get(row.scan), row)]
    return fresh, sorted(set(kept) - {row.scan for row in found})


def _find_target(case: TicketCase) -> State | None:
    """Return the state the admissions ask for; None where the ticket has it, or is past being moved by a gate."""
    presence = find_presence(case)
    if presence.inside and case.ticket.state in ADMISSIBLE:
        return State.CHECKED_IN
    # of an exit the last passage tells nothing: its entry may sort after it, where two gates' clocks differ
    left = not presence.inside and (presence.exits > 0 or was_taken_back(case))
    if not left or case.ticket.state is not State.CHECKED_IN:
        return None
    before = [step.from_state for step in case.steps if step.to_state is State.CHECKED_IN]
    return before[-1] if before and before[-1] in ADMISSIBLE else State.ACTIVE


def _conflict(case: TicketCase, finding: Finding, now: datetime) -> ConflictRow:
    return ConflictRow(
        # derived, so that the same facts give the same row in whatever order they came
        id=ConflictId(uuid5(finding.scan, "conflict")),
        event=case.ticket.event,
        ticket=case.ticket.id,
        scan=finding.scan,
        earlier=finding.earlier,
        kind=finding.kind,
        severity=SEVERITY[finding.kind],
        # a supervisor's decision needs nobody's attention any more; it stays on record
        state="resolved" if finding.kind is ConflictClass.OVERRIDDEN else "open",
        resolution=None,
        evidence=finding.evidence,
        created_at=now,
        updated_at=now,
    )


def _says_the_same(kept: ConflictRow | None, row: ConflictRow) -> bool:
    return kept is not None and (kept.kind, kept.earlier, kept.evidence) == (row.kind, row.earlier, row.evidence)
