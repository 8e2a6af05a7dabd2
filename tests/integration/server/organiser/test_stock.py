"""Ticket types grow and shrink, zones get names, seats are there once."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from server.domain.access import Role
from tests.integration.server.organiser.office import Json, Office, draft_body, event_of, type_body


def shelves(ticket_type: Json) -> tuple[object, ...]:
    """Return the counters of a type."""
    return tuple(ticket_type[name] for name in ("total", "available", "reserved", "sold"))


async def test_total_grows_and_shrinks_down_to_what_is_taken(office: Office) -> None:
    event, ticket_type = await office.draft_with_type(total=5)
    await office.issue(event, ticket_type["id"], 3)
    path = f"/ticket-types/{ticket_type['id']}"
    grown = await office.made("PATCH", path, {"version": 1, "total": 8, "priceCents": 100, "name": "Floor"})
    assert (*shelves(grown), grown["priceCents"], grown["name"]) == (8, 5, 0, 3, 100, "Floor")
    assert await office.refused("PATCH", path, {"version": 1, "total": 9}) == (409, "version_stale")
    shrunk = await office.made("PATCH", path, {"version": 2, "total": 3})
    assert shelves(shrunk) == (3, 0, 0, 3)
    assert await office.refused("PATCH", path, {"version": 3, "total": 2}) == (409, "stock_taken")
    assert await office.refused("PATCH", path, {"version": 3, "zones": 3}) == (409, "type_in_use")
    assert await office.refused("PATCH", f"/ticket-types/{uuid4()}", {"version": 1}) == (404, "ticket_type_not_found")
    assert (await office.refused("PATCH", path, {"version": 3, "total": -1}))[0] == 400
    assert (await office.refused("PATCH", path, {"version": 2**40}))[0] == 400


async def test_price_of_what_is_held_stays(office: Office) -> None:
    event, ticket_type = await office.draft_with_type()
    await office.made("POST", f"/events/{event}/open")
    buyer = Office(office.house, Role.CUSTOMER)
    order = {"eventId": event, "tickets": [{"ticketTypeId": ticket_type["id"], "quantity": 2}]}
    held = await buyer.made("POST", "/tickets/reserve", order, key=uuid4().hex)
    await office.made("PATCH", f"/ticket-types/{ticket_type['id']}", {"version": 1, "priceCents": 9900})
    assert held["totalCents"] == 9000
    again = await buyer.made("GET", f"/reservations/{held['reservationId']}")
    assert again["totalCents"] == 9000


async def test_types_are_numbered_and_of_a_real_currency(office: Office) -> None:
    event, first = await office.draft_with_type()
    path = f"/events/{event}/ticket-types"
    second = await office.made("POST", path, type_body() | {"name": "Lounge", "zones": 3})
    assert (first["product"], second["product"], second["zones"]) == (1, 2, 3)
    for wrong in ({"currency": "eur"}, {"currency": "EUR\n"}, {"priceCents": -1}, {"total": 10**9}, {"entries": 256}):
        assert (await office.refused("POST", path, type_body() | wrong))[0] == 400, wrong
    assert await office.refused("POST", path, type_body() | {"name": "a\x00"}) == (422, "name_unusable")
    assert await office.refused("POST", path, type_body() | {"seated": True}) == (409, "stock_taken")


async def test_a_repeated_call_makes_nothing_twice(office: Office) -> None:
    key = uuid4().hex
    event = await office.made("POST", "/events", draft_body(), key=key)
    assert await office.made("POST", "/events", draft_body(), key=key) == event
    assert len((await office.page("/organiser/events")).items) == 2
    types, wanted = f"/events/{event['id']}/ticket-types", type_body() | {"seated": True, "total": 0}
    made = await office.made("POST", types, wanted, key=key)
    answers = await asyncio.gather(*(office.call("POST", types, wanted, key=key) for _ in range(3)))
    assert {status for status, _ in answers} <= {201, 409}
    assert [answer for status, answer in answers if status == 201 and answer != made] == []
    assert (await office.refused("POST", types, type_body(), key=key))[1] == "idempotency_key_reused"
    seats, labels = f"/events/{event['id']}/seats", {"ticketTypeId": made["id"], "labels": ["A 1", "A 2"]}
    assert await office.made("POST", seats, labels, key=key) == await office.made("POST", seats, labels, key=key)
    for path, body in (("/events", draft_body()), (types, wanted), (seats, labels)):
        assert await office.refused("POST", path, body, key="short") == (400, "idempotency_key_unusable")
    after = await event_of(office, event["id"])
    assert isinstance(after["ticketTypes"], list)
    assert (after["total"], len(after["ticketTypes"])) == (2, 1)


async def test_zones_get_names_once(office: Office) -> None:
    path = f"/events/{office.event}/zones"
    assert await office.made("POST", path, {"bit": 3, "name": "Backstage"}) == {
        "bit": 3,
        "mask": 8,
        "name": "Backstage",
    }
    assert await office.refused("POST", path, {"bit": 3, "name": "Other"}) == (409, "zone_taken")
    assert await office.refused("POST", path, {"bit": 4, "name": "Backstage"}) == (409, "zone_taken")
    assert (await office.refused("POST", path, {"bit": 16, "name": "Far"}))[0] == 400
    await office.made("POST", path, {"bit": 0, "name": "Floor"})
    assert (await office.made("PATCH", path + "/3", {"name": "Stage"}))["name"] == "Stage"
    assert await office.refused("PATCH", path + "/3", {"name": "Floor"}) == (409, "zone_taken")
    for absent in ("5", "16", "-1", "x", "٣"):
        assert (await office.refused("PATCH", f"{path}/{absent}", {"name": "New"}))[0] == 404
    seen = await Office(office.house, Role.CUSTOMER).made("GET", path)
    assert seen["items"] == [{"bit": 0, "mask": 1, "name": "Floor"}, {"bit": 3, "mask": 8, "name": "Stage"}]


async def test_seats_are_tickets_from_the_start(office: Office) -> None:
    event, ticket_type = await office.draft_with_type(seated=True, total=0)
    path = f"/events/{event}/seats"
    body = {"ticketTypeId": ticket_type["id"], "labels": [f"Row A, {n}" for n in range(1, 5)]}
    added = await office.made("POST", path, body)
    assert isinstance(added["ticketType"], dict)
    assert (added["added"], shelves(added["ticketType"])) == (4, (4, 4, 0, 0))
    first = await office.page(path + "?limit=3")
    rest = await office.page(f"{path}?limit=3&cursor={first.cursor}")
    seats = first.items + rest.items
    assert [one["label"] for one in seats] == body["labels"]
    assert all(one["free"] for one in seats)
    tickets = await office.page(f"/events/{event}/tickets?status=available")
    assert {one["id"] for one in tickets.items} == {one["seatId"] for one in seats}
    assert await office.refused("GET", path + "?ticketTypeId=x") == (400, "request_invalid")
    (ticket,) = await office.issue(event, ticket_type["id"], seatId=seats[1]["seatId"], holderName="Ada")
    assert str(ticket) == seats[1]["seatId"]
    after = await office.page(path)
    assert [(one["free"], one["seatId"] is None) for one in after.items] == [
        (True, False),
        (False, True),
        (True, False),
        (True, False),
    ]


async def test_seat_label_is_there_once_in_an_event(office: Office) -> None:
    event, ticket_type = await office.draft_with_type(seated=True, total=0)
    path, kind = f"/events/{event}/seats", ticket_type["id"]
    body = {"ticketTypeId": kind, "labels": ["B 1", "B 2"]}
    answers = await asyncio.gather(*(office.call("POST", path, body) for _ in range(3)))
    assert sorted(status for status, _ in answers) == [201, 409, 409]
    assert await office.refused("POST", path, {"ticketTypeId": kind, "labels": ["B 3", "B 2"]}) == (409, "seat_exists")
    assert await office.refused("POST", path, {"ticketTypeId": kind, "labels": ["C 1", "C 1"]}) == (409, "seat_exists")
    assert len((await office.page(path)).items) == 2
    plain = await office.made("POST", f"/events/{event}/ticket-types", type_body())
    assert await office.refused("POST", path, {"ticketTypeId": plain["id"], "labels": ["D"]}) == (409, "not_seated")
    assert (await office.refused("POST", path, {"ticketTypeId": kind, "labels": []}))[0] == 400
    assert (await office.refused("POST", path, {"ticketTypeId": kind, "labels": ["E"] * 101}))[0] == 400
    version = {"version": 1, "total": 7}
    assert await office.refused("PATCH", f"/ticket-types/{kind}", version) == (409, "stock_taken")


async def test_a_seat_nobody_has_is_renamed_and_withdrawn(office: Office) -> None:
    event, kind = await office.draft_with_type(seated=True, total=0)
    path = f"/events/{event}/seats"
    await office.made("POST", path, {"ticketTypeId": kind["id"], "labels": ["A 1", "A 2", "A 3"]})
    ids = {str(one["label"]): one["seatId"] for one in (await office.page(path)).items}
    named = await office.made("PATCH", f"{path}/{ids['A 1']}", {"label": "Box 1"})
    assert (named["label"], named["seatId"], named["free"]) == ("Box 1", ids["A 1"], True)
    assert await office.made("PATCH", f"{path}/{ids['A 1']}", {"label": "Box 1"}) == named
    assert await office.refused("PATCH", f"{path}/{ids['A 1']}", {"label": "A 2"}) == (409, "seat_exists")
    gone = await office.made("DELETE", f"{path}/{ids['A 2']}")
    assert isinstance(gone["ticketType"], dict)
    assert (gone["label"], shelves(gone["ticketType"])) == ("A 2", (2, 2, 0, 0))
    assert await office.refused("DELETE", f"{path}/{ids['A 2']}") == (404, "seat_not_found")
    assert sorted(str(one["label"]) for one in (await office.page(path)).items) == ["A 3", "Box 1"]
    await office.issue(event, kind["id"], seatId=ids["A 3"])
    for method, body in (("PATCH", {"label": "A 9"}), ("DELETE", None)):
        assert await office.refused(method, f"{path}/{ids['A 3']}", body) == (409, "seat_not_free")
        assert await office.refused(method, f"{path}/{uuid4()}", body) == (404, "seat_not_found")
        assert await office.refused(method, f"/events/{office.event}/seats/{ids['A 1']}", body) == (
            404,
            "seat_not_found",
        )
    again = await office.made("POST", path, {"ticketTypeId": kind["id"], "labels": ["A 1", "A 2"]})
    assert isinstance(again["ticketType"], dict)
    assert shelves(again["ticketType"]) == (4, 3, 0, 1)


async def test_a_seat_is_withdrawn_or_sold_and_never_both(office: Office) -> None:
    event, kind = await office.draft_with_type(seated=True, total=0)
    path, labels = f"/events/{event}/seats", [f"B {number}" for number in range(8)]
    await office.made("POST", path, {"ticketTypeId": kind["id"], "labels": labels})
    seats = [one["seatId"] for one in (await office.page(path)).items]
    order = [{"reason": "guest", "tickets": [{"ticketTypeId": kind["id"], "seatId": seat}]} for seat in seats]
    calls = [office.call("DELETE", f"{path}/{seat}") for seat in seats]
    calls += [office.call("POST", f"/events/{event}/tickets/issue", one) for one in order]
    statuses = [status for status, _ in await asyncio.gather(*calls)]
    assert [(statuses[n] == 200) + (statuses[n + 8] == 201) for n in range(8)] == [1] * 8
    after = await event_of(office, event)
    assert (after["total"], after["sold"], after["available"]) == (statuses.count(201), statuses.count(201), 0)


async def test_drafts_seats_are_shown_to_organisers_alone(office: Office) -> None:
    event, _ = await office.draft_with_type(seated=True, total=0)
    customer = Office(office.house, Role.CUSTOMER)
    assert (await customer.refused("GET", f"/events/{event}/seats"))[0] == 404
    assert (await customer.refused("GET", f"/events/{event}/zones"))[0] == 404
    assert (await office.page(f"/events/{event}/seats")).items == []
