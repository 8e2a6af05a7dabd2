"""An event's keys are replaced over REST as on the command line: by administrators, once for each request."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from server.domain.access import Role
from server.services.context import OVERLAP
from shared.sync.wire import BundleFrame
from tests.integration.server.doors.house import House
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.stage import open_policy, set_up_with


def keyed(headers: dict[str, str]) -> dict[str, str]:
    """Return headers with a fresh Idempotency-Key."""
    return headers | {"Idempotency-Key": f"rotation-{uuid4()}"}


async def test_keys_are_replaced_from_the_next_epoch_or_at_once_and_gates_get_them(house: House) -> None:
    stage = house.stage
    gate = await stage.enrol()
    await stage.prove((await stage.issue(1))[0], stage.clock.now())
    wire, frames = await enter(house, gate, feed_seq=await settle(house))
    assert any(isinstance(one, BundleFrame) for one in frames)
    admin, path = house.organiser(role=Role.ADMIN), f"/api/v1/events/{stage.event}/keys"
    _, before = await house.ask("GET", path, admin)
    assert isinstance(before, dict)
    assert (before["series"], before["gates"], before["gatesBehind"]) == (0, 1, 1)
    status, scheduled = await house.ask("POST", path + "/rotate", keyed(admin), {"mode": "scheduled"})
    assert isinstance(scheduled, dict)
    assert (status, scheduled["acceptedUntil"], scheduled["firstEpoch"]) == (200, None, before["epoch"] + 1)
    await wire.until(BundleFrame)
    once = keyed(admin)
    answers = [await house.ask("POST", path + "/rotate", once, {"mode": "emergency"}) for _ in range(2)]
    assert answers[0] == answers[1]
    status, emergency = answers[0]
    assert isinstance(emergency, dict)
    assert datetime.fromisoformat(emergency["acceptedUntil"]) - stage.clock.now() == OVERLAP
    await wire.until(BundleFrame)
    _, after = await house.ask("GET", path, admin)
    assert isinstance(after, dict)
    assert after["series"] == 2


async def test_nobody_else_replaces_or_sees_keys(house: House) -> None:
    stage, path = house.stage, f"/api/v1/events/{house.stage.event}/keys"
    foreign = await set_up_with(stage.db, stage.vault, stage.clock, open_policy())
    rotate = {"mode": "emergency"}
    for headers, wanted in ((house.organiser(), 403), (house.organiser(foreign, Role.ADMIN), 404)):
        assert (await house.ask("POST", path + "/rotate", keyed(headers), rotate))[0] == wanted
        assert (await house.ask("GET", path, headers))[0] == wanted
    admin = house.organiser(role=Role.ADMIN)
    assert (await house.ask("POST", path + "/rotate", admin, rotate))[0] == 400
    assert (await house.ask("POST", path + "/rotate", keyed(admin), {"mode": "now"}))[0] == 400
    assert (await stage.event_row()).key_series == 0
