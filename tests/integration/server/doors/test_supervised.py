"""What supervisors did at the doors, as the server takes it: admissions taken back, and acts that answer nobody."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.services.rows import TicketRow
from server.services.rows_gates import ConflictRow, Tally
from shared.admission.verdict import Reason
from shared.clock import ManualClock
from shared.ids import ScanId
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import ConflictClass
from shared.sync.scan import Override, ScanRecord
from shared.tickets.lifecycle import State
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage

TURNED_BACK = Override(supervisor="s1", reason="guest_turned_back")


async def take_back(gate: PaperGate, ticket: TicketRow, undone: ScanRecord) -> ScanRecord:
    """Write down that a supervisor took an admission back."""
    drafted = await gate.draft(ticket, gate.place.clock.now())
    undo = replace(drafted, admitted=False, reason=Reason.UNDONE, override=TURNED_BACK)
    return gate.write(replace(undo, proof=undone.proof, code_hash=undone.code_hash, undoes=undone.scan))


async def tally(stage: Stage) -> Tally:
    async with stage.db.tenant(stage.tenant) as tx:
        return await tx.scans.tally(stage.event)


async def holding(stage: Stage) -> list[ConflictRow]:
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.conflicts.list_of_event(stage.event, None, 1000)
    return [row for row in rows if row.state != "withdrawn"]


async def test_admission_taken_back_frees_the_ticket_and_is_told_to_other_gates(
    stage: Stage, clock: ManualClock
) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    entered = await north.scan(ticket)
    await north.hand_over()
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN
    clock.advance(timedelta(minutes=3))
    undo = await take_back(north, ticket, entered)
    await north.hand_over()
    figures = await tally(stage)
    assert (await stage.ticket(ticket.id)).state is State.ACTIVE
    assert (figures.entries, figures.tickets_used, figures.scans) == (0, 0, 1)
    clock.advance(timedelta(minutes=5))
    await south.scan(ticket)
    await south.hand_over()
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN
    assert await holding(stage) == []
    await stage.relay_all()
    told = [entry.admission for entry in await stage.feed() if isinstance(entry, AdmissionEntry)]
    assert [(one.scan, one.undoes) for one in told[:2]] == [(entered.scan, None), (undo.scan, entered.scan)]
    async with stage.db.tenant(stage.tenant) as tx:
        by_gate = {gate.name: (gate.entries, gate.refused) for gate in await tx.scans.tally_gates(stage.event)}
        assert await tx.scans.tally_refusals(stage.event) == {}
    assert by_gate == {"North": (0, 0), "South": (1, 0)}


async def test_conflict_goes_when_one_of_its_admissions_is_taken_back(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    await north.scan(ticket)
    await north.hand_over()
    clock.advance(timedelta(seconds=20))
    second = await south.scan(ticket)
    await south.hand_over()
    assert [row.kind for row in await holding(stage)] == [ConflictClass.CLONE]
    await take_back(south, ticket, second)
    await south.hand_over()
    assert await holding(stage) == []
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


@pytest.mark.parametrize("late", [timedelta(minutes=15, milliseconds=1), timedelta(hours=3)])
async def test_admission_taken_back_too_late_stands(stage: Stage, clock: ManualClock, late: timedelta) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    entered = await gate.scan(ticket)
    clock.advance(late)
    await take_back(gate, ticket, entered)
    await gate.hand_over()
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


async def test_one_gate_cannot_take_back_what_another_admitted(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    entered = await north.scan(ticket)
    await north.hand_over()
    clock.advance(timedelta(minutes=1))
    await take_back(south, ticket, entered)
    await south.hand_over()
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


async def test_what_a_supervisor_did_besides_is_kept_and_counts_nowhere(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    drafted = await gate.draft(ticket, stage.clock.now())
    act = Override(supervisor="s1", reason="searched")
    gate.write(replace(drafted, scan=ScanId(uuid4()), reason=Reason.STAFF_ACTION, override=act, proof=None))
    await gate.hand_over()
    figures = await tally(stage)
    assert (figures.entries, figures.scans, figures.tickets_used) == (0, 0, 0)
    assert (await stage.ticket(ticket.id)).state is State.ACTIVE
    async with stage.db.tenant(stage.tenant) as tx:
        [row] = await tx.scans.list_of_event(stage.event, None, 10)
    assert (row.reason, row.admitted, row.server_reason) == (Reason.STAFF_ACTION, False, None)


async def test_stale_admission_that_was_taken_back_is_no_conflict(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    clock.advance(timedelta(minutes=1))
    await stage.move(ticket.id, State.REVOKED)
    clock.advance(timedelta(minutes=1))
    entered = await gate.scan(ticket)
    await gate.hand_over()
    assert [row.kind for row in await holding(stage)] == [ConflictClass.STALE_STATE]
    await take_back(gate, ticket, entered)
    await gate.hand_over()
    assert await holding(stage) == []
    assert (await stage.ticket(ticket.id)).state is State.REVOKED
