"""Scans of a gate that was taken out of service: kept apart, shown to the organiser, and in no book."""

from __future__ import annotations

import os

from msgspec import msgpack
from msgspec.structs import replace

from server.domain.access import Role
from tests.integration.server.doors.house import House
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import open_policy, set_up_with


async def hand_in(house: House, gate: PaperGate, body: bytes) -> tuple[int, dict[str, object]]:
    """Post something to be kept apart, as the gate."""
    headers = house.gate(gate) | {"Content-Type": "application/msgpack"}
    async with house.client.post(house.base_url + "/gate/v1/quarantine", data=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def revoke(house: House, gate: PaperGate) -> None:
    """Take a gate out of service."""
    stage = house.stage
    await stage.enrolment.revoke(stage.tenant, gate.id, stage.clock.now())


async def test_a_revoked_gates_scans_are_kept_once_shown_and_counted_nowhere(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    await gate.scan(ticket, admitted=False)
    body = msgpack.encode(gate.batch())
    await revoke(house, gate)
    for _ in range(2):
        status, answer = await hand_in(house, gate, body)
        assert (status, answer) == (200, {"incarnation": str(gate.incarnation), "upto": 2})
    status, kept = await house.ask("GET", f"/api/v1/gates/{gate.id}/quarantine", house.organiser())
    assert status == 200
    assert isinstance(kept, dict)
    [item] = kept["items"]
    assert (item["reason"], item["records"], item["admitted"], item["firstSeq"]) == ("device_revoked", 2, 1, 1)
    assert item["incarnation"] == str(gate.incarnation)
    _, listed = await house.ask("GET", f"/api/v1/gates?eventId={stage.event}", house.organiser())
    assert isinstance(listed, dict)
    assert [one["quarantined"] for one in listed["items"]] == [1]
    _, figures = await house.ask("GET", f"/api/v1/events/{stage.event}/stats", house.organiser())
    assert isinstance(figures, dict)
    assert (figures["scans"], figures["entries"]) == (0, 0)


async def test_only_its_own_sound_log_is_kept_of_a_gate(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate, other = await stage.enrol(), await stage.enrol("South")
    await gate.scan(ticket)
    await other.scan(ticket)
    genuine = gate.batch()
    status, answer = await hand_in(house, gate, msgpack.encode(genuine))
    assert (status, answer["code"]) == (409, "gate_in_service")
    await revoke(house, gate)
    assert (await hand_in(house, gate, msgpack.encode(other.batch())))[0] == 403
    forged = msgpack.encode(replace(genuine, signature=os.urandom(64)))
    assert (await hand_in(house, gate, forged))[0] == 403
    assert (await hand_in(house, gate, b"rubbish"))[0] == 400
    headers = house.gate(gate) | {"Content-Type": "application/json"}
    async with house.client.post(house.base_url + "/gate/v1/quarantine", data=b"{}", headers=headers) as response:
        assert response.status == 415
    _, kept = await house.ask("GET", f"/api/v1/gates/{gate.id}/quarantine", house.organiser())
    assert kept == {"items": []}


async def test_a_full_quarantine_says_so_and_takes_what_it_has_again(house: House) -> None:
    stage = house.stage
    [ticket] = await stage.issue(1)
    gate = await stage.enrol()
    await gate.scan(ticket)
    first = msgpack.encode(gate.batch())
    await revoke(house, gate)
    assert (await hand_in(house, gate, first))[0] == 200
    async with stage.db.tenant(stage.tenant) as tx:
        kept = [await tx.broker.quarantine(gate.id, b"%d" % number, "test") for number in range(1000)]
    assert kept == [True] * 999 + [False]
    await gate.scan(ticket)
    status, answer = await hand_in(house, gate, msgpack.encode(gate.batch()))
    assert (status, answer["code"]) == (409, "quarantine_full")
    assert (await hand_in(house, gate, first))[0] == 200


async def test_a_revoked_gate_may_do_nothing_else_and_others_see_nothing_of_it(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await revoke(house, gate)
    status, answer = await house.ask("GET", f"/gate/v1/feed?event={stage.event}&after=0", house.gate(gate))
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (403, "device_revoked")
    path = f"/api/v1/gates/{gate.id}/quarantine"
    other = await set_up_with(stage.db, stage.vault, stage.clock, open_policy())
    assert (await house.ask("GET", path, house.organiser(other)))[0] == 404
    assert (await house.ask("GET", path, house.organiser(role=Role.DOOR_STAFF)))[0] == 403
