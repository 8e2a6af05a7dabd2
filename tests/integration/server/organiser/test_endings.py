"""Events that are over or called off: every ticket comes to its end, whoever is interrupted on the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec

from server.domain.access import Role
from server.services.endings import CANCELLING, EndingOrder, begin_ending, step_ending
from server.services.rows import ActorRef
from server.services.rows_organiser import EndingKind
from shared.ids import EventId, TicketId
from shared.sync.feed import TicketEntry
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.doors.house import House
from tests.integration.server.organiser.office import Json, Office, event_of, ticket_of


async def doors_guests(house: House) -> dict[str, TicketId]:
    """Return tickets of the event whose doors are open, in every state that matters at its end."""
    stage = house.stage
    inside, left, absent, revoked = [row.id for row in await stage.issue(4)]
    await stage.move(inside, State.CHECKED_IN)
    await stage.move(left, State.CHECKED_IN)
    await stage.move(left, State.ACTIVE)
    await stage.move(revoked, State.REVOKED)
    return {"inside": inside, "left": left, "absent": absent, "revoked": revoked}


async def states(office: Office, tickets: dict[str, TicketId]) -> dict[str, object]:
    """Return what has become of tickets."""
    return {name: (await ticket_of(office, ticket))["status"] for name, ticket in tickets.items()}


def last_step(ticket: Json) -> Json:
    """Return what happened to a ticket last."""
    history = ticket["history"]
    assert isinstance(history, list)
    step = history[-1]
    assert isinstance(step, dict)
    return step


async def test_closed_event_has_used_and_expired_tickets(house: House, office: Office) -> None:
    tickets = await doors_guests(house)
    path = f"/events/{office.event}"
    assert await office.refused("POST", path + "/close", {}) == (409, "event_not_over")
    assert await office.refused("POST", path + "/close", {"force": True}) == (409, "event_not_over")
    house.stage.clock.advance(timedelta(hours=6))
    begun = await office.made("POST", path + "/close", {})
    assert (begun["kind"], begun["total"]) == ("close", 3)
    done = await office.settled(path + "/ending")
    assert (done["state"], done["done"], done["used"], done["expired"]) == ("done", 3, 2, 1)
    assert await states(office, tickets) == {
        "inside": "used",
        "left": "used",
        "absent": "expired",
        "revoked": "revoked",
    }
    assert (await event_of(office, office.event))["status"] == "closed"
    assert (await office.made("POST", path + "/close", {}))["state"] == "done"
    assert await office.refused("POST", path + "/cancel", {"reason": "late"}) == (409, "event_state_wrong")


async def test_event_is_closed_before_its_end_with_force_and_reason(house: House, office: Office) -> None:
    await doors_guests(house)
    path = f"/events/{office.event}"
    begun = await office.made("POST", path + "/close", {"force": True, "reason": "power cut"})
    assert begun["reason"] == "power cut"
    assert (await office.settled(path + "/ending"))["used"] == 2
    version = (await event_of(office, office.event))["version"]
    assert await office.refused("PATCH", path, {"version": version, "name": "New"}) == (409, "event_state_wrong")


async def test_cancelled_event_takes_everything_back_and_gates_refuse(house: House, office: Office) -> None:
    tickets = await doors_guests(house)
    absent = await house.stage.ticket(tickets["absent"])
    known_as = await house.stage.handle_hash(absent)
    path = f"/events/{office.event}"
    assert (await office.refused("POST", path + "/cancel", {}))[0] == 400
    begun = await office.made("POST", path + "/cancel", {"reason": "storm"})
    assert begun["total"] == 3
    done = await office.settled(path + "/ending")
    assert (done["done"], done["cancelled"], done["revoked"]) == (3, 2, 1)
    assert await states(office, tickets) == {
        "inside": "revoked",
        "left": "cancelled",
        "absent": "cancelled",
        "revoked": "revoked",
    }
    step = last_step(await ticket_of(office, tickets["absent"]))
    assert (step["reason"], step["source"], step["actorId"]) == ("event_cancelled", CANCELLING, str(office.user.user))
    told = await office.told(
        lambda one: isinstance(one, TicketEntry) and one.handle_hash == known_as and one.version > absent.version
    )
    assert isinstance(told, TicketEntry)
    assert told.state == "cancelled"
    assert (await office.made("POST", path + "/cancel", {"reason": "again"}))["reason"] == "storm"


async def check_ended(office: Office, event: str) -> None:
    """Look at what became of five tickets, two of which were paid and two of which were seats nobody had."""
    first = await office.page(f"/events/{event}/ending/tickets?limit=3")
    more = await office.page(f"/events/{event}/ending/tickets?limit=3&cursor={first.cursor}")
    ended = first.items + more.items
    assert (len(ended), len({one["ticketId"] for one in ended}), {one["status"] for one in ended}) == (
        5,
        5,
        {"cancelled"},
    )
    assert sorted(str(one["previousStatus"]) for one in ended) == ["active"] * 3 + ["available"] * 2
    money = [one["refund"] for one in ended if one["refund"] is not None]
    assert [(one["amountCents"], one["currency"]) for one in msgspec.convert(money, list[Json])] == [(4500, "EUR")] * 2


async def test_cancelling_gives_places_back_and_says_what_is_owed(office: Office) -> None:
    event, kind = await office.draft_with_type(total=10)
    seated = await office.made(
        "POST",
        f"/events/{event}/ticket-types",
        {"name": "Seat", "priceCents": 0, "currency": "EUR", "seated": True},
    )
    await office.made("POST", f"/events/{event}/seats", {"ticketTypeId": seated["id"], "labels": ["A 1", "A 2"]})
    await office.made("POST", f"/events/{event}/open")
    buyer, holder = Office(office.house, Role.CUSTOMER), Office(office.house, Role.CUSTOMER)
    order = {"eventId": event, "tickets": [{"ticketTypeId": kind["id"], "quantity": 2}]}
    held = await buyer.made("POST", "/tickets/reserve", order, key=uuid4().hex)
    await office.buy(buyer, held)
    pending = await holder.made("POST", "/tickets/reserve", order, key=uuid4().hex)
    await office.issue(event, kind["id"])
    await office.made("POST", f"/events/{event}/cancel", {"reason": "storm"})
    done = await office.settled(f"/events/{event}/ending")
    assert (done["cancelled"], done["reservations"], done["refunds"]) == (5, 1, 2)
    again = await holder.made("GET", f"/reservations/{pending['reservationId']}")
    assert again["status"] == "cancelled"
    after = await event_of(office, event)
    assert (after["reserved"], after["sold"], after["available"]) == (0, 3, 0)
    types = await holder.made("GET", f"/events/{event}/ticket-types")
    assert isinstance(types["items"], list)
    assert {one["available"] for one in types["items"]} == {0}
    assert {one["free"] for one in (await office.page(f"/events/{event}/seats")).items} == {False}
    await check_ended(office, event)
    due = await office.page(f"/events/{event}/refunds-due?limit=1")
    rest = await office.page(f"/events/{event}/refunds-due?limit=5&cursor={due.cursor}")
    assert [(one["amountCents"], one["currency"]) for one in due.items + rest.items] == [(4500, "EUR")] * 2
    assert (await office.page(f"/events/{event}/tickets?status=available")).items == []
    assert (await holder.refused("POST", "/tickets/reserve", order, key=uuid4().hex))[1] == "not_on_sale"


async def test_money_that_a_bank_took_back_is_not_returned_again(office: Office) -> None:
    event, kind = await office.draft_with_type(total=10)
    await office.made("POST", f"/events/{event}/open")
    buyer = Office(office.house, Role.CUSTOMER)
    order = {"eventId": event, "tickets": [{"ticketTypeId": kind["id"], "quantity": 2}]}
    await office.buy(buyer, await buyer.made("POST", "/tickets/reserve", order, key=uuid4().hex))
    first, second = (await office.page(f"/events/{event}/tickets")).items
    await office.made("POST", f"/tickets/{first['id']}/lock", {"reason": "chargeback"})
    await office.made("POST", f"/tickets/{second['id']}/lock", {"reason": "dispute"})
    await office.made("POST", f"/events/{event}/cancel", {"reason": "storm"})
    assert (await office.settled(f"/events/{event}/ending"))["cancelled"] == 2
    [due] = (await office.page(f"/events/{event}/refunds-due")).items
    assert due["ticketId"] == second["id"]


async def test_draft_can_be_called_off_but_not_closed(office: Office) -> None:
    event, _ = await office.draft_with_type()
    assert await office.refused("POST", f"/events/{event}/close", {}) == (409, "event_state_wrong")
    assert await office.refused("GET", f"/events/{event}/ending") == (404, "ending_not_found")
    await office.made("POST", f"/events/{event}/cancel", {"reason": "no band"})
    done = await office.settled(f"/events/{event}/ending")
    assert (done["total"], done["done"]) == (0, 0)
    assert await office.refused("POST", f"/events/{event}/open") == (409, "event_state_wrong")


async def test_two_who_end_an_event_differently_end_it_once(office: Office) -> None:
    path = f"/events/{office.event}"
    answers = await asyncio.gather(
        office.call("POST", path + "/cancel", {"reason": "storm"}),
        office.call("POST", path + "/close", {"force": True, "reason": "over"}),
        office.call("POST", path + "/cancel", {"reason": "storm"}),
    )
    kinds = {answer["kind"] for status, answer in answers if status == 202}
    assert len(kinds) == 1
    assert {answer["code"] for status, answer in answers if status != 202} == {"event_state_wrong"}


async def test_interrupted_end_goes_on_where_it_stopped(house: House, office: Office) -> None:
    await house.stage.issue(7)
    event = EventId(house.stage.event)
    context, tenant = house.parts.context, house.stage.tenant
    by = ActorRef(kind=Actor.ORGANISER, id="desk")
    order = EndingOrder(event=event, kind=EndingKind.CANCEL, reason="storm", actor=by, source=CANCELLING)
    begun = await begin_ending(context, tenant, order)
    assert (begun.total, begun.done) == (7, 0)
    # Several at once, as when servers start again together: each batch is done by one of them.
    while any(await asyncio.gather(*(step_ending(context, tenant, event, batch=2) for _ in range(3)))):
        pass
    done = await office.settled(f"/events/{event}/ending")
    assert (done["done"], done["cancelled"]) == (7, 7)
    tickets = await office.page(f"/events/{event}/tickets?status=cancelled")
    assert {one["version"] for one in tickets.items} == {3}
