"""Refusals that nobody meets by accident, each met once."""

from __future__ import annotations

from server.services.stock_care import MOST_TYPES
from shared.codes.bundle import MOST_SUPERVISORS
from tests.conftest import Databases
from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.ledger import until_settled
from tests.integration.server.schema.connections import connected, in_database
from tests.integration.server.selling.stage import fresh_key


async def refuse(hall: Hall, caller: str, method: str, path: str, body: object = None) -> tuple[int, object]:
    """Make a call that is refused and return status and code."""
    headers = hall.prove(caller, method, path) | {"Idempotency-Key": fresh_key()}
    reply = await hall.send(method, path, headers, body)
    return reply.status, reply.code


async def test_what_was_never_named_is_not_found(hall: Hall) -> None:
    event, build = hall.home.places["event"], hall.home.places["build"]
    zone = f"/api/v1/events/{event}/zones/7"
    assert await refuse(hall, "manager", "PATCH", zone, {"name": "Roof"}) == (404, "zone_not_found")
    assert await refuse(hall, "stranger", "GET", f"/web/ticket/{build}/none.js") == (404, "file_not_found")
    assert await refuse(hall, "stranger", "GET", "/web/ticket/0/page.css") == (404, "file_not_found")
    assert await refuse(hall, "stranger", "GET", "/api/v2/events") == (404, "route_not_found")
    assert await refuse(hall, "stranger", "DELETE", "/health") == (405, "method_not_allowed")


async def test_gates_are_offered_no_broker_where_there_is_none(hall: Hall) -> None:
    assert await refuse(hall, "gate", "POST", "/gate/v1/broker") == (404, "broker_not_offered")


async def test_a_text_that_cannot_be_stored_is_refused(hall: Hall) -> None:
    path = f"/api/v1/tickets/{hall.home.places['spare']}/transfer"
    offer = {"recipientEmail": "other@example.org", "message": "a\0b"}
    assert await refuse(hall, "attendee", "POST", path, offer) == (400, "text_unusable")


async def test_an_event_sells_so_many_kinds_of_tickets_and_no_more(hall: Hall) -> None:
    path = f"/api/v1/events/{hall.home.places['event']}/ticket-types"
    proof = hall.prove("manager", "POST", path)
    statuses = []
    for number in range(MOST_TYPES):
        wish = {"name": f"Block {number}", "priceCents": 0, "currency": "EUR", "total": 1}
        headers = proof | {"Idempotency-Key": fresh_key()}
        statuses.append((await hall.send("POST", path, headers, wish)).status)
    assert set(statuses) == {201, 409}
    last = {"name": "One more", "priceCents": 0, "currency": "EUR", "total": 1}
    assert await refuse(hall, "manager", "POST", path, last) == (409, "too_many_ticket_types")


async def test_a_gate_knows_so_many_supervisors_and_no_more(hall: Hall, database: Databases, postgres: str) -> None:
    many = """
        INSERT INTO supervisors SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid()))).*
        FROM supervisors s, generate_series(1, $1)
    """
    async with connected(in_database(postgres, database.owner_dsn)) as superuser:
        await superuser.execute(many, MOST_SUPERVISORS)
    wish = {"name": "Lee", "eventId": hall.home.places["event"]}
    assert await refuse(hall, "manager", "POST", "/api/v1/supervisors", wish) == (409, "too_many_supervisors")


async def test_what_is_gone_from_the_feed_is_not_made_up(hall: Hall, database: Databases, postgres: str) -> None:
    async with connected(in_database(postgres, database.owner_dsn)) as superuser:
        await until_settled(superuser)
        await superuser.execute("DELETE FROM feed WHERE seq = 1")
    path = f"/gate/v1/feed?event={hall.home.places['event']}&after="
    assert await refuse(hall, "gate", "GET", path + "0") == (410, "feed_too_old")
    reply = await hall.send("GET", path + "1", hall.prove("gate", "GET", path))
    assert reply.status == 200
