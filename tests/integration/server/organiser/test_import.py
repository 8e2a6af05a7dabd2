"""Files of tickets: nothing half-done, nothing twice, every fault told by its row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from server.domain.access import Role
from server.services.import_apply import begin_import, step_import
from server.services.import_file import MOST_BYTES, read_import, receive_import
from server.services.import_reader import MOST_ROWS
from server.services.import_seats import hold_some, release_some
from server.services.problems_organiser import FileTooLarge
from shared.ids import EventId
from tests.integration.server.organiser.office import Json, Office, event_of, type_body


def table(*rows: str, header: str = "external_id,ticket_type,holder_name") -> bytes:
    """Return a file."""
    return "\n".join([header, *rows, ""]).encode()


def guests(count: int) -> bytes:
    """Return a file with so many guests."""
    return table(*(f"x-{number},Standing,Guest {number}" for number in range(count)))


async def chunked(data: bytes, size: int = 7) -> AsyncIterator[bytes]:
    """Hand a file over in small pieces."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def imported(office: Office, event: object, data: bytes) -> Json:
    """Send a file and return what became of it."""
    status, begun = await office.send_file(event, data)
    assert status == 202, begun
    return await office.settled(f"/imports/{begun['id']}")


async def test_file_becomes_tickets(office: Office) -> None:
    event, _ = await office.draft_with_type()
    owner = str(uuid4())
    header = "holder_name;external_id;product;owner_id;valid_from;valid_until"
    data = b"\xef\xbb\xbf" + table(
        f"Zoë 🎉;x-1;1;{owner};2026-07-20T17:00:00+02:00;2026-07-20T23:00:00Z", '"A; B";x-2;1;;;', header=header
    )
    done = await imported(office, event, data)
    assert (done["state"], done["rows"], done["applied"], done["known"], done["faults"]) == ("done", 2, 2, 0, 0)
    after = await event_of(office, event)
    assert (after["available"], after["sold"]) == (98, 2)
    (found,) = (await office.page(f"/events/{event}/tickets?externalId=x-1")).items
    assert (found["holderName"], found["ownerId"], found["status"]) == ("Zoë 🎉", owner, "active")
    one = await office.made("GET", f"/organiser/tickets/{found['id']}")
    assert (one["externalId"], one["validFrom"]) == ("x-1", "2026-07-20T15:00:00Z")
    assert isinstance(one["history"], list)
    assert {step["source"] for step in one["history"]} == {"import"}


async def test_same_file_again_makes_no_second_tickets(office: Office) -> None:
    event, _ = await office.draft_with_type()
    await imported(office, event, guests(20))
    again = await imported(office, event, guests(25))
    assert (again["state"], again["known"], again["applied"]) == ("done", 20, 5)
    assert (await event_of(office, event))["sold"] == 25


async def test_one_faulty_row_refuses_the_whole_file(office: Office) -> None:
    event, _ = await office.draft_with_type()
    data = table("x-1,Standing,Ada", "x-2,Balcony,Ben", ",Standing,Cy", "x-4,Standing,=1+1", "x-5,Standing")
    refused = await imported(office, event, data)
    assert (refused["state"], refused["rows"], refused["faults"], refused["applied"]) == ("refused", 5, 4, 0)
    errors = refused["errors"]
    assert isinstance(errors, list)
    assert [(one["row"], one["field"], one["code"]) for one in errors] == [
        (3, "ticket_type", "ticket_type_unknown"),
        (4, "external_id", "missing"),
        (5, "holder_name", "formula"),
        (6, "", "columns"),
    ]
    assert (await event_of(office, event))["sold"] == 0
    done = await imported(office, event, table("x-1,Standing,Ada"))
    assert done["applied"] == 1


async def test_file_that_asks_for_more_than_is_left_is_refused(office: Office) -> None:
    event, _ = await office.draft_with_type(total=10)
    refused = await imported(office, event, guests(11))
    assert isinstance(refused["errors"], list)
    assert (refused["state"], refused["errors"][0]["code"]) == ("refused", "not_enough_left")
    assert (await imported(office, event, guests(10)))["applied"] == 10


async def test_name_that_stands_twice_is_told(office: Office) -> None:
    event, _ = await office.draft_with_type()
    refused = await imported(office, event, table("x-1,Standing,Ada", "x-2,Standing,Ben", "x-1,Standing,Cy"))
    assert isinstance(refused["errors"], list)
    assert [(one["row"], one["field"], one["code"]) for one in refused["errors"]] == [(4, "external_id", "repeated")]


async def test_seats_are_taken_by_their_labels(office: Office) -> None:
    event, kind = await office.draft_with_type(seated=True, total=0, name="Seat")
    labels = [f"A {number}" for number in range(1, 6)]
    await office.made("POST", f"/events/{event}/seats", {"ticketTypeId": kind["id"], "labels": labels})
    header = "external_id,ticket_type,holder_name,seat"
    wrong = table("x-1,Seat,Ada,A 1", "x-2,Seat,Ben,A 1", "x-3,Seat,Cy,Z 9", header=header)
    refused = await imported(office, event, wrong)
    assert isinstance(refused["errors"], list)
    assert [(one["row"], one["code"]) for one in refused["errors"]] == [(3, "repeated"), (4, "seat_not_free")]
    done = await imported(office, event, table("x-1,Seat,Ada,A 1", "x-2,Seat,Ben,A 5", header=header))
    assert (done["state"], done["applied"]) == ("done", 2)
    free = [one["label"] for one in (await office.page(f"/events/{event}/seats")).items if one["free"]]
    assert free == ["A 2", "A 3", "A 4"]
    tickets = (await office.page(f"/events/{event}/tickets?status=active")).items
    assert {(one["holderName"], one["seat"]) for one in tickets} == {("Ada", "A 1"), ("Ben", "A 5")}
    after = await event_of(office, event)
    assert (after["available"], after["sold"]) == (3, 2)
    again = await imported(office, event, table("x-9,Seat,Di,A 5", header=header))
    assert again["state"] == "refused"


async def test_interrupted_import_is_finished_by_whoever_comes_next(office: Office) -> None:
    event, _ = await office.draft_with_type()
    context, tenant = office.house.parts.context, office.user.tenant
    view = await receive_import(context, office.user, EventId(UUID(event)), chunked(guests(9)))
    assert view.state == "applying"
    assert (await event_of(office, event))["sold"] == 9
    await step_import(context, tenant, view.id, batch=4)
    done = await office.settled(f"/imports/{view.id}")
    assert done["applied"] == 9
    assert not await begin_import(context, tenant, view.id)
    assert not await step_import(context, tenant, view.id)
    assert len((await office.page(f"/events/{event}/tickets?limit=100")).items) == 9


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_unusable"),
        (b"name,price\nx,1\n", "file_unusable"),
        (b"PK\x03\x04\x00\x00", "file_unusable"),
    ],
)
async def test_what_is_no_table_is_refused_at_once(office: Office, data: bytes, code: str) -> None:
    status, answer = await office.send_file(office.event, data)
    assert (status, answer["code"]) == (422, code)


async def test_file_is_asked_for_as_csv_and_for_a_known_event(office: Office) -> None:
    status, answer = await office.send_file(office.event, guests(1), media="application/json")
    assert (status, answer["code"]) == (415, "media_type_unsupported")
    status, answer = await office.send_file(uuid4(), guests(1))
    assert (status, answer["code"]) == (404, "event_not_found")
    status, answer = await Office(office.house, Role.CUSTOMER).send_file(office.event, guests(1))
    assert (status, answer["code"]) == (403, "scope_missing")
    assert await office.refused("GET", f"/imports/{uuid4()}") == (404, "import_not_found")


async def test_file_beyond_a_megabyte_is_taken_and_beyond_the_limit_refused(office: Office) -> None:
    event, _ = await office.draft_with_type(total=1)
    long_name = "n" * 400
    status, begun = await office.send_file(event, table(*(f"x-{n},Standing,{long_name}" for n in range(4000))))
    assert (status, begun["rows"], begun["state"]) == (202, 4000, "refused")
    context = office.house.parts.context
    with pytest.raises(FileTooLarge, match="MB"):
        await receive_import(context, office.user, EventId(UUID(event)), chunked(bytes(MOST_BYTES + 1), 1024 * 1024))
    rows = table(*(f"{n},Standing," for n in range(MOST_ROWS + 1)))
    with pytest.raises(FileTooLarge, match="rows"):
        await receive_import(context, office.user, EventId(UUID(event)), chunked(rows, 1024 * 1024))
    assert (await event_of(office, event))["sold"] == 0


async def test_types_of_another_event_are_unknown(office: Office) -> None:
    event, _ = await office.draft_with_type()
    other, _ = await office.draft_with_type()
    await office.made("POST", f"/events/{other}/ticket-types", type_body() | {"name": "Lounge"})
    refused = await imported(office, event, table("x-1,Lounge,Ada"))
    assert refused["state"] == "refused"
    for wanted in (event, other):
        assert (await imported(office, wanted, table("x-1,Standing,Ada")))["applied"] == 1


async def seats_file(office: Office, count: int) -> tuple[str, str, bytes]:
    """Make an event with seats and return its id, its type's, and a file that asks for all of them but the last."""
    event, kind = await office.draft_with_type(seated=True, total=0, name="Seat")
    labels = [f"A {number}" for number in range(count)]
    await office.made("POST", f"/events/{event}/seats", {"ticketTypeId": kind["id"], "labels": labels})
    rows = [f"x-{number},Seat,Ada,{label}" for number, label in enumerate(labels[:-1])]
    return event, str(kind["id"]), table(*rows, header="external_id,ticket_type,holder_name,seat")


async def test_seats_are_taken_in_portions_between_which_others_buy(office: Office) -> None:
    event, kind, data = await seats_file(office, 10)
    context, tenant = office.house.parts.context, office.user.tenant
    view = await receive_import(context, office.user, EventId(UUID(event)), chunked(data))
    assert view.state == "holding"
    assert await hold_some(context, tenant, view.id, batch=4)
    halfway = await event_of(office, event)
    assert (halfway["available"], halfway["sold"]) == (6, 4)
    (last,) = [one for one in (await office.page(f"/events/{event}/seats")).items if one["label"] == "A 9"]
    await office.issue(event, kind, seatId=last["seatId"])
    done = await office.settled(f"/imports/{view.id}")
    assert (done["state"], done["applied"], done["faults"]) == ("done", 9, 0)
    after = await event_of(office, event)
    assert (after["available"], after["reserved"], after["sold"]) == (0, 0, 10)


async def test_file_gives_everything_back_if_somebody_is_quicker_with_a_seat(office: Office) -> None:
    event, kind, data = await seats_file(office, 10)
    plain = await office.made("POST", f"/events/{event}/ticket-types", type_body() | {"name": "Floor", "total": 5})
    data += b"y-1,Floor,Ben,\n"
    context, tenant = office.house.parts.context, office.user.tenant
    view = await receive_import(context, office.user, EventId(UUID(event)), chunked(data))
    assert await hold_some(context, tenant, view.id, batch=4)
    (wanted,) = [one for one in (await office.page(f"/events/{event}/seats")).items if one["label"] == "A 6"]
    await office.issue(event, kind, seatId=wanted["seatId"])
    assert (await event_of(office, event))["sold"] == 6
    while (await read_import(context, tenant, view.id)).state == "holding":
        await hold_some(context, tenant, view.id, batch=4)
    assert await office.refused("POST", f"/events/{event}/cancel", {"reason": "x"}) == (409, "import_running")
    assert await release_some(context, tenant, view.id, batch=3)
    refused = await office.settled(f"/imports/{view.id}")
    assert isinstance(refused["errors"], list)
    assert (refused["state"], [(one["row"], one["code"]) for one in refused["errors"]]) == (
        "refused",
        [(8, "seat_not_free")],
    )
    after = await event_of(office, event)
    assert (after["available"], after["reserved"], after["sold"]) == (14, 0, 1)
    assert len([one for one in (await office.page(f"/events/{event}/seats")).items if one["free"]]) == 9
    assert plain["available"] == 5
    assert (await imported(office, event, table("y-1,Floor,Ben")))["state"] == "done"
