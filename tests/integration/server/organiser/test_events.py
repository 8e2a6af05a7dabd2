"""An organiser makes, changes and opens an event."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.domain.access import Role
from shared.ids import TenantId
from shared.sync.feed import PolicyEntry
from tests.integration.server.doors.house import House
from tests.integration.server.organiser.office import Office, draft_body, event_of, moment, type_body


async def test_event_goes_from_draft_to_sale(office: Office) -> None:
    event = await office.draft(transferRules={"allowed": False}, refundRules={"deadlineS": 3600})
    path = f"/events/{event['id']}"
    assert event["status"] == "draft"
    customer = Office(office.house, Role.CUSTOMER)
    assert (await customer.refused("GET", path))[0] == 404
    assert await office.refused("POST", path + "/open") == (409, "event_not_ready")
    ticket_type = await office.made("POST", path + "/ticket-types", type_body())
    assert (ticket_type["available"], ticket_type["sold"], ticket_type["product"]) == (100, 0, 1)
    opened = await office.made("POST", path + "/open")
    assert opened["status"] == "open"
    assert (opened["total"], opened["available"], opened["reserved"], opened["sold"]) == (100, 100, 0, 0)
    assert await office.refused("POST", path + "/open") == (409, "event_state_wrong")
    assert (await customer.made("GET", path))["name"] == "Summer Closing"
    rules = opened["transferRules"]
    assert isinstance(rules, dict)
    assert (rules["allowed"], rules["cooldownS"]) == (False, 1800)
    assert isinstance(opened["refundRules"], dict)
    assert opened["refundRules"]["deadlineS"] == 3600
    first = await office.page("/organiser/events?limit=1")
    rest = await office.page(f"/organiser/events?limit=5&cursor={first.cursor}")
    assert rest.cursor is None
    assert {one["id"] for one in first.items + rest.items} == {event["id"], str(office.event)}


async def test_how_fast_codes_and_keys_turn_is_chosen_with_the_event(office: Office) -> None:
    usual, quick = await office.draft(), await office.draft(slotS=10, epochS=3600)
    assert (usual["slotS"], usual["epochS"]) == (15, 86_400)
    assert (quick["slotS"], quick["epochS"]) == (10, 3600)
    for odd in ({"slotS": 9}, {"slotS": 61}, {"epochS": 3599}, {"epochS": 604_801}):
        assert (await office.refused("POST", "/events", draft_body() | odd))[0] == 400


async def test_change_needs_the_version_that_was_read(office: Office) -> None:
    event = await office.draft()
    path = f"/events/{event['id']}"
    assert (await office.refused("PATCH", path, {"name": "New"}))[0] == 400
    changes = [{"version": event["version"], "name": f"Name {n}", "maxPerUser": 3} for n in range(2)]
    answers = await asyncio.gather(*(office.call("PATCH", path, one) for one in changes))
    assert sorted(status for status, _ in answers) == [200, 409]
    assert next(answer["code"] for status, answer in answers if status == 409) == "version_stale"
    after = await event_of(office, event["id"])
    assert after["maxPerUser"] == 3
    assert after["version"] != event["version"]


async def test_gates_are_told_of_new_rules(office: Office) -> None:
    before = await event_of(office, office.event)
    changes = {"version": before["version"], "reEntries": None, "exits": True, "capacity": 500, "cooldownS": 60}
    gates = [str(uuid4()), str(uuid4())]
    changes["areaLimits"] = [{"gates": gates, "capacity": 80}]
    after = await office.made("PATCH", f"/events/{office.event}/policy", changes)
    policy = after["policy"]
    assert isinstance(policy, dict)
    assert (policy["version"], policy["reEntries"], policy["capacity"]) == (2, None, 500)
    assert int(str(after["bundleVersion"])) == int(str(before["bundleVersion"])) + 1
    told = await office.told(lambda one: isinstance(one, PolicyEntry) and one.policy.version == 2)
    assert isinstance(told, PolicyEntry)
    assert (told.policy.capacity, told.policy.exits) == (500, True)
    assert [(area.capacity, [str(gate) for gate in area.gates]) for area in told.policy.area_limits] == [(80, gates)]
    assert policy["areaLimits"] == changes["areaLimits"]
    empty = {"version": after["version"], "areaLimits": [{"gates": [], "capacity": 80}]}
    assert (await office.refused("PATCH", f"/events/{office.event}/policy", empty))[0] == 400


async def test_rules_begin_with_a_kind_of_event_and_what_differs_is_changed(office: Office) -> None:
    festival = await office.draft(template="festival")
    rules = festival["policy"]
    assert isinstance(rules, dict)
    assert (rules["exits"], rules["reEntries"], rules["cooldownS"], rules["staticCodes"]) == (True, None, 120, True)
    path = f"/events/{festival['id']}/policy"
    changes = {"version": festival["version"], "template": "vip", "cooldownS": 30, "graceS": 60}
    changed = await office.made("PATCH", path, changes)
    rules = changed["policy"]
    assert isinstance(rules, dict)
    assert (rules["exits"], rules["idCheck"], rules["unknown"]) == (False, True, "supervisor")
    assert (rules["version"], rules["cooldownS"], rules["graceS"]) == (2, 30, 60)
    wrong = {"version": changed["version"], "template": "wedding"}
    assert await office.refused("PATCH", path, wrong) == (400, "request_invalid")
    assert await office.refused("POST", "/events", draft_body() | {"template": ""}) == (400, "request_invalid")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"doorsAt": moment(days=40)}, "schedule_invalid"),
        ({"endsAt": moment(days=200)}, "schedule_invalid"),
        ({"doorsAt": "0001-01-01T00:00:00Z"}, "schedule_invalid"),
        ({"saleEndsAt": "9999-12-31T23:59:59Z"}, "schedule_invalid"),
        ({"saleStartsAt": moment(days=31)}, "schedule_invalid"),
        ({"revealAt": moment(days=31)}, "schedule_invalid"),
        ({"transferRules": {"blackoutFrom": "0001-01-01T00:00:00Z"}}, "schedule_invalid"),
        ({"name": "left \u202e right"}, "name_unusable"),
        ({"name": "two\nlines"}, "name_unusable"),
        ({"name": "\x00"}, "name_unusable"),
        ({"name": "x" * 201}, "request_invalid"),
        ({"name": "   "}, "request_invalid"),
        ({"doorsAt": "2026-07-20T18:00:00"}, "request_invalid"),
        ({"unknownField": 1}, "request_invalid"),
    ],
)
async def test_event_that_makes_no_sense_is_refused(office: Office, changes: dict[str, object], code: str) -> None:
    assert (await office.refused("POST", "/events", draft_body() | changes))[1] == code


async def test_names_of_every_script_are_kept(office: Office) -> None:
    for name in ("Ünïcode 🎉🏳️‍🌈", "مهرجان الصيف", "夏祭り", "🎶" * 100):
        assert (await office.draft(name=f"  {name} "))["name"] == name


async def test_rules_that_cannot_work_are_refused(office: Office) -> None:
    event = await office.draft()
    path = f"/events/{event['id']}/policy"
    assert (await office.refused("PATCH", path, {"version": event["version"], "reEntries": 3}))[1] == "schedule_invalid"
    assert (await office.refused("PATCH", path, {"version": event["version"], "capacity": 0}))[1] == "schedule_invalid"
    assert (await office.refused("PATCH", path, {"version": event["version"], "reEntries": -1}))[0] == 400


async def test_another_tenants_event_looks_absent(office: Office, house: House) -> None:
    stranger = Office(house)
    stranger.user = replace(stranger.user, tenant=TenantId(uuid4()), role=Role.ADMIN)
    for method, path, body in (
        ("GET", "/organiser/events/{}", None),
        ("PATCH", "/events/{}", {"version": 1}),
        ("PATCH", "/events/{}/policy", {"version": 1}),
        ("POST", "/events/{}/open", None),
        ("POST", "/events/{}/close", {}),
        ("POST", "/events/{}/cancel", {"reason": "rain"}),
        ("GET", "/events/{}/ending", None),
        ("GET", "/events/{}/refunds-due", None),
        ("GET", "/events/{}/tickets", None),
        ("POST", "/events/{}/ticket-types", type_body()),
        ("POST", "/events/{}/zones", {"bit": 0, "name": "x"}),
        ("GET", "/events/{}/zones", None),
        ("GET", "/events/{}/seats", None),
    ):
        assert (await stranger.refused(method, path.format(office.event), body))[0] == 404, path
    assert (await stranger.made("GET", "/organiser/events"))["items"] == []


async def test_only_managers_shape_events(house: House) -> None:
    for role in (Role.CUSTOMER, Role.DOOR_STAFF, Role.BOX_OFFICE):
        other = Office(house, role)
        assert await other.refused("POST", "/events", draft_body()) == (403, "scope_missing")
        assert await other.refused("POST", f"/events/{other.event}/cancel", {"reason": "no"}) == (403, "scope_missing")
