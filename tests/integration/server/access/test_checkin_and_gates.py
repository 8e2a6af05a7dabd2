"""Check-ins at the server and at gates meet: whoever was first counts, and a collision is a conflict with evidence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.domain.access import Role, User
from server.domain.server_gate import NAME, server_gate_id
from server.services.checkin import CheckinRequest, check_in
from server.services.codes import CodeMint, CodeSubject
from server.services.keys import epoch_at
from server.services.marking import admission_entry
from server.services.problems_access import AlreadyCheckedIn, GateElsewhere
from server.services.problems_gates import GateUnknown
from server.services.rows import Page, TicketRow
from server.services.scanning import ValidateRequest, validate
from server.services.stats import list_conflicts
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from shared.ids import UserId
from shared.sync.feed import AdmissionEntry
from shared.sync.ledger import ConflictClass
from shared.sync.scan import Mode, decode_record
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_policy, open_stage


@pytest.fixture
async def stage(database: Databases, clock: ManualClock) -> AsyncIterator[Stage]:
    """Give an event whose doors are open and where people are scanned out."""
    async with open_stage(database, clock, open_policy(exits=True, re_entries=1)) as opened:
        yield opened


def steward(stage: Stage) -> User:
    """Return somebody at the door."""
    return User(tenant=stage.tenant, user=UserId(uuid4()), role=Role.VENUE_MANAGER)


async def show(stage: Stage, ticket: TicketRow) -> str:
    """Return what the ticket's phone shows now."""
    now = stage.clock.now()
    async with stage.db.tenant(stage.tenant) as tx:
        event = await tx.events.get(stage.event)
        kind = await tx.stock.get(ticket.ticket_type)
        assert event is not None
        assert kind is not None
        master = (await stage.vault.masters(tx)).of(ticket.master)
        (epoch,) = await stage.vault.epochs(tx, event, epoch_at(event, now), epoch_at(event, now))
    subject = CodeSubject(master=master, event=event, ticket=ticket, ticket_type=kind)
    return (await CodeMint().live_token(subject, epoch, now)).text


async def test_a_gate_that_was_offline_collides_and_the_earlier_admission_stays(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    north = await stage.enrol("North")
    await north.scan(ticket)
    stage.clock.advance(timedelta(minutes=3))
    answer = await check_in(stage.context, steward(stage), ticket.id, CheckinRequest(code=await show(stage, ticket)))
    assert answer.admitted
    await north.hand_over()
    found = await list_conflicts(stage.context, steward(stage), stage.event, Page())
    (conflict,) = found.items
    assert (conflict.ticket_id, conflict.kind) == (ticket.id, ConflictClass.RACE)
    assert conflict.evidence.earlier is not None
    assert (conflict.evidence.earlier.gate_name, conflict.evidence.later.gate_name) == ("North", NAME)
    assert conflict.evidence.later.scan_id == answer.scan_id
    assert conflict.evidence.later.mode is Mode.ONLINE


async def test_what_a_gate_handed_over_bars_the_way_here_and_says_where(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    await north.scan(ticket)
    await north.hand_over()
    stage.clock.advance(timedelta(minutes=3))
    code = await show(stage, ticket)
    with pytest.raises(AlreadyCheckedIn) as caught:
        await check_in(stage.context, steward(stage), ticket.id, CheckinRequest(code=code, gate_id=south.id))
    assert caught.value.first is not None
    assert (caught.value.first.gate_name, caught.value.first.gate_id) == ("North", north.id)
    seen = await validate(stage.context, steward(stage), ValidateRequest(code=code))
    assert (seen.valid, seen.reason) == (False, "must_exit_first")
    assert seen.last_entry is not None
    assert seen.last_entry.gate_name == "North"


async def test_out_and_in_again_as_the_policy_allows(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    said = []
    for direction in (Direction.ENTRY, Direction.EXIT, Direction.ENTRY):
        request = CheckinRequest(code=await show(stage, ticket), direction=direction)
        answer = await check_in(stage.context, steward(stage), ticket.id, request)
        said.append((answer.reason, answer.status))
        stage.clock.advance(timedelta(minutes=5))
    assert said == [
        ("ok", State.CHECKED_IN),
        ("exit_ok", State.ACTIVE),
        ("ok_reentry", State.CHECKED_IN),
    ]


async def test_the_servers_log_is_numbered_and_chained_like_a_gates(stage: Stage) -> None:
    tickets = await stage.issue(3)
    for ticket in tickets:
        await check_in(stage.context, steward(stage), ticket.id, CheckinRequest(code=await show(stage, ticket)))
    async with stage.db.tenant(stage.tenant) as tx:
        rows = await tx.scans.list_of_event(stage.event, None, 10)
    records = sorted((decode_record(row.body) for row in rows), key=lambda one: one.gate_seq)
    assert [one.gate_seq for one in records] == [1, 2, 3]
    assert [one.hlc for one in records] == sorted(one.hlc for one in records)
    assert {row.gate for row in rows} == {server_gate_id(stage.event)}
    assert all(row.proven and row.server_reason is row.reason for row in rows)


async def test_a_late_gate_learns_of_it_by_the_snapshot(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    forced = CheckinRequest(force=True, reason="phone_broken")  # type: ignore[arg-type] # as a body would be read
    answer = await check_in(stage.context, steward(stage), ticket.id, forced)
    assert answer.forced
    await stage.relay_all()
    told = [one for one in await stage.feed() if isinstance(one, AdmissionEntry)]
    assert [one.admission.scan for one in told] == [answer.scan_id]
    async with stage.db.tenant(stage.tenant) as tx:
        world = [one async for part in tx.feed.world_admissions(stage.event, 10) for one in part]
    assert [entry.admission for one in world if (entry := admission_entry(one)) is not None] == [told[0].admission]


async def test_the_server_gate_is_nobodys_to_use_or_to_revoke(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    await check_in(stage.context, steward(stage), ticket.id, CheckinRequest(code=await show(stage, ticket)))
    ours = server_gate_id(stage.event)
    assert NAME in [gate.name for gate in await stage.enrolment.list_gates(stage.tenant, stage.event)]
    with pytest.raises(GateUnknown):
        await stage.enrolment.revoke(stage.tenant, ours, stage.clock.now())
    request = ValidateRequest(code=await show(stage, ticket), gate_id=ours)
    with pytest.raises(GateElsewhere):
        await validate(stage.context, steward(stage), request)
    revoked = await stage.enrol("South")
    await stage.enrolment.revoke(stage.tenant, revoked.id, stage.clock.now())
    with pytest.raises(GateElsewhere):
        await validate(stage.context, steward(stage), replace(request, gate_id=revoked.id))


async def test_a_named_gates_rules_apply(stage: Stage) -> None:
    (ticket,) = await stage.issue(1)
    vip = await stage.enrol("VIP")
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.gates._connection.execute("UPDATE gates SET products = '{7}' WHERE id = $1", vip.id)
    request = CheckinRequest(code=await show(stage, ticket), gate_id=vip.id)
    answer = await check_in(stage.context, steward(stage), ticket.id, request)
    assert (answer.admitted, answer.reason) == (False, "wrong_product")
    over = replace(request, force=True, reason="organiser_agreed")
    assert (await check_in(stage.context, steward(stage), ticket.id, over)).forced
