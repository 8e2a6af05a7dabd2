"""Commands to gates at the server: given over REST, sent on links, settled by receipts, kept apart between tenants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from server.domain.access import Role
from server.services.gate_commands import MOST_OPEN
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.clock import unix_ms
from shared.problems import Denied
from shared.sync.command import Command, Configure, Hold, Outcome, Receipt, Wipe, open_command
from shared.sync.feed import GateEntry
from shared.sync.wire import Bye, CommandsFrame, Ping, Pong, Receipts
from tests.integration.server.doors.house import House, Wire
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import open_policy, set_up_with

DONE = Outcome.DONE


def key(headers: dict[str, str]) -> dict[str, str]:
    """Return headers with a fresh Idempotency-Key."""
    return headers | {"Idempotency-Key": f"command-{uuid4()}"}


async def command(house: House, gate: PaperGate, **body: object) -> dict[str, Any]:
    """Give a command that must be taken."""
    status, told = await house.ask("POST", f"/api/v1/gates/{gate.id}/commands", key(house.organiser()), body)
    assert status == 202, told
    assert isinstance(told, dict)
    return told


async def show(house: House, gate: PaperGate) -> dict[str, Any]:
    """Return a gate as its organiser sees it."""
    status, told = await house.ask("GET", f"/api/v1/gates/{gate.id}", house.organiser())
    assert status == 200, told
    assert isinstance(told, dict)
    return told


async def read(wire: Wire, gate: PaperGate) -> list[Command]:
    """Return the next commands on a link, as the gate opens them."""
    frame = await wire.until(CommandsFrame)
    return [open_command(one, gate.id, gate.config) for one in frame.commands]


async def answer(wire: Wire, *commands: Command, outcome: Outcome = DONE) -> None:
    """Say what became of commands, and wait until the server has it."""
    receipts = [
        Receipt(command=one.id, number=one.number, outcome=outcome, at_ms=1, message="said") for one in commands
    ]
    await wire.send(Receipts(receipts=receipts))
    await wire.send(Ping(sent_ms=77, backlog=0, feed_seq=0, bundle_version=0))
    await wire.until(Pong)


async def test_a_command_reaches_a_linked_gate_at_once_and_is_settled_by_its_receipt(house: House) -> None:
    gate = await house.stage.enrol()
    wire = await house.link(gate, feed_seq=await settle(house), command_seq=0)
    given = await command(house, gate, kind="hold", text="Lift broken: gate South")
    [told] = await read(wire, gate)
    assert (str(told.id), told.number, told.order) == (given["id"], 1, Hold(reason="Lift broken: gate South"))
    shown = await show(house, gate)
    assert (shown["heldReason"], shown["commands"][0]["state"]) == ("Lift broken: gate South", "sent")
    await answer(wire, told)
    shown = await show(house, gate)
    [kept] = shown["commands"]
    assert (kept["state"], kept["message"], kept["kind"]) == ("done", "said", "hold")
    await command(house, gate, kind="resume")
    assert (await show(house, gate))["heldSince"] is None


async def test_commands_wait_for_a_gate_in_order_and_come_again_until_they_are_settled(house: House) -> None:
    gate = await house.stage.enrol()
    head = await settle(house)
    for number in range(3):
        await command(house, gate, kind="message", text=f"No. {number}")
    assert [one["state"] for one in (await show(house, gate))["commands"]] == ["waiting"] * 3
    for settled in (0, 2):
        wire = await house.link(gate, feed_seq=head, command_seq=settled)
        told = await read(wire, gate)
        assert [one.number for one in told] == [1, 2, 3][settled:]
        await wire.send(Ping(sent_ms=1, backlog=0, feed_seq=head, bundle_version=0, command_seq=settled))
        assert await read(wire, gate) == told
        await answer(wire, *told[:2])
        await answer(wire, *told[:2], outcome=Outcome.REFUSED)
        await wire.socket.close()
    status, page = await house.ask("GET", f"/api/v1/gates/{gate.id}/commands?limit=2", house.organiser())
    assert status == 200
    assert isinstance(page, dict)
    assert [(one["number"], one["state"]) for one in page["items"]] == [(3, "done"), (2, "done")]
    after = page["pagination"]["nextCursor"]
    _, rest = await house.ask("GET", f"/api/v1/gates/{gate.id}/commands?limit=2&cursor={after}", house.organiser())
    assert isinstance(rest, dict)
    assert [one["number"] for one in rest["items"]] == [1]


async def test_a_gate_that_knows_no_commands_is_sent_none(house: House) -> None:
    gate = await house.stage.enrol()
    head = await settle(house)
    await command(house, gate, kind="resync")
    wire, frames = await enter(house, gate, feed_seq=head)
    await wire.send(Ping(sent_ms=5, backlog=0, feed_seq=head, bundle_version=0))
    while not isinstance(frames[-1], Pong):
        frame = await wire.receive()
        assert frame is not None
        frames.append(frame)
    assert not any(isinstance(one, CommandsFrame) for one in frames)
    assert (await show(house, gate))["commands"][0]["state"] == "waiting"


async def test_what_is_too_old_is_not_sent(house: House) -> None:
    gate = await house.stage.enrol()
    head = await settle(house)
    await command(house, gate, kind="message", text="in a minute", expiresInS=60)
    await command(house, gate, kind="hold", text="for good")
    house.stage.clock.advance(timedelta(seconds=61))
    wire = await house.link(gate, feed_seq=head, command_seq=0)
    assert [one.number for one in await read(wire, gate)] == [2]
    assert [one["state"] for one in (await show(house, gate))["commands"]] == ["sent", "expired"]


async def test_a_changed_gate_is_told_and_so_are_the_others(house: House) -> None:
    gate = await house.stage.enrol()
    head = await settle(house)
    path, wish = (
        f"/api/v1/gates/{gate.id}",
        {"name": " North 2 ", "direction": "exit", "zones": 4, "products": [1, 2], "role": "help_desk"},
    )
    for _ in range(2):  # the second time there is nothing to change
        status, told = await house.ask("PATCH", path, house.organiser(), wish)
        assert status == 200, told
        assert isinstance(told, dict)
        assert (told["name"], told["direction"], told["zones"], told["products"]) == ("North 2", "exit", 4, [1, 2])
        assert told["role"] == "help_desk"
        assert [one["kind"] for one in told["commands"]] == ["configure"]
    wire = await house.link(gate, feed_seq=head, command_seq=0)
    [told] = await read(wire, gate)
    assert told.order == Configure(
        name="North 2", direction=Direction.EXIT, zones=4, products=(1, 2), role=GateRole.HELP_DESK
    )
    assert [one.name for one in await house.stage.feed() if isinstance(one, GateEntry)][-1] == "North 2"


async def test_a_wiped_gate_leaves_service(house: House) -> None:
    gate = await house.stage.enrol()
    wire = await house.link(gate, feed_seq=await settle(house), command_seq=0)
    await command(house, gate, kind="wipe")
    [told] = await read(wire, gate)
    assert told.order == Wipe()
    assert (await show(house, gate))["revokedAt"] is None
    await wire.send(Receipts(receipts=[Receipt(command=told.id, number=1, outcome=DONE, at_ms=1)]))
    await wire.send(Ping(sent_ms=5, backlog=0, feed_seq=0, bundle_version=0))
    assert (await wire.until(Bye)).code == "device_revoked"
    assert (await show(house, gate))["revokedAt"] is not None
    status, told_off = await house.ask(
        "POST", f"/api/v1/gates/{gate.id}/commands", key(house.organiser()), {"kind": "resume"}
    )
    assert (status, isinstance(told_off, dict) and told_off["code"]) == (409, "gate_out_of_service")


async def test_a_command_is_given_once_however_often_it_is_asked_for(house: House) -> None:
    gate = await house.stage.enrol()
    headers, path = key(house.organiser()), f"/api/v1/gates/{gate.id}/commands"
    answers = [await house.ask("POST", path, headers, {"kind": "message", "text": "once"}) for _ in range(2)]
    assert answers[0] == answers[1]
    assert len((await show(house, gate))["commands"]) == 1
    status, _ = await house.ask("POST", path, house.organiser(), {"kind": "resume"})
    assert status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "hold"},
        {"kind": "message"},
        {"kind": "resume", "text": "no need"},
        {"kind": "hold", "text": "x", "expiresInS": 60},
        {"kind": "configure"},
    ],
    ids=str,
)
async def test_half_a_command_is_refused(house: House, body: dict[str, object]) -> None:
    gate = await house.stage.enrol()
    status, told = await house.ask("POST", f"/api/v1/gates/{gate.id}/commands", key(house.organiser()), body)
    assert isinstance(told, dict)
    assert (status, told["code"]) == (400, "command_unusable")
    assert (await show(house, gate))["commands"] == []


async def test_no_more_wait_than_a_gate_can_ever_need(house: House) -> None:
    gate = await house.stage.enrol()
    for number in range(MOST_OPEN):
        await command(house, gate, kind="message", text=f"{number}")
    status, told = await house.ask(
        "POST", f"/api/v1/gates/{gate.id}/commands", key(house.organiser()), {"kind": "resume"}
    )
    assert isinstance(told, dict)
    assert (status, told["code"]) == (409, "gate_commands_waiting")


async def test_other_tenants_and_door_staff_command_nobody(house: House) -> None:
    gate = await house.stage.enrol()
    foreign = await set_up_with(house.parts.database, house.parts.context.vault, house.stage.clock, open_policy())
    wipe = {"kind": "wipe"}
    path = f"/api/v1/gates/{gate.id}"
    for headers, wanted in ((house.organiser(foreign), 404), (house.organiser(role=Role.DOOR_STAFF), 403)):
        assert (await house.ask("POST", path + "/commands", key(headers), wipe))[0] == wanted
        assert (await house.ask("PATCH", path, headers, {"name": "Mine"}))[0] == wanted
    assert (await house.ask("GET", path, house.organiser(foreign)))[0] == 404
    assert (await house.ask("GET", path + "/commands", house.organiser(foreign)))[0] == 404
    shown = await show(house, gate)
    assert (shown["name"], shown["commands"]) == ("North", [])
    # what the other tenant signs for a gate of its own this gate does not believe
    theirs = await foreign.enrol()
    away = House(base_url=house.base_url, parts=house.parts, stage=foreign, client=house.client)
    await command(away, theirs, kind="wipe")
    wire = await away.link(theirs, command_seq=0)
    frame = await wire.until(CommandsFrame)
    with pytest.raises(Denied):
        open_command(frame.commands[0], gate.id, gate.config)


async def test_after_a_backup_was_put_back_no_number_is_given_twice(house: House) -> None:
    gate = await house.stage.enrol()
    wire = await house.link(gate, feed_seq=await settle(house), command_seq=41)
    given = await command(house, gate, kind="resume")
    assert given["number"] == 42
    assert [one.number for one in await read(wire, gate)] == [42]


async def test_a_receipt_of_another_gate_settles_nothing(house: House) -> None:
    north, south = await house.stage.enrol(), await house.stage.enrol("South")
    head = await settle(house)
    given = await command(house, north, kind="message", text="for North")
    wire = await house.link(south, feed_seq=head, command_seq=0)
    forged = Receipt(command=given["id"], number=1, outcome=DONE, at_ms=unix_ms(house.stage.clock.now()))
    await wire.send(Receipts(receipts=[forged]))
    await wire.send(Ping(sent_ms=5, backlog=0, feed_seq=head, bundle_version=0))
    await wire.until(Pong)
    assert (await show(house, north))["commands"][0]["state"] == "waiting"
