"""A batch taken together comes to the same as its records taken one by one, and one bad record stays alone."""

from __future__ import annotations

import random
from datetime import timedelta

import asyncpg
import pytest
from msgspec import Struct
from msgspec.structs import replace

from server.services.rows import TicketRow
from server.services.rows_gates import ScanRow, Tally
from shared.admission.verdict import Direction, Reason
from shared.clock import ManualClock
from shared.ids import ScanId, TicketId
from shared.sync.feed import AdmissionEntry
from shared.sync.scan import ScanRecord, decode_record
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.doors.paper_gate import OVERRIDE, PaperGate
from tests.integration.server.doors.stage import EVENING, Stage, open_policy, open_stage, set_up

ONLY_ALONE = """
CREATE FUNCTION only_alone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) FROM fresh AS one WHERE to_jsonb(one) ->> 'source' IS NULL OR to_jsonb(one) ->> 'source' = 'scan') > 1
  THEN RAISE EXCEPTION 'one at a time' USING ERRCODE = 'check_violation'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER scans_only_alone AFTER INSERT ON scans REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION only_alone();
CREATE TRIGGER history_only_alone AFTER INSERT ON ticket_history REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION only_alone();
"""
"""What makes every statement for several records or tickets fail, so that each is taken alone."""

NOT_THE_THIRD = """
CREATE FUNCTION not_the_third() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.gate_seq = 3 AND NEW.admitted THEN RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER scans_not_the_third BEFORE INSERT ON scans FOR EACH ROW EXECUTE FUNCTION not_the_third();
"""


class Outcome(Struct, frozen=True, kw_only=True):
    """What is true after an evening, in names that do not depend on ids."""

    scans: list[tuple[str, int, str | None, bool, bool, str, str | None]]
    conflicts: list[tuple[str, str, str | None, str]]
    tally: Tally
    states: list[tuple[State, int]]
    told: list[str]


async def alter(database: Databases, script: str) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


@pytest.mark.parametrize("seed", range(4))
async def test_together_alone_and_where_nothing_works_together_come_to_the_same(
    stage: Stage, database: Databases, seed: int
) -> None:
    together = await perform(stage, seed, size=200)
    alone = await perform(stage, seed, size=1)
    in_pieces = await perform(stage, seed, size=7)
    await alter(database, ONLY_ALONE)
    fallen_back = await perform(stage, seed, size=200)
    assert {row[5] for row in together.scans} > {Reason.OK.value, Reason.INTERNAL_ERROR.value}
    assert len(together.conflicts) > 2
    assert alone == together
    assert in_pieces == together
    assert fallen_back == together


async def test_a_record_the_database_does_not_take_stays_alone(database: Databases, clock: ManualClock) -> None:
    async with open_stage(database, clock) as stage:
        tickets = await stage.issue(5)
        gate = await stage.enrol()
        for ticket in tickets:
            await gate.scan(ticket)
        await alter(database, NOT_THE_THIRD)
        receipt = await gate.hand_over()
        assert (receipt.ack.upto, receipt.taken) == (5, 5)
        rows = await scans_of(stage)
        assert [row.body for row in rows] == gate.bodies
        assert [row.ticket for row in rows] == [None if ticket is tickets[2] else ticket.id for ticket in tickets]
        states = [(await stage.ticket(ticket.id)).state for ticket in tickets]
        assert [state is State.CHECKED_IN for state in states] == [True, True, False, True, True]


async def scans_of(stage: Stage) -> list[ScanRow]:
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.scans.list_of_event(stage.event, None, 1000)
    return sorted(rows, key=lambda row: (row.gate.bytes, row.gate_seq))


async def perform(stage: Stage, seed: int, *, size: int) -> Outcome:
    """Perform the evening of a seed in an event of its own, and hand the logs over in batches of a size."""
    there = await set_up(stage.db, ManualClock(EVENING), open_policy(exits=True, re_entries=2))
    chance = random.Random(seed)  # noqa: S311 - the same evening each time
    tickets = await there.issue(4)
    gates = [await there.enrol("North"), await there.enrol("South"), await there.enrol("Out", Direction.EXIT)]
    names: dict[ScanId, str] = {}
    for number in range(36):
        there.clock.advance(timedelta(seconds=chance.choice([2, 20, 45, 400])))
        ticket, gate = chance.choice(tickets), chance.choice(gates)
        before = len(gate.bodies)
        await write_something(chance, there, gate, ticket)
        names = {record.scan: f"{gate.row.name} {number}" for record in read_log(gate, before)} | names
        if number == 18:
            await there.move(tickets[0].id, State.REVOKED)
            await there.move(tickets[1].id, State.TRANSFERRED, new_generation=True)
    for gate in gates:
        for first in range(1, len(gate.bodies) + 1, size):
            await gate.hand_over(first, min(first + size - 1, len(gate.bodies)))
    return await look(there, gates, tickets=[ticket.id for ticket in tickets], names=names)


async def write_something(chance: random.Random, there: Stage, gate: PaperGate, ticket: TicketRow) -> None:
    """Append a record of some kind to a gate's log: mostly good ones."""
    record = replace(await gate.draft(ticket, there.clock.now()), code_hash=bytes(8))
    admitted = [one for one in read_log(gate) if one.admitted]
    match chance.choice(["good"] * 8 + ["refused", "unproven", "override", "undo", "poison", "repeated", "misplaced"]):
        case "refused":
            gate.write(replace(record, admitted=False, reason=Reason.ALREADY_USED))
        case "unproven":
            gate.write(replace(record, proof=None))
        case "override":
            gate.write(replace(record, override=OVERRIDE))
        case "undo" if admitted:
            gate.write(take_back(record, admitted[-1]))
        case "poison":
            gate.write_bytes(b"\xc1 nothing")
        case "repeated" if admitted:
            gate.write(replace(record, scan=admitted[0].scan))
        case "misplaced":
            gate.write(replace(record, gate_seq=record.gate_seq + 40))
        case _:
            gate.write(record)


def take_back(record: ScanRecord, undone: ScanRecord) -> ScanRecord:
    """Return a supervisor's undoing of an admission."""
    return replace(
        record,
        admitted=False,
        reason=Reason.UNDONE,
        undoes=undone.scan,
        override=OVERRIDE,
        proof=undone.proof,
        handle_hash=undone.handle_hash,
        direction=undone.direction,
    )


def read_log(gate: PaperGate, after: int = 0) -> list[ScanRecord]:
    """Return the records that can be read."""
    return [decode_record(body) for body in gate.bodies[after:] if not body.startswith(b"\xc1")]


async def look(there: Stage, gates: list[PaperGate], tickets: list[TicketId], names: dict[ScanId, str]) -> Outcome:
    """Return what is true now."""
    async with there.db.tenant(there.tenant) as tx:
        found = await tx.conflicts.list_of_event(there.event, None, 1000)
        tally = await tx.scans.tally(there.event)
    await there.relay_all()
    feed = await there.feed()
    gate_names = {gate.id: gate.row.name for gate in gates}
    rows = [await there.ticket(ticket) for ticket in tickets]
    numbers = {ticket: number for number, ticket in enumerate(tickets)}
    return Outcome(
        scans=[
            (
                gate_names[row.gate],
                row.gate_seq,
                None if row.ticket is None else f"ticket {numbers[row.ticket]}",
                row.admitted,
                row.proven,
                row.reason.value,
                None if row.server_reason is None else row.server_reason.value,
            )
            for row in sorted(await scans_of(there), key=lambda row: (gate_names[row.gate], row.gate_seq))
        ],
        conflicts=sorted(
            (names[one.scan], one.kind.value, None if one.earlier is None else names[one.earlier], one.state)
            for one in found
            if one.state != "withdrawn"
        ),
        tally=tally,
        states=[(row.state, row.generation) for row in rows],
        told=sorted(names[entry.admission.scan] for entry in feed if isinstance(entry, AdmissionEntry)),
    )
