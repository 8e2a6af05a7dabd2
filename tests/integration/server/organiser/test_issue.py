"""Tickets given away and sold at the box office: stock moves with them, all or none."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from server.domain.access import Role
from shared.sync.feed import TicketEntry
from tests.integration.server.organiser.office import Office, event_of, ticket_of, type_body


def order(ticket_type: object, count: int = 1, **line: object) -> dict[str, object]:
    """Return a request for some tickets."""
    return {"reason": "guest list", "tickets": [{"ticketTypeId": ticket_type, **line}] * count}


async def test_issued_ticket_is_good_at_the_door(office: Office) -> None:
    made = await office.made("POST", f"/events/{office.event}/ticket-types", type_body() | {"total": 3})
    box_office = Office(office.house, Role.BOX_OFFICE)
    owner = str(uuid4())
    (ticket,) = await box_office.issue(office.event, made["id"], holderName="Ada", ownerId=owner)
    row = await office.house.stage.ticket(ticket)
    known_as = await office.house.stage.handle_hash(row)
    told = await office.told(lambda one: isinstance(one, TicketEntry) and one.handle_hash == known_as)
    assert isinstance(told, TicketEntry)
    assert (told.state, told.product) == ("active", made["product"])
    seen = await ticket_of(office, ticket)
    assert (seen["ownerId"], seen["holderName"], seen["orderId"]) == (owner, "Ada", None)
    history = seen["history"]
    assert isinstance(history, list)
    assert [(one["toStatus"], one["source"], one["reason"]) for one in history] == [
        ("sold", "issue", "guest list"),
        ("active", "issue", "guest list"),
    ]
    assert {one["actorId"] for one in history} == {str(box_office.user.user)}


async def test_issuing_moves_stock_and_stops_at_its_end(office: Office) -> None:
    event, ticket_type = await office.draft_with_type(total=5)
    path = f"/events/{event}/tickets/issue"
    calls = (office.call("POST", path, order(ticket_type["id"], 2), key=uuid4().hex) for _ in range(4))
    answers = await asyncio.gather(*calls)
    assert sorted(status for status, _ in answers) == [201, 201, 422, 422]
    assert {answer["code"] for status, answer in answers if status == 422} == {"not_enough_left"}
    after = await event_of(office, event)
    assert (after["available"], after["reserved"], after["sold"]) == (1, 0, 4)
    assert len((await office.page(f"/events/{event}/tickets")).items) == 4


async def test_same_call_again_issues_nothing_more(office: Office) -> None:
    event, ticket_type = await office.draft_with_type()
    path, key = f"/events/{event}/tickets/issue", uuid4().hex
    first = await office.made("POST", path, order(ticket_type["id"], 3), key=key)
    assert await office.made("POST", path, order(ticket_type["id"], 3), key=key) == first
    assert (await office.refused("POST", path, order(ticket_type["id"], 2), key=key))[1] == "idempotency_key_reused"
    assert (await office.refused("POST", path, order(ticket_type["id"]), key="x"))[1] == "idempotency_key_unusable"
    assert (await event_of(office, event))["sold"] == 3


async def test_one_bad_line_issues_nothing(office: Office) -> None:
    event, ticket_type = await office.draft_with_type()
    seated = await office.made("POST", f"/events/{event}/ticket-types", type_body() | {"seated": True, "total": 0})
    body = {"ticketTypeId": seated["id"], "labels": ["A 1"]}
    await office.made("POST", f"/events/{event}/seats", body)
    (seat,) = (await office.page(f"/events/{event}/seats")).items
    path = f"/events/{event}/tickets/issue"
    good = {"ticketTypeId": ticket_type["id"]}
    on_seat = {"ticketTypeId": seated["id"], "seatId": seat["seatId"]}
    for line, code in (
        ({"ticketTypeId": str(uuid4())}, "ticket_type_not_found"),
        ({"ticketTypeId": seated["id"]}, "not_seated"),
        ({"ticketTypeId": ticket_type["id"], "seatId": seat["seatId"]}, "not_seated"),
        ({"ticketTypeId": seated["id"], "seatId": str(uuid4())}, "seat_not_free"),
        (good | {"holderName": "a\nb"}, "name_unusable"),
        (good | {"holderName": "x" * 501}, "request_invalid"),
    ):
        body = {"reason": "guest list", "tickets": [good, line]}
        assert (await office.refused("POST", path, body, key=uuid4().hex))[1] == code
    twice = {"reason": "guest list", "tickets": [on_seat, on_seat]}
    assert (await office.refused("POST", path, twice, key=uuid4().hex))[0] in {409, 422}
    assert (await office.refused("POST", path, order(ticket_type["id"], 101), key=uuid4().hex))[0] == 400
    assert (await event_of(office, event))["sold"] == 0
    both = {"reason": "guest list", "tickets": [on_seat, good]}
    made = await office.made("POST", path, both, key=uuid4().hex)
    assert isinstance(made["tickets"], list)
    assert [one["seat"] for one in made["tickets"]] == ["A 1", ""]
    assert (await office.refused("POST", path, both, key=uuid4().hex))[1] == "not_enough_left"


async def test_foreign_type_and_foreign_event_are_not_sold(office: Office) -> None:
    event, _ = await office.draft_with_type()
    _, other = await office.draft_with_type()
    path = f"/events/{event}/tickets/issue"
    assert (await office.refused("POST", path, order(other["id"]), key=uuid4().hex))[1] == "ticket_type_not_found"
    nowhere = f"/events/{uuid4()}/tickets/issue"
    assert (await office.refused("POST", nowhere, order(other["id"]), key=uuid4().hex))[1] == "event_not_found"
    staff = Office(office.house, Role.DOOR_STAFF)
    assert (await staff.refused("POST", path, order(other["id"]), key=uuid4().hex))[1] == "scope_missing"
