"""After a batch's records are kept: what they mean for each ticket, its conflicts, its state, and for other gates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

import structlog
from msgspec import Struct

from server.services.classify import Finding, TicketCase, find_conflicts, find_presence, was_taken_back
from server.services.ingest_records import Touched
from server.services.keys import KeyVault
from server.services.ports import Unit
from server.services.rows import ActorRef
from server.services.rows_gates import ConflictRow, StepRow
from server.services.transition import Move, move_ticket
from shared.ids import ConflictId, TicketId
from shared.problems import TicketTokenError, Unavailable
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import SEVERITY, ConflictClass
from shared.tickets.lifecycle import ADMISSIBLE, Actor, State

SOURCE = "scan"
_STAYS = frozenset({"open", "acknowledged", "resolved"})

log = structlog.get_logger()


class _Known(Struct, frozen=True, kw_only=True):
    steps: Sequence[StepRow]
    conflicts: Sequence[ConflictRow]


async def settle_tickets(tx: Unit, vault: KeyVault, batch: Touched, now: datetime) -> None:
    """Bring the tickets of newly taken admissions up to date and tell the other gates.

    Each ticket has a savepoint of its own: should one be impossible to change, its scans are kept all the same.

    Raises:
        Unavailable: the database is away.
    """
    touched = sorted(batch.fresh)
    await tx.outbox.append(batch.event.id, _tell_others(batch))
    steps = await tx.scans.steps(touched)
    conflicts = await tx.conflicts.of_tickets(touched)
    for ticket in touched:
        known = _Known(
            steps=[step for step in steps if step.ticket == ticket],
            conflicts=[one for one in conflicts if one.ticket == ticket],
        )
        try:
            async with tx.savepoint():
                case = _case(batch, ticket, known)
                await _settle_conflicts(tx, case, known.conflicts, now)
                await _settle_state(tx, vault, batch, case, now)
        except Unavailable:
            raise
        except TicketTokenError as problem:
            log.warning("scans.ticket_unsettled", ticket=str(ticket), code=problem.code)


def _tell_others(batch: Touched) -> list[AdmissionEntry]:
    return [
        AdmissionEntry(seq=0, handle_hash=handle_hash, admission=seen.admission)
        for ticket in sorted(batch.fresh)
        for handle_hash, seen in batch.fresh[ticket]
        if seen.counts
    ]


def _case(batch: Touched, ticket: TicketId, known: _Known) -> TicketCase:
    locked = batch.tickets[ticket]
    return TicketCase(
        ticket=locked.ticket,
        ticket_type=locked.ticket_type,
        policy=batch.event.policy,
        seen=batch.seen[ticket],
        steps=known.steps,
    )


async def _settle_conflicts(tx: Unit, case: TicketCase, conflicts: Sequence[ConflictRow], now: datetime) -> None:
    found = find_conflicts(case)
    kept = {one.scan: one for one in conflicts if one.state in _STAYS}
    for finding in found:
        row = _conflict(case, finding, now)
        if not _says_the_same(kept.get(finding.scan), row):
            await tx.conflicts.keep(row)
    gone = sorted(set(kept) - {finding.scan for finding in found})
    if gone:
        await tx.conflicts.withdraw(gone, now)


async def _settle_state(tx: Unit, vault: KeyVault, batch: Touched, case: TicketCase, now: datetime) -> None:
    target = _find_target(case)
    if target is not None:
        actor = ActorRef(kind=Actor.GATE, id=str(batch.gate.id))
        await move_ticket(tx, vault, case.ticket, Move(to=target, actor=actor, source=SOURCE, now=now))


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
