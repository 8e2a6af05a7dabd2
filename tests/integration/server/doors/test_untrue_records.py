"""Records that are forged, unknown or unreadable: kept all the same, and without effect on anybody else."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace

from server.services.rows_gates import ScanRow
from shared.admission.verdict import Reason
from shared.codes.reader import Proof
from shared.ids import EventId, uuid7
from shared.tickets.lifecycle import State
from tests.integration.server.doors.stage import Stage


async def scans(stage: Stage) -> list[ScanRow]:
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.scans.list_of_event(stage.event, None, 1000)
    return sorted(rows, key=lambda row: (row.gate.bytes, row.gate_seq))


async def test_forged_proof_is_kept_and_bars_nobody(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    genuine = await stage.prove(ticket, stage.clock.now())
    await gate.scan(ticket, proof=replace(genuine, value=bytes(16)))
    await stage.relay_all()
    before = (await stage.feed())[-1].seq
    assert (await gate.hand_over()).ack.upto == 1
    [row] = await scans(stage)
    assert row.admitted
    assert not row.proven
    assert row.server_reason is Reason.CODE_FORGED
    assert (await stage.ticket(ticket.id)).state is State.ACTIVE
    await stage.relay_all()
    assert await stage.feed(before) == []


@pytest.mark.parametrize(
    "proof",
    [
        Proof(epoch=9999, slot=1, value=bytes(16)),
        Proof(epoch=0, slot=0, value=bytes(16)),
        Proof(epoch=0, slot=65_535, value=bytes(16)),
    ],
)
async def test_impossible_proof_is_not_proven(stage: Stage, proof: Proof) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket, proof=proof)
    assert (await gate.hand_over()).ack.upto == 1
    [row] = await scans(stage)
    assert row.admitted
    assert not row.proven


async def test_proof_of_one_ticket_does_not_prove_another(stage: Stage) -> None:
    mine, theirs = await stage.issue(2)
    gate = await stage.enrol()
    await gate.scan(theirs, proof=await stage.prove(mine, stage.clock.now()))
    await gate.hand_over()
    [row] = await scans(stage)
    assert not row.proven


async def test_unknown_handle_is_kept_as_unmatched_and_acknowledged(stage: Stage) -> None:
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket, handle_hash=os.urandom(16))
    await gate.scan(ticket, event=EventId(uuid7(stage.clock.now(), os.urandom)))
    assert (await gate.hand_over()).ack.upto == 2
    first, second = await scans(stage)
    assert (first.ticket, first.admitted, first.server_reason) == (None, True, Reason.UNKNOWN_TICKET)
    assert (second.ticket, second.admitted, second.server_reason) == (None, True, Reason.WRONG_EVENT)


async def test_poison_records_are_kept_and_the_good_ones_around_them_count(stage: Stage) -> None:
    tickets = await stage.issue(2)
    gate = await stage.enrol()
    good = await gate.scan(tickets[0])
    gate.write_bytes(b"\xc1 not MessagePack")
    gate.write_bytes(b"")
    gate.write(replace(await gate.draft(tickets[1], stage.clock.now()), at_ms=2**60))
    gate.write(replace(await gate.draft(tickets[1], stage.clock.now()), hlc=2**63))
    gate.write(replace(await gate.draft(tickets[1], stage.clock.now()), gate_seq=77))
    gate.write(replace(await gate.draft(tickets[1], stage.clock.now()), scan=good.scan))
    await gate.scan(tickets[1])
    assert (await gate.hand_over()).ack.upto == 8
    rows = await scans(stage)
    assert [row.body for row in rows] == gate.bodies
    assert [row.reason for row in rows[1:7]] == [Reason.INTERNAL_ERROR] * 6
    assert [row.ticket for row in rows] == [tickets[0].id, *[None] * 6, tickets[1].id]
    assert (await stage.ticket(tickets[1].id)).state is State.CHECKED_IN
