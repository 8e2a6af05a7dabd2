"""Supervisors: named by organisers, known to the gates they are for, and by nothing that gives their PIN away."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.domain.access import Role
from server.domain.pins import SHORTEST, find_fault
from server.services.bundles import make_bundle
from server.services.enrol import Enrolled, Enrolment, GateWish
from server.services.rows_access import SupervisorRow
from shared.codes.bundle import MOST_SUPERVISORS, KeyBundle, open_bundle
from shared.ids import EventId, SupervisorId
from tests.integration.server.access.stage import Door
from tests.integration.server.doors.paper_gate import application

PATH = "/api/v1/supervisors"


class Lane:
    """A gate that opens what is sealed to it."""

    def __init__(self, door: Door, enrolled: Enrolled, seal: X25519PrivateKey) -> None:
        self.gate = enrolled.gate
        self._door = door
        self._config = Ed25519PublicKey.from_public_bytes(enrolled.config_key)
        self._seal = seal

    async def bundle(self) -> KeyBundle:
        """Return the gate's key bundle as it would be sent now."""
        context = self._door.served.shop.context
        async with context.db.tenant(self._door.tenant) as tx:
            event = await tx.events.get(self.gate.event)
            assert event is not None
            made = await make_bundle(tx, context, self.gate, event, context.clock.now())
        return open_bundle(made.sealed, self.gate.id, self._seal, self._config)


async def enrol(door: Door, name: str, event: EventId | None = None) -> Lane:
    """Enrol a gate."""
    context = door.served.shop.context
    enrolment = Enrolment(context.db, context.vault, context.random_bytes)
    wish = GateWish(event=event or door.event, name=name)
    issued = await enrolment.issue_code(door.tenant, wish, context.clock.now())
    sign, seal = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    return Lane(door, await enrolment.enrol(application(issued.code, sign, seal), context.clock.now()), seal)


async def name(door: Door, **body: object) -> dict[str, object]:
    """Name a supervisor and return the answer."""
    reply = await door.post(PATH, door.staff(Role.VENUE_MANAGER), {"name": "Sam"} | body)
    assert reply.status == 201, reply.body
    return reply.json


async def test_a_gate_learns_of_its_supervisors_and_can_tell_their_pin(door: Door) -> None:
    north, south = await enrol(door, "North"), await enrol(door, "South")
    elsewhere = await enrol(door, "Elsewhere", await door.other_event())
    before = await north.bundle()
    assert before.supervisors == ()
    everywhere = await name(door, name="Everywhere", pin="827364")
    here = await name(door, name="Here", eventId=str(door.event))
    only_south = await name(door, name="South only", eventId=str(door.event), gateIds=[str(south.gate.id)])
    after = await north.bundle()
    assert [one.label for one in after.supervisors] == ["Everywhere", "Here"]
    assert [one.label for one in (await south.bundle()).supervisors] == ["Everywhere", "Here", "South only"]
    assert [one.label for one in (await elsewhere.bundle()).supervisors] == ["Everywhere"]
    assert after.version > before.version
    for answer, entry in zip((everywhere, here), after.supervisors, strict=True):
        pin = str(answer["pin"])
        assert find_fault(pin) is None
        assert pin not in repr(entry) + entry.verifier
        assert entry.verifier.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert await asyncio.to_thread(PasswordHasher().verify, entry.verifier, pin)
        with pytest.raises(VerifyMismatchError):
            await asyncio.to_thread(PasswordHasher().verify, entry.verifier, "827365")
    assert everywhere["pin"] == "827364"
    assert len(str(only_south["pin"])) == SHORTEST


async def test_pins_are_set_anew_and_supervisors_dismissed(door: Door) -> None:
    north = await enrol(door, "North")
    manager = door.staff(Role.VENUE_MANAGER)
    made = await name(door, pin="827364")
    supervisor = msgspec.convert(made["supervisor"], dict[str, object])["id"]
    first = await north.bundle()
    reset = await door.post(f"{PATH}/{supervisor}/pin", manager, {})
    assert reset.status == 200, reset.body
    second = await north.bundle()
    assert second.version > first.version
    (entry,) = second.supervisors
    assert await asyncio.to_thread(PasswordHasher().verify, entry.verifier, str(reset.json["pin"]))
    listed = await door.served.call("GET", PATH, manager)
    assert [one["name"] for one in msgspec.convert(listed.json["items"], list[dict[str, object]])] == ["Sam"]
    assert b"argon2" not in listed.body
    assert (await door.served.call("DELETE", f"{PATH}/{supervisor}", manager)).status == 204
    third = await north.bundle()
    assert third.supervisors == ()
    assert third.version > second.version
    assert (await door.served.call("GET", PATH, manager)).json["items"] == []
    for reply in (
        await door.served.call("DELETE", f"{PATH}/{supervisor}", manager),
        await door.post(f"{PATH}/{supervisor}/pin", manager, {}),
    ):
        assert (reply.status, reply.code) == (404, "supervisor_not_found")


@pytest.mark.parametrize(
    "pin", ["123456", "654321", "111111", "121212", "123123", "112233", "20262026", "19991231", "975310"]
)
async def test_pins_everybody_tries_are_refused(pin: str, door: Door) -> None:
    reply = await door.post(PATH, door.staff(Role.VENUE_MANAGER), {"name": "Sam", "pin": pin})
    if pin == "975310":
        assert reply.status == 201
        return
    assert (reply.status, reply.code) == (400, "pin_unusable")
    assert pin.encode() not in reply.body


async def test_whose_supervisors_they_are(door: Door) -> None:
    made = await name(door, pin="827364")
    supervisor = msgspec.convert(made["supervisor"], dict[str, object])["id"]
    stranger = door.stranger()
    assert (await door.served.call("DELETE", f"{PATH}/{supervisor}", stranger)).code == "supervisor_not_found"
    assert (await door.served.call("GET", PATH, stranger)).json["items"] == []
    assert (await door.post(PATH, door.staff(), {"name": "Sam"})).code == "scope_missing"
    other = await enrol(door, "Elsewhere", await door.other_event())
    manager = door.staff(Role.VENUE_MANAGER)
    wrong = {"name": "Sam", "eventId": str(door.event), "gateIds": [str(other.gate.id)]}
    assert (await door.post(PATH, manager, wrong)).code == "gate_elsewhere"
    door.clock.advance(timedelta(days=30))
    assert (await door.post(PATH, manager, {"name": "Sam", "eventId": str(stranger.tenant)})).code == "event_not_found"


async def test_a_gate_knows_so_many_supervisors_and_no_more(door: Door) -> None:
    context = door.served.shop.context
    async with context.db.tenant(door.tenant) as tx:
        for number in range(MOST_SUPERVISORS):
            await tx.supervisors.add(
                SupervisorRow(
                    tenant=door.tenant,
                    id=SupervisorId(uuid4()),
                    name=f"{number}",
                    verifier="x" * 90,
                    event=door.event,
                    gates=[],
                    created_at=door.clock.now(),
                )
            )
    refused = await door.post(PATH, door.staff(Role.VENUE_MANAGER), {"name": "Sam", "pin": "827364"})
    assert (refused.status, refused.code) == (409, "too_many_supervisors")
    elsewhere = await name(door, eventId=str(await door.other_event()))
    assert len(str(elsewhere["pin"])) == SHORTEST
