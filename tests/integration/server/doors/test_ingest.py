"""A gate's log arrives: every record kept once, in order, whatever the way it came."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from server.services.ingest import take_batch
from server.services.problems_gates import BatchConflict, BatchUnusable, GateRevoked
from server.services.rows_gates import ScanRow
from shared.admission.verdict import Direction, Reason
from shared.clock import ManualClock
from shared.ids import IncarnationId, uuid7
from shared.problems import Denied
from shared.sync.feed import AdmissionEntry, TicketEntry
from shared.sync.scan import BatchTampered, encode_record, sign_batch
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_policy, open_stage, set_up


async def scans(stage: Stage) -> list[ScanRow]:
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.scans.list_of_event(stage.event, None, 1000)
    return sorted(rows, key=lambda row: (row.gate.bytes, row.gate_seq))


async def test_admission_is_kept_proven_and_checks_the_ticket_in(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    record = await gate.scan(ticket)
    receipt = await gate.hand_over()
    assert (receipt.ack.upto, receipt.taken) == (1, 1)
    [row] = await scans(stage)
    assert (row.scan, row.ticket, row.generation) == (record.scan, ticket.id, 0)
    assert row.proven
    assert row.server_reason is Reason.OK
    assert row.body == encode_record(record)
    assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


async def test_other_gates_learn_of_the_admission_and_the_new_state(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await stage.relay_all()
    before = (await stage.feed())[-1].seq
    record = await gate.scan(ticket)
    await gate.hand_over()
    await stage.relay_all()
    told = await stage.feed(before)
    assert [type(entry) for entry in told] == [AdmissionEntry, TicketEntry]
    [admission] = [entry.admission for entry in told if isinstance(entry, AdmissionEntry)]
    assert (admission.scan, admission.gate, admission.proven) == (record.scan, gate.id, True)
    [state] = [entry.state for entry in told if isinstance(entry, TicketEntry)]
    assert state is State.CHECKED_IN


async def test_same_batch_again_gets_the_same_answer_and_changes_nothing(stage: Stage) -> None:
    tickets = await stage.issue(3)
    gate = await stage.enrol()
    for ticket in tickets:
        await gate.scan(ticket)
    first = await gate.hand_over()
    await stage.relay_all()
    feed = await stage.feed()
    again = await gate.hand_over()
    assert again.ack == first.ack
    assert again.taken == 0
    assert len(await scans(stage)) == 3
    assert await stage.relay_all() == 0
    assert await stage.feed() == feed


async def test_overlapping_batch_adds_only_what_is_new(stage: Stage) -> None:
    tickets = await stage.issue(4)
    gate = await stage.enrol()
    for ticket in tickets:
        await gate.scan(ticket)
    assert (await gate.hand_over(1, 3)).ack.upto == 3
    receipt = await gate.hand_over(2, 4)
    assert (receipt.ack.upto, receipt.taken) == (4, 1)
    assert [row.gate_seq for row in await scans(stage)] == [1, 2, 3, 4]


async def test_late_earlier_batch_is_answered_with_all_that_is_stored(stage: Stage) -> None:
    tickets = await stage.issue(4)
    gate = await stage.enrol()
    for ticket in tickets:
        await gate.scan(ticket)
    await gate.hand_over(1, 4)
    receipt = await gate.hand_over(1, 2)
    assert (receipt.ack.upto, receipt.taken) == (4, 0)


async def test_batch_beyond_a_gap_is_not_taken_and_the_answer_says_from_where(stage: Stage) -> None:
    tickets = await stage.issue(4)
    gate = await stage.enrol()
    for ticket in tickets:
        await gate.scan(ticket)
    await gate.hand_over(1, 1)
    receipt = await gate.hand_over(3, 4)
    assert (receipt.ack.upto, receipt.taken) == (1, 0)
    assert len(await scans(stage)) == 1


async def test_changed_record_under_a_stored_number_is_refused(stage: Stage) -> None:
    tickets = await stage.issue(2)
    gate = await stage.enrol()
    first = await gate.scan(tickets[0])
    await gate.hand_over()
    gate.bodies.clear()
    del gate.chain[1:]
    gate.write(replace(first, admitted=False, reason=Reason.ALREADY_USED))
    await gate.scan(tickets[1])
    with pytest.raises(BatchConflict):
        await gate.hand_over()
    with pytest.raises(BatchConflict):
        await gate.hand_over(2, 2)
    [row] = await scans(stage)
    assert row.admitted


async def test_new_incarnation_starts_a_log_of_its_own(stage: Stage) -> None:
    tickets = await stage.issue(2)
    gate = await stage.enrol()
    await gate.scan(tickets[0])
    await gate.hand_over()
    other = await stage.enrol("rebuilt")
    other.row, other.sign = gate.row, gate.sign
    other.incarnation = IncarnationId(uuid7(stage.clock.now(), os.urandom))
    await other.scan(tickets[1])
    assert (await other.hand_over()).ack.upto == 1
    assert len(await scans(stage)) == 2


async def test_batch_altered_on_the_way_is_refused_whole(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    record = await gate.scan(ticket)
    signed = gate.batch()
    altered = replace(signed, batch=replace(signed.batch, records=[encode_record(replace(record, admitted=False))]))
    with pytest.raises(BatchTampered):
        await take_batch(stage.db, stage.vault, gate.caller, altered, stage.clock.now())
    assert await scans(stage) == []


async def test_batch_of_another_gate_is_refused(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate, other = await stage.enrol("North"), await stage.enrol("South")
    await gate.scan(ticket)
    with pytest.raises(BatchTampered):
        await take_batch(stage.db, stage.vault, other.caller, gate.batch(), stage.clock.now())
    stolen = sign_batch(gate.batch().batch, other.sign)
    with pytest.raises(BatchUnusable):
        await take_batch(stage.db, stage.vault, other.caller, stolen, stage.clock.now())
    assert await scans(stage) == []


async def test_batch_signed_by_a_stranger_is_refused(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    gate.sign = Ed25519PrivateKey.generate()
    with pytest.raises(Denied):
        await gate.hand_over()
    assert await scans(stage) == []


async def test_revoked_gate_hands_nothing_over(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    await stage.enrolment.revoke(stage.tenant, gate.id, stage.clock.now())
    with pytest.raises(GateRevoked):
        await gate.hand_over()


async def test_too_long_a_batch_is_refused(stage: Stage) -> None:
    gate = await stage.enrol()
    for _ in range(201):
        gate.write_bytes(b"x")
    with pytest.raises(BatchUnusable):
        await gate.hand_over()


async def test_refusal_is_kept_and_changes_nothing(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket, admitted=False, reason=Reason.NOT_YET_VALID)
    await gate.scan(ticket, admitted=False, reason=Reason.CODE_UNREADABLE, handle_hash=None, proof=None)
    await gate.hand_over()
    first, second = await scans(stage)
    assert (first.reason, first.server_reason, first.ticket) == (Reason.NOT_YET_VALID, Reason.OK, ticket.id)
    assert (second.server_reason, second.ticket) == (None, None)
    assert (await stage.ticket(ticket.id)).state is State.ACTIVE


async def test_exit_gives_the_ticket_its_former_state_back(database: Databases, clock: ManualClock) -> None:
    async with open_stage(database, clock, open_policy(exits=True, re_entries=None)) as stage:
        [bought] = await stage.issue(1)
        ticket = await stage.move(bought.id, State.TRANSFERRED, new_generation=True)
        gate, out = await stage.enrol(), await stage.enrol("Out", Direction.EXIT)
        await gate.scan(ticket)
        await gate.hand_over()
        assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN
        clock.advance(timedelta(minutes=10))
        await out.scan(ticket, reason=Reason.EXIT_OK)
        await out.hand_over()
        assert (await stage.ticket(ticket.id)).state is State.TRANSFERRED
        clock.advance(timedelta(minutes=10))
        await gate.scan(ticket, reason=Reason.OK_REENTRY)
        await gate.hand_over(2)
        assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN


async def test_exit_that_sorts_before_its_entry_sets_the_ticket_free(database: Databases, clock: ManualClock) -> None:
    async with open_stage(database, clock, open_policy(exits=True, re_entries=None)) as stage:
        [ticket] = await stage.issue(1)
        fast, out = await stage.enrol("Fast"), await stage.enrol("Out", Direction.EXIT)
        ahead = clock.now() + timedelta(seconds=150)
        await fast.scan(ticket, at=ahead, unsure_ms=150_050)
        await fast.hand_over()
        assert (await stage.ticket(ticket.id)).state is State.CHECKED_IN
        clock.advance(timedelta(seconds=30))
        await out.scan(ticket, reason=Reason.EXIT_OK)
        await out.hand_over()
        assert (await stage.ticket(ticket.id)).state is State.ACTIVE


async def test_another_tenants_ticket_never_matches(stage: Stage) -> None:
    other = await set_up(stage.db, stage.clock, open_policy())
    [theirs] = await other.issue(1)
    gate = await stage.enrol()
    record = await gate.draft(theirs, stage.clock.now())
    gate.write(replace(record, handle_hash=await other.handle_hash(theirs), event=None))
    assert (await gate.hand_over()).ack.upto == 1
    [row] = await scans(stage)
    assert row.ticket is None
    assert (await other.ticket(theirs.id)).state is State.ACTIVE
    assert await scans(other) == []
