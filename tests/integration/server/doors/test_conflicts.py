"""What several gates' logs prove together, in whatever order they arrive."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from msgspec import Struct
from msgspec.structs import replace

from server.services.classify import LOCK_SOURCE
from server.services.rows import HistoryRow
from server.services.rows_gates import ConflictRow, Tally
from shared.admission.verdict import Direction, Reason
from shared.clock import ManualClock
from shared.ids import ScanId
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import ConflictClass, Severity
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.doors.paper_gate import OVERRIDE, PaperGate
from tests.integration.server.doors.stage import EVENING, ORGANISER, Stage, open_policy, open_stage, set_up


async def conflicts(stage: Stage) -> list[ConflictRow]:
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.conflicts.list_of_event(stage.event, None, 1000)
    return sorted(rows, key=lambda row: row.scan)


async def holding(stage: Stage) -> list[ConflictRow]:
    return [row for row in await conflicts(stage) if row.state != "withdrawn"]


async def tally(stage: Stage) -> Tally:
    async with stage.db.tenant(stage.tenant) as tx:
        return await tx.scans.tally(stage.event)


async def test_two_gates_within_seconds_with_live_codes_is_a_clone(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    first = await north.scan(ticket)
    clock.advance(timedelta(seconds=20))
    second = await south.scan(ticket)
    await north.hand_over()
    await south.hand_over()
    [conflict] = await holding(stage)
    assert (conflict.kind, conflict.severity, conflict.state) == (ConflictClass.CLONE, Severity.HIGH, "open")
    assert (conflict.scan, conflict.earlier, conflict.ticket) == (second.scan, first.scan, ticket.id)
    evidence = conflict.evidence
    assert evidence.earlier is not None
    assert (evidence.earlier.gate, evidence.scan.gate) == (north.id, south.id)
    assert evidence.scan.proven
    assert evidence.earlier.slot is not None
    assert evidence.scan.slot == evidence.earlier.slot + 1


async def test_two_gates_minutes_apart_is_a_race(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    await north.scan(ticket)
    clock.advance(timedelta(minutes=20))
    await south.scan(ticket)
    await north.hand_over()
    await south.hand_over()
    [conflict] = await holding(stage)
    assert (conflict.kind, conflict.severity) == (ConflictClass.RACE, Severity.LOW)


async def test_admission_without_proof_is_for_staff_to_explain(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    await north.scan(ticket)
    clock.advance(timedelta(seconds=20))
    await south.scan(ticket, proof=None)
    await north.hand_over()
    await south.hand_over()
    [conflict] = await holding(stage)
    assert conflict.kind is ConflictClass.STAFF_ERROR


async def test_supervisors_decision_is_on_record_and_closed(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    clock.advance(timedelta(minutes=2))
    await gate.scan(ticket, override=OVERRIDE)
    await gate.hand_over()
    [conflict] = await holding(stage)
    assert (conflict.kind, conflict.state) == (ConflictClass.OVERRIDDEN, "resolved")
    assert conflict.evidence.scan.supervisor == "s1"


@pytest.mark.parametrize("to", [State.REVOKED, State.REFUNDED, State.CANCELLED])
async def test_ticket_that_had_ended_before_it_was_let_in_is_stale(stage: Stage, clock: ManualClock, to: State) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    clock.advance(timedelta(minutes=1))
    ended = clock.now()
    await stage.move(ticket.id, to)
    clock.advance(timedelta(minutes=5))
    record = await gate.scan(ticket)
    await gate.hand_over()
    [conflict] = await holding(stage)
    assert (conflict.kind, conflict.scan, conflict.earlier) == (ConflictClass.STALE_STATE, record.scan, None)
    assert conflict.evidence.stale is not None
    assert conflict.evidence.stale.state is to
    assert conflict.evidence.stale.since_ms == int(ended.timestamp() * 1000)
    assert (await stage.ticket(ticket.id)).state is to


async def test_ticket_that_ended_after_it_was_let_in_is_no_conflict(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    clock.advance(timedelta(minutes=5))
    await stage.move(ticket.id, State.REVOKED)
    await gate.hand_over()
    assert await conflicts(stage) == []
    assert (await tally(stage)).entries == 1


async def test_old_generation_let_in_after_a_transfer_is_stale(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    clock.advance(timedelta(minutes=1))
    passed_on = await stage.move(ticket.id, State.TRANSFERRED, new_generation=True)
    clock.advance(timedelta(minutes=5))
    old = await north.scan(ticket)
    clock.advance(timedelta(seconds=10))
    await south.scan(passed_on)
    await south.hand_over()
    await north.hand_over()
    kinds = {row.scan: row.kind for row in await holding(stage)}
    assert kinds[old.scan] is ConflictClass.STALE_STATE
    stale = next(row.evidence.stale for row in await holding(stage) if row.scan == old.scan)
    assert stale is not None
    assert stale.generation == 1


async def test_locked_ticket_let_in_is_stale(stage: Stage, clock: ManualClock) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    clock.advance(timedelta(minutes=1))
    locked = replace(ticket, locked="dispute", version=ticket.version + 1)
    row = HistoryRow(
        ticket=ticket.id,
        version=locked.version,
        from_state=ticket.state,
        to_state=ticket.state,
        generation=ticket.generation,
        actor=ORGANISER,
        reason="dispute",
        source=LOCK_SOURCE,
        at=clock.now(),
    )
    async with stage.db.tenant(stage.tenant) as tx:
        assert await tx.tickets.step(ticket, locked, clock.now())
        await tx.tickets.add_history([row])
    clock.advance(timedelta(minutes=1))
    await gate.scan(ticket)
    await gate.hand_over()
    [conflict] = await holding(stage)
    assert conflict.kind is ConflictClass.STALE_STATE


async def test_conflict_is_withdrawn_when_a_late_exit_explains_it(database: Databases, clock: ManualClock) -> None:
    async with open_stage(database, clock, open_policy(exits=True, re_entries=None)) as stage:
        [ticket] = await stage.issue(1)
        north, south = await stage.enrol("North"), await stage.enrol("South")
        out = await stage.enrol("Out", Direction.EXIT)
        await north.scan(ticket)
        clock.advance(timedelta(minutes=30))
        await out.scan(ticket, reason=Reason.EXIT_OK)
        clock.advance(timedelta(minutes=30))
        await south.scan(ticket, reason=Reason.OK_REENTRY)
        await north.hand_over()
        await south.hand_over()
        [conflict] = await holding(stage)
        assert conflict.kind is ConflictClass.RACE
        await out.hand_over()
        assert await holding(stage) == []
        assert [row.state for row in await conflicts(stage)] == ["withdrawn"]
        assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_of_arrival_gives_the_same_conflicts_counts_and_states(stage: Stage, seed: int) -> None:
    """Gates cut off all evening; their logs come gate by gate in either order, and interleaved in pieces."""
    outcomes = [await play(stage, seed, order) for order in range(3)]
    assert outcomes[0].conflicts
    assert outcomes[1] == outcomes[0]
    assert outcomes[2] == outcomes[0]


class Performed(Struct, frozen=True, kw_only=True):
    """What is true after an evening, in names that do not depend on ids."""

    conflicts: list[tuple[str, str, str | None, bool]]
    tally: Tally
    states: list[State]
    markers: list[str]


async def play(stage: Stage, seed: int, order: int) -> Performed:
    """Perform the evening of a seed in an event of its own, hand the logs over in one of three orders."""
    there = await set_up(stage.db, ManualClock(EVENING), open_policy(exits=True, re_entries=1))
    chance = random.Random(seed)  # noqa: S311 - the same evening three times
    tickets = await there.issue(5)
    gates = [await there.enrol("North"), await there.enrol("South"), await there.enrol("Out", Direction.EXIT)]
    names: dict[ScanId, str] = {}
    for number in range(24):
        there.clock.advance(timedelta(seconds=chance.choice([3, 20, 45, 400])))
        ticket, gate = chance.choice(tickets), chance.choice(gates)
        proof = {"proof": None} if chance.random() < 0.15 else {}
        record = await gate.scan(ticket, **proof)
        names[record.scan] = f"{gate.row.name} {number}"
        if number == 12:
            await there.move(tickets[0].id, State.REVOKED)
            await there.move(tickets[1].id, State.TRANSFERRED, new_generation=True)
    await hand_over_in(order, gates)
    found = await holding(there)
    await there.relay_all()
    markers = [entry.admission.scan for entry in await there.feed() if isinstance(entry, AdmissionEntry)]
    return Performed(
        conflicts=sorted(
            (
                names[row.scan],
                row.kind.value,
                None if row.earlier is None else names[row.earlier],
                row.evidence.stale is not None,
            )
            for row in found
        ),
        tally=await tally(there),
        states=[(await there.ticket(ticket.id)).state for ticket in tickets],
        markers=sorted(names[scan] for scan in markers),
    )


async def hand_over_in(order: int, gates: list[PaperGate]) -> None:
    if order < 2:
        for gate in gates if order == 0 else reversed(gates):
            await gate.hand_over()
        return
    for at in range(1, 25, 3):
        for gate in gates:
            if at <= len(gate.bodies):
                await gate.hand_over(at, min(at + 2, len(gate.bodies)))
