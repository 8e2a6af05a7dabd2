"""What people decide about conflicts, over HTTP."""

from __future__ import annotations

from uuid import UUID, uuid4

from server.domain.access import Role
from server.services.rows_gates import ConflictRow
from shared.ids import ConflictId
from tests.integration.server.doors.house import House
from tests.integration.server.doors.stage import open_policy, set_up_with


async def collide(house: House) -> str:
    """Have a ticket let in at two gates and return the conflict's path."""
    stage = house.stage
    [ticket] = await stage.issue(1)
    for name in ("North", "South"):
        gate = await stage.enrol(name)
        await gate.scan(ticket)
        await gate.hand_over()
    _, answer = await house.ask("GET", f"/api/v1/events/{stage.event}/conflicts", house.organiser())
    assert isinstance(answer, dict)
    [item] = answer["items"]
    assert (item["state"], item["decidedBy"], item["note"]) == ("open", None, None)
    return f"/api/v1/conflicts/{item['id']}"


async def stored(house: House, path: str) -> ConflictRow:
    """Return a conflict as stored."""
    async with house.stage.db.tenant(house.stage.tenant) as tx:
        row = await tx.conflicts.lock(ConflictId(UUID(path.rpartition("/")[2])))
    assert row is not None
    return row


async def decide(house: House, path: str, body: object = None) -> dict[str, object]:
    """Make a decision that is taken and return the conflict."""
    status, answer = await house.ask("POST", path, house.organiser(), body)
    assert status == 200
    assert isinstance(answer, dict)
    return answer


async def test_a_conflict_is_looked_into_and_settled_once(house: House) -> None:
    path = await collide(house)
    for _ in range(2):
        seen = await decide(house, path + "/acknowledge")
        assert seen["state"] == "acknowledged"
    finding = {"resolution": "benign", "note": "twins with one name"}
    settled = await decide(house, path + "/resolve", finding)
    assert await decide(house, path + "/resolve", finding) == settled
    assert (settled["state"], settled["resolution"], settled["note"]) == ("resolved", "benign", "twins with one name")
    assert settled["decidedBy"]
    for action, body in (("resolve", {"resolution": "fraud"}), ("acknowledge", None)):
        status, refusal = await house.ask("POST", f"{path}/{action}", house.organiser(), body)
        assert isinstance(refusal, dict)
        assert (status, refusal["code"]) == (409, "conflict_settled")
    assert (await stored(house, path)).resolution == "benign"
    status, read = await house.ask("GET", path, house.organiser(role=Role.DOOR_STAFF))
    assert (status, read) == (200, settled)


async def test_only_those_who_may_decide_and_only_about_their_own(house: House) -> None:
    path = await collide(house)
    stage = house.stage
    other = await set_up_with(stage.db, stage.vault, stage.clock, open_policy())
    body = {"resolution": "fraud"}
    assert (await house.ask("POST", path + "/resolve", house.organiser(role=Role.DOOR_STAFF), body))[0] == 403
    assert (await house.ask("POST", path + "/resolve", house.organiser(other), body))[0] == 404
    assert (await house.ask("POST", path + "/resolve", house.organiser(), {"resolution": "luck"}))[0] == 400
    status, refusal = await house.ask("GET", f"/api/v1/conflicts/{uuid4()}", house.organiser())
    assert isinstance(refusal, dict)
    assert (status, refusal["code"]) == (404, "conflict_not_found")
    assert (await stored(house, path)).state == "open"
