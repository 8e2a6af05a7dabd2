"""Checking in by way of the server: the same rule and the same ledger as at the gates."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from server.domain.access import Role
from server.domain.server_gate import NAME, server_gate_id
from server.services.checkin import CheckinRequest, check_in
from server.services.event_requests import PolicyChanges
from server.services.events import change_policy, read_event
from server.services.problems_access import AlreadyCheckedIn
from shared.admission.policy import AreaLimit
from shared.sync.feed import AdmissionEntry, GateEntry, TicketEntry
from shared.tickets.lifecycle import State
from tests.integration.server.access.stage import Door


async def test_a_code_is_validated_without_any_effect(door: Door) -> None:
    ticket = await door.buy()
    code = await door.code(ticket)
    for path in ("/api/v1/tickets/validate", f"/api/v1/tickets/{ticket}/validate"):
        for _ in range(2):
            reply = await door.post(path, door.staff(), {"code": code})
            assert reply.status == 200, reply.body
            said = reply.json
            assert (said["valid"], said["reason"], said["ticketId"]) == (True, "ok", str(ticket))
            assert (said["status"], said["eventName"], said["ticketTypeName"]) == ("active", "Opening", "Standing")
    assert (await door.served.shop.ticket(ticket)).state is State.ACTIVE


async def test_what_does_not_count_is_an_answer_with_a_reason(door: Door) -> None:
    ticket, other = await door.buy(), await door.buy()
    code = await door.code(ticket)
    staff = door.staff()

    async def reason(path: str, text: str) -> object:
        reply = await door.post(path, staff, {"code": text})
        assert reply.status == 200, reply.body
        assert reply.json["valid"] is False
        return reply.json["reason"]

    assert await reason("/api/v1/tickets/validate", "https://example.org/menu") == "code_unreadable"
    assert await reason(f"/api/v1/tickets/{other}/validate", code) == "ticket_mismatch"
    assert (
        await reason("/api/v1/tickets/validate", code[:-3] + ("AAA" if code[-3:] != "AAA" else "BBB")) == "code_forged"
    )
    door.clock.advance(timedelta(minutes=5))
    assert await reason("/api/v1/tickets/validate", code) == "code_stale"


async def test_a_check_in_happens_once_and_the_gates_are_told(door: Door) -> None:
    ticket = await door.buy()
    staff = door.staff()
    first = await door.post(f"/api/v1/tickets/{ticket}/checkin", staff, {"code": await door.code(ticket)})
    assert first.status == 200, first.body
    assert (first.json["admitted"], first.json["reason"], first.json["status"]) == (True, "ok", "checked_in")
    at = door.clock.now()
    door.clock.advance(timedelta(minutes=2))
    again = await door.post(f"/api/v1/tickets/{ticket}/checkin", staff, {"code": await door.code(ticket)})
    assert (again.status, again.code) == (409, "already_checked_in")
    known = msgspec.convert(again.json["first"], dict[str, str])
    assert (known["at"], known["gateName"]) == (at.isoformat().replace("+00:00", "Z"), NAME)
    assert known["gateId"] == str(server_gate_id(door.event))
    told = await door.served.shop.queued()
    assert [one.name for one in told if isinstance(one, GateEntry)] == [NAME]
    (admission,) = [one.admission for one in told if isinstance(one, AdmissionEntry)]
    assert (admission.gate, admission.proven, admission.online) == (server_gate_id(door.event), True, True)
    assert [one.state for one in told if isinstance(one, TicketEntry)][-1] is State.CHECKED_IN
    valid = await door.post("/api/v1/tickets/validate", staff, {"code": await door.code(ticket)})
    assert (valid.json["valid"], valid.json["reason"]) == (False, "already_used")
    figures = await door.served.call("GET", f"/api/v1/events/{door.event}/stats", staff)
    assert (figures.json["entries"], figures.json["refusedByReason"]) == (1, {"already_used": 1})


async def test_of_many_at_once_one_gets_in(door: Door) -> None:
    ticket = await door.buy()
    code, staff = await door.code(ticket), door.staff()
    request = CheckinRequest(code=code)
    context = door.served.shop.context
    ended = await asyncio.gather(*(check_in(context, staff, ticket, request) for _ in range(8)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["AlreadyCheckedIn"] * 7 + ["CheckedIn"]
    problem = next(one for one in ended if isinstance(one, AlreadyCheckedIn))
    assert problem.first is not None
    assert problem.first.gate_name == NAME


async def test_outside_the_window_and_revoked_tickets_stay_outside(door: Door) -> None:
    ticket = await door.buy()
    staff = door.staff()
    door.clock.advance(-timedelta(hours=2))
    early = await door.post(f"/api/v1/tickets/{ticket}/checkin", staff, {"code": await door.code(ticket)})
    assert (early.status, early.json["admitted"], early.json["reason"]) == (200, False, "not_yet_valid")
    assert early.json["status"] == "active"


async def test_forcing_is_a_supervisors_right_with_a_reason(door: Door) -> None:
    ticket = await door.buy()
    path = f"/api/v1/tickets/{ticket}/checkin"
    forced = {"force": True, "reason": "phone_broken"}
    assert (await door.post(path, door.staff(), forced)).code == "scope_missing"
    manager = door.staff(Role.VENUE_MANAGER)
    assert (await door.post(path, manager, {"force": True})).code == "force_unexplained"
    assert (await door.post(path, manager, {})).code == "code_needed"
    reply = await door.post(path, manager, forced)
    assert (reply.status, reply.json["admitted"], reply.json["forced"]) == (200, True, True), reply.body
    assert reply.json["status"] == "checked_in"
    # Nobody saw a code, and yet everybody learns of it: it is the server's own word.
    told = [one.admission for one in await door.served.shop.queued() if isinstance(one, AdmissionEntry)]
    assert [(one.override, one.proven) for one in told] == [(True, False)]
    door.clock.advance(timedelta(minutes=1))
    shown = await door.post(path, door.staff(), {"code": await door.code(ticket)})
    assert (shown.status, shown.code) == (409, "already_checked_in")


async def test_another_organisers_ticket_looks_absent(door: Door) -> None:
    ticket = await door.buy()
    code = await door.code(ticket)
    for what in ("validate", "checkin"):
        reply = await door.post(f"/api/v1/tickets/{ticket}/{what}", door.stranger(), {"code": code})
        assert (reply.status, reply.code) == (404, "ticket_not_found")
    said = await door.post("/api/v1/tickets/validate", door.stranger(), {"code": code})
    assert (said.json["valid"], said.json["reason"], said.json["ticketId"]) == (False, "wrong_event", None)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.BOX_OFFICE])
async def test_only_scanners_scan(role: Role, door: Door) -> None:
    for path in ("/api/v1/tickets/validate", f"/api/v1/tickets/{uuid4()}/checkin"):
        reply = await door.post(path, door.staff(role), {"code": "x"})
        assert (reply.status, reply.code) == (403, "scope_missing")


async def test_a_gate_that_is_named_brings_its_rules(door: Door) -> None:
    ticket = await door.buy()
    staff = door.staff()
    reply = await door.post(
        "/api/v1/tickets/validate", staff, {"code": await door.code(ticket), "gateId": str(uuid4())}
    )
    assert (reply.status, reply.code) == (400, "gate_elsewhere")
    out = await door.post(
        f"/api/v1/tickets/{ticket}/checkin", staff, {"code": await door.code(ticket), "direction": "exit"}
    )
    assert (out.json["admitted"], out.json["reason"]) == (False, "wrong_gate")


async def test_a_full_area_stops_check_ins_at_its_gates(door: Door) -> None:
    first, second = await door.buy(), await door.buy()
    staff, organiser, context = door.staff(), door.staff(Role.VENUE_MANAGER), door.served.shop.context
    area = AreaLimit(gates=(server_gate_id(door.event),), capacity=1)
    event = await read_event(context, organiser, door.event)
    changes = PolicyChanges(version=event.version, area_limits=(area,))
    await change_policy(context, organiser, door.event, changes)
    answers = []
    for ticket in (first, second):
        reply = await door.post(f"/api/v1/tickets/{ticket}/checkin", staff, {"code": await door.code(ticket)})
        answers.append((reply.json["admitted"], reply.json["reason"]))
    assert answers == [(True, "ok"), (False, "capacity_full")]
