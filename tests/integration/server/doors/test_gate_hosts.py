"""Another machine takes a gate's place; two that say they are one raise an alarm."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.domain.access import Role
from server.services.gate_views import STALE_AFTER, show_gate
from server.services.ingest import take_batch
from server.services.problems_gates import BatchConflict, EnrolmentCodeUsed, GateOutOfService
from shared.codes.bundle import open_bundle
from shared.problems import Denied
from shared.sync.command import Hold, open_command
from shared.sync.scan import Mode
from shared.sync.wire import BundleFrame, Bye, CommandsFrame, Ping, Pong, Vitals
from tests.integration.server.doors.house import House
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.paper_gate import PaperGate, application
from tests.integration.server.doors.stage import Stage


async def take_place(stage: Stage, gate: PaperGate) -> PaperGate:
    """Enrol another machine in a gate's place."""
    issued = await stage.enrolment.issue_replacement(stage.tenant, gate.id, stage.clock.now())
    sign, seal = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    await stage.enrolment.enrol(application(issued.code, sign, seal), stage.clock.now())
    # that answer was lost
    enrolled = await stage.enrolment.enrol(application(issued.code, sign, seal), stage.clock.now())
    other = application(issued.code, Ed25519PrivateKey.generate(), seal)
    with pytest.raises(EnrolmentCodeUsed):
        await stage.enrolment.enrol(other, stage.clock.now())
    return PaperGate(stage, enrolled, sign, seal)


async def test_another_machine_is_the_gate_from_then_on_and_the_older_one_is_nobody(house: House) -> None:
    stage = house.stage
    old = await stage.enrol("North")
    [ticket, second] = await stage.issue(2)
    await old.scan(ticket)
    await old.hand_over()
    wire, _ = await enter(house, old, feed_seq=await settle(house), command_seq=0)
    path = f"/api/v1/gates/{old.id}"
    hold = {"kind": "hold", "text": "Broken glass"}
    key = {"Idempotency-Key": "hold-before-the-swap"}
    assert (await house.ask("POST", path + "/commands", house.organiser() | key, hold))[0] == 202
    await wire.until(CommandsFrame)
    new = await take_place(stage, old)
    assert (new.id, new.row.name, new.row.direction) == (old.id, "North", old.row.direction)
    assert (await wire.until(Bye)).code == "superseded"
    assert (await house.ask("POST", "/gate/v1/broker", house.gate(old)))[0] == 401
    await old.scan(second)
    with pytest.raises(Denied):
        await old.hand_over()
    fresh = await house.link(new, command_seq=0)
    [told] = [open_command(one, new.id, new.config) for one in (await fresh.until(CommandsFrame)).commands]
    assert told.order == Hold(reason="Broken glass")
    await new.scan(second)
    assert (await new.hand_over()).taken == 1
    shown = await show_gate(stage.context, stage.tenant, new.id)
    assert [one.state for one in shown.commands] == ["sent", "superseded"]
    bundle = await house.link(new)
    sealed = (await bundle.until(BundleFrame)).bundle
    assert open_bundle(sealed, new.id, new.seal, new.config).event == stage.event
    with pytest.raises(Denied):
        open_bundle(sealed, new.id, old.seal, new.config)
    assert (await stage.event_row()).key_series == 1  # codes get new keys


async def test_place_of_a_revoked_gate_is_nobodys(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    issued = await stage.enrolment.issue_replacement(stage.tenant, gate.id, stage.clock.now())
    path = f"/api/v1/gates/{gate.id}/enrolment-codes"
    assert (await house.ask("POST", path, house.organiser()))[0] == 201
    assert (await house.ask("POST", path, house.organiser(role=Role.DOOR_STAFF)))[0] == 403
    await stage.enrolment.revoke(stage.tenant, gate.id, stage.clock.now())
    keys = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    with pytest.raises(GateOutOfService):
        await stage.enrolment.enrol(application(issued.code, *keys), stage.clock.now())
    status, told = await house.ask("POST", path, house.organiser())
    assert (status, isinstance(told, dict) and told["code"]) == (409, "gate_out_of_service")


async def test_two_machines_with_one_log_raise_an_alarm_and_nothing_of_the_second_is_taken(stage: Stage) -> None:
    gate = await stage.enrol()
    tickets = await stage.issue(2)
    twin = PaperGate(stage, gate.enrolled, gate.sign, gate.seal)
    twin.incarnation = gate.incarnation
    await gate.scan(tickets[0])
    await gate.hand_over()
    assert (await show_gate(stage.context, stage.tenant, gate.id)).alarm is None
    await twin.scan(tickets[1])
    with pytest.raises(BatchConflict):
        await take_batch(stage.db, stage.vault, twin.caller, twin.batch(), stage.clock.now())
    shown = await show_gate(stage.context, stage.tenant, gate.id)
    assert (shown.alarm, shown.alarm_at) == ("batch_conflict", stage.clock.now())
    async with stage.db.tenant(stage.tenant) as tx:
        assert len(await tx.scans.list_of_event(stage.event, None, 10)) == 1
    new = await take_place(stage, gate)
    assert (await show_gate(stage.context, stage.tenant, new.id)).alarm is None


async def test_heartbeat_says_how_a_gate_is_and_silence_makes_that_stale(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    head = await settle(house)
    before = await show_gate(stage.context, stage.tenant, gate.id)
    assert (before.stale, before.mode, before.battery, before.last_seen_at) == (False, None, None, None)
    wire = await house.link(gate, feed_seq=head)
    vitals = Vitals(mode=Mode.ONLINE, clock_offset_ms=-3_600_000, keys_until_ms=0, battery=12, camera=True)
    ping = Ping(sent_ms=9, backlog=4, feed_seq=head, bundle_version=1, scans_per_minute=7.5, vitals=vitals)
    for _ in range(2):  # the second pong comes after the first heartbeat was looked at
        await wire.send(ping)
        await wire.until(Pong)
    wanted = ("online", -3_600_000, 12, True, 4, False, False)

    async def said() -> tuple[object, ...]:
        status, told = await house.ask("GET", f"/api/v1/gates/{gate.id}", house.organiser())
        assert status == 200
        assert isinstance(told, dict)
        names = ("mode", "clockOffsetMs", "battery", "cameraAlive", "backlog", "held", "stale")
        return tuple(told[name] for name in names)

    while await said() != wanted:
        await wire.send(ping)
        await wire.until(Pong)
    stage.clock.advance(STALE_AFTER + timedelta(seconds=1))
    shown = await show_gate(stage.context, stage.tenant, gate.id)
    assert (shown.stale, shown.battery) == (True, 12)
    await stage.enrolment.revoke(stage.tenant, gate.id, stage.clock.now())
    assert not (await show_gate(stage.context, stage.tenant, gate.id)).stale


async def test_gates_come_in_pages_in_the_order_of_their_enrolment(house: House) -> None:
    stage = house.stage
    made = []
    for number in range(5):
        stage.clock.advance(timedelta(seconds=1))
        made.append(str((await stage.enrol(f"Gate {number}")).id))
    listed: list[str] = []
    cursor = ""
    while True:
        status, page = await house.ask("GET", f"/api/v1/gates?eventId={stage.event}&limit=2{cursor}", house.organiser())
        assert status == 200
        assert isinstance(page, dict)
        listed += [one["id"] for one in page["items"]]
        if not page["pagination"]["hasMore"]:
            break
        cursor = f"&cursor={page['pagination']['nextCursor']}"
    assert listed == made
