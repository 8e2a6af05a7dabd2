"""How gates come to be: one code, one gate, and nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from server.domain.access import Role
from server.services.enrol import Enrolled, GateWish
from server.services.problems import EventUnknown
from server.services.problems_gates import EnrolmentCodeExpired, EnrolmentCodeUnknown, EnrolmentCodeUsed
from shared.admission.policy import GateRole
from shared.admission.verdict import Direction
from shared.codes.bundle import KeyBundle, open_bundle, seal_bundle
from shared.problems import CodeMalformed, TicketTokenError
from shared.sync.feed import GateEntry
from tests.integration.server.doors.house import House, b64url
from tests.integration.server.doors.paper_gate import application
from tests.integration.server.doors.stage import Stage, open_policy, set_up, set_up_with


def fresh_keys() -> tuple[Ed25519PrivateKey, X25519PrivateKey]:
    return Ed25519PrivateKey.generate(), X25519PrivateKey.generate()


async def issue(stage: Stage, **wish: object) -> str:
    made = replace(GateWish(event=stage.event, name="North"), **wish)
    return (await stage.enrolment.issue_code(stage.tenant, made, stage.clock.now())).code


async def test_code_makes_the_gate_the_organiser_wanted(stage: Stage) -> None:
    code = await issue(stage, direction=Direction.EXIT, zones=3, products=(1, 2), role=GateRole.HELP_DESK)
    enrolled = await stage.enrolment.enrol(application(code, *fresh_keys()), stage.clock.now())
    gate = enrolled.gate
    assert (gate.name, gate.direction, gate.zones, gate.products) == ("North", Direction.EXIT, 3, (1, 2))
    assert gate.role is GateRole.HELP_DESK
    assert (gate.tenant, gate.event) == (stage.tenant, stage.event)
    await stage.relay_all()
    [told] = [entry for entry in await stage.feed() if isinstance(entry, GateEntry)]
    assert (told.gate, told.name, told.revoked) == (gate.id, "North", False)


async def test_twenty_gates_with_one_code_make_exactly_one(stage: Stage) -> None:
    code = await issue(stage)
    tries = [stage.enrolment.enrol(application(code, *fresh_keys()), stage.clock.now()) for _ in range(20)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, Enrolled)]) == 1
    assert len([answer for answer in answers if isinstance(answer, EnrolmentCodeUsed)]) == 19
    assert len(await stage.enrolment.list_gates(stage.tenant, stage.event)) == 1


async def test_gate_that_missed_its_answer_gets_the_same_one_again(stage: Stage) -> None:
    code, keys = await issue(stage), fresh_keys()
    first = await stage.enrolment.enrol(application(code, *keys), stage.clock.now())
    again = await stage.enrolment.enrol(application(code, *keys), stage.clock.now())
    assert (again.gate.id, again.config_key) == (first.gate.id, first.config_key)
    assert len(await stage.enrolment.list_gates(stage.tenant, stage.event)) == 1
    other = application(code, keys[0], X25519PrivateKey.generate())
    with pytest.raises(EnrolmentCodeUsed):
        await stage.enrolment.enrol(other, stage.clock.now())


async def test_gate_that_was_revoked_cannot_ask_for_its_answer_again(stage: Stage) -> None:
    code, keys = await issue(stage), fresh_keys()
    first = await stage.enrolment.enrol(application(code, *keys), stage.clock.now())
    await stage.enrolment.revoke(stage.tenant, first.gate.id, stage.clock.now())
    with pytest.raises(EnrolmentCodeUsed):
        await stage.enrolment.enrol(application(code, *keys), stage.clock.now())


async def test_code_lasts_fifteen_minutes(stage: Stage) -> None:
    in_time, too_late = await issue(stage), await issue(stage)
    stage.clock.advance(timedelta(minutes=14, seconds=59))
    await stage.enrolment.enrol(application(in_time, *fresh_keys()), stage.clock.now())
    stage.clock.advance(timedelta(seconds=1))
    with pytest.raises(EnrolmentCodeExpired):
        await stage.enrolment.enrol(application(too_late, *fresh_keys()), stage.clock.now())


async def test_code_is_read_however_it_is_typed(stage: Stage) -> None:
    code = await issue(stage)
    typed = " " + code.lower().replace("-", " ").replace("0", "o") + "\n"
    enrolled = await stage.enrolment.enrol(application(typed, *fresh_keys()), stage.clock.now())
    assert enrolled.gate.event == stage.event


async def test_wrong_codes_are_unknown(stage: Stage) -> None:
    code = await issue(stage)
    last = "0" if code[-2] != "0" else "1"
    elsewhere = await set_up(stage.db, stage.clock, open_policy())
    for wrong in (code[:-2] + last + code[-1], "TT1-XYZ", "", code.replace("TT1", "TT2"), "Ж" * 10):
        with pytest.raises(EnrolmentCodeUnknown):
            await stage.enrolment.enrol(application(wrong, *fresh_keys()), stage.clock.now())
    assert await stage.enrolment.list_gates(stage.tenant, stage.event) == []
    assert await elsewhere.enrolment.list_gates(elsewhere.tenant, elsewhere.event) == []


async def test_keys_that_are_none_are_refused_and_the_code_stays_good(stage: Stage) -> None:
    code, keys = await issue(stage), fresh_keys()
    with pytest.raises(CodeMalformed):
        await stage.enrolment.enrol(replace(application(code, *keys), sign_key=b"short"), stage.clock.now())
    await stage.enrolment.enrol(application(code, *keys), stage.clock.now())


async def test_code_for_another_tenants_event_is_not_made(stage: Stage) -> None:
    other = await set_up(stage.db, stage.clock, open_policy())
    with pytest.raises(EventUnknown):
        await stage.enrolment.issue_code(stage.tenant, GateWish(event=other.event, name="North"), stage.clock.now())


async def test_gate_believes_its_own_tenant_only(stage: Stage) -> None:
    other = await set_up(stage.db, stage.clock, open_policy())
    mine, theirs = await stage.enrol(), await other.enrol()
    assert mine.config_key != theirs.config_key
    async with other.db.tenant(other.tenant) as tx:
        config_key = await other.vault.config_key(tx)
    event = await stage.event_row()
    bundle = KeyBundle(
        event=event.id, event_name="x", version=1, made=stage.clock.now(), epochs=[], policy=event.policy
    )
    forged = seal_bundle(bundle, mine.id, mine.seal.public_key(), config_key)
    with pytest.raises(TicketTokenError):
        open_bundle(forged, mine.id, mine.seal, Ed25519PublicKey.from_public_bytes(mine.config_key))


def question(code: str, **changes: object) -> dict[str, object]:
    sign, seal = fresh_keys()
    body: dict[str, object] = {
        "code": code,
        "signKey": b64url(sign.public_key().public_bytes_raw()),
        "sealKey": b64url(seal.public_key().public_bytes_raw()),
        "software": "test 1",
    }
    return body | changes


async def make_code(house: House, **body: object) -> str:
    path = f"/api/v1/events/{house.stage.event}/gates/enrolment-codes"
    status, answer = await house.ask("POST", path, house.organiser(), {"name": "North"} | body)
    assert status == 201
    assert isinstance(answer, dict)
    return str(answer["code"])


async def test_enrolment_over_http(house: House) -> None:
    code = await make_code(house, zones=2)
    assert code.startswith("TT1-")
    status, answer = await house.ask("POST", "/gate/v1/enrol", {}, question(code, name="My North"))
    assert status == 200
    assert isinstance(answer, dict)
    assert answer["eventId"] == str(house.stage.event)
    assert answer["tenantId"] == str(house.stage.tenant)
    assert (answer["name"], answer["eventName"], answer["zones"]) == ("My North", "Concert", 2)
    status, listed = await house.ask("GET", f"/api/v1/gates?eventId={house.stage.event}", house.organiser())
    assert status == 200
    assert isinstance(listed, dict)
    assert [item["id"] for item in listed["items"]] == [answer["gateId"]]
    status, again = await house.ask("POST", "/gate/v1/enrol", {}, question(code))
    assert isinstance(again, dict)
    assert (status, again["code"]) == (410, "enrolment_code_used")


async def test_eleventh_try_in_a_minute_has_to_wait(house: House) -> None:
    good = await make_code(house)
    for _ in range(10):
        status, answer = await house.ask("POST", "/gate/v1/enrol", {}, question("TT1-WRONG"))
        assert isinstance(answer, dict)
        assert (status, answer["code"]) == (404, "enrolment_code_unknown")
    status, answer = await house.ask("POST", "/gate/v1/enrol", {}, question(good))
    assert isinstance(answer, dict)
    assert (status, answer["code"]) == (429, "rate_limited")
    house.stage.clock.advance(timedelta(seconds=answer["retry"]["after"]))
    status, _ = await house.ask("POST", "/gate/v1/enrol", {}, question(good))
    assert status == 200


@pytest.mark.parametrize("changes", [{"signKey": "x"}, {"extra": 1}, {"software": 5}, {"sealKey": "!" * 43}])
async def test_malformed_enrolment_is_refused(house: House, changes: dict[str, object]) -> None:
    code = await make_code(house)
    status, _ = await house.ask("POST", "/gate/v1/enrol", {}, question(code, **changes))
    assert status == 400


async def test_only_managers_make_codes_and_revoke(house: House) -> None:
    gate = await house.stage.enrol()
    codes = f"/api/v1/events/{house.stage.event}/gates/enrolment-codes"
    for role in (Role.CUSTOMER, Role.DOOR_STAFF, Role.BOX_OFFICE):
        headers = house.organiser(role=role)
        assert (await house.ask("POST", codes, headers, {"name": "x"}))[0] == 403
        assert (await house.ask("POST", f"/api/v1/gates/{gate.id}/revoke", headers))[0] == 403
    assert (await house.ask("POST", codes, {}, {"name": "x"}))[0] == 401


async def test_another_tenants_organiser_finds_none_of_it(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    other = await set_up_with(stage.db, stage.vault, stage.clock, open_policy())
    headers = house.organiser(other)
    attempts = [
        ("POST", f"/api/v1/events/{stage.event}/gates/enrolment-codes", {"name": "x"}),
        ("GET", f"/api/v1/gates?eventId={stage.event}", None),
        ("POST", f"/api/v1/gates/{gate.id}/revoke", None),
        ("GET", f"/api/v1/events/{stage.event}/stats", None),
        ("GET", f"/api/v1/events/{stage.event}/scans", None),
        ("GET", f"/api/v1/events/{stage.event}/conflicts", None),
    ]
    for method, path, body in attempts:
        status, _ = await house.ask(method, path, headers, body)
        assert status == 404, path
    assert (await stage.enrolment.list_gates(stage.tenant, stage.event))[0].revoked_at is None
