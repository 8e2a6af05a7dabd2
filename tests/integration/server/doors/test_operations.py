"""What organisers see of the doors."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from server.domain.access import Role
from server.services.stats import EventFigures
from shared.admission.verdict import Direction, Reason
from tests.integration.server.doors.house import House
from tests.integration.server.doors.stage import Stage


async def perform(stage: Stage) -> None:
    """Three people enter, one of them again with a copy, one leaves, two are refused, one code is a stranger's."""
    tickets = await stage.issue(4)
    north, south = await stage.enrol("North"), await stage.enrol("South")
    out = await stage.enrol("Out", Direction.EXIT)
    for ticket in tickets[:3]:
        stage.clock.advance(timedelta(seconds=10))
        await north.scan(ticket)
    stage.clock.advance(timedelta(seconds=10))
    await south.scan(tickets[2])
    await south.scan(tickets[0], admitted=False, reason=Reason.ALREADY_USED_ELSEWHERE)
    await south.scan(tickets[3], admitted=False, reason=Reason.CODE_UNREADABLE, handle_hash=None, proof=None)
    await south.scan(tickets[3], handle_hash=bytes(16), admitted=False, reason=Reason.UNKNOWN_TICKET)
    stage.clock.advance(timedelta(minutes=10))
    await out.scan(tickets[1], reason=Reason.EXIT_OK)
    for gate in (north, south, out):
        await gate.hand_over()


async def test_figures_count_everybody(house: House) -> None:
    await perform(house.stage)
    status, answer = await house.ask("GET", f"/api/v1/events/{house.stage.event}/stats", house.organiser())
    assert status == 200
    figures = msgspec.convert(answer, EventFigures)
    assert (figures.tickets, figures.entries, figures.exits, figures.inside) == (4, 4, 1, 3)
    assert (figures.tickets_used, figures.scans, figures.unmatched) == (3, 8, 1)
    assert figures.refused_by_reason == {"already_used_elsewhere": 1, "code_unreadable": 1, "unknown_ticket": 1}
    assert figures.conflicts_by_class == {"clone": 1}
    by_gate = sorted((gate.name, gate.entries, gate.exits, gate.refused) for gate in figures.by_gate)
    assert by_gate == [("North", 3, 0, 0), ("Out", 0, 1, 0), ("South", 1, 0, 3)]


async def test_figures_of_an_empty_event_are_nought(house: House) -> None:
    status, answer = await house.ask("GET", f"/api/v1/events/{house.stage.event}/stats", house.organiser())
    assert status == 200
    figures = msgspec.convert(answer, EventFigures)
    assert (figures.entries, figures.inside, figures.scans, figures.by_gate) == (0, 0, 0, [])


async def test_conflict_comes_with_its_evidence(house: House) -> None:
    await perform(house.stage)
    path = f"/api/v1/events/{house.stage.event}/conflicts"
    status, answer = await house.ask("GET", path, house.organiser())
    assert status == 200
    assert isinstance(answer, dict)
    [conflict] = answer["items"]
    assert (conflict["kind"], conflict["severity"], conflict["state"]) == ("clone", "high", "open")
    earlier, later = conflict["evidence"]["earlier"], conflict["evidence"]["later"]
    assert (earlier["gateName"], later["gateName"]) == ("North", "South")
    assert (earlier["proven"], later["proven"]) == (True, True)
    assert (earlier["at"], later["at"]) == ("2026-06-20T18:00:30Z", "2026-06-20T18:00:40Z")
    assert "stale" not in conflict["evidence"]


async def test_scans_come_in_pages_each_once(house: House) -> None:
    await perform(house.stage)
    path = f"/api/v1/events/{house.stage.event}/scans?limit=3"
    seen: list[dict[str, object]] = []
    cursor = ""
    sizes = []
    while True:
        status, answer = await house.ask("GET", path + cursor, house.organiser())
        assert status == 200
        assert isinstance(answer, dict)
        seen += answer["items"]
        sizes.append(len(answer["items"]))
        if not answer["pagination"]["hasMore"]:
            break
        cursor = f"&cursor={answer['pagination']['nextCursor']}"
    assert sizes == [3, 3, 2]
    assert len({item["scanId"] for item in seen}) == 8
    times = [str(item["at"]) for item in seen]
    assert times == sorted(times, reverse=True)
    assert "body" not in seen[0]
    refused = next(item for item in seen if item["reason"] == "unknown_ticket")
    assert (refused["ticketId"], refused["serverReason"]) == (None, "unknown_ticket")


async def test_customers_see_no_figures(house: House) -> None:

    for what in ("stats", "scans", "conflicts"):
        path = f"/api/v1/events/{house.stage.event}/{what}"
        assert (await house.ask("GET", path, house.organiser(role=Role.CUSTOMER)))[0] == 403
        assert (await house.ask("GET", path, house.organiser(role=Role.DOOR_STAFF)))[0] == 200
