"""The REST surface over a real socket: the walk from interest to code, and what happens off the path."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from io import BytesIO
from uuid import uuid4

import msgspec
import pytest

from server.domain.access import Role, User
from server.services.show_code import Wallet
from shared.admission.verdict import Reason
from shared.codes.reader import CodeRead
from shared.ids import TenantId
from tests.integration.server.selling.client import Served
from tests.integration.server.selling.stage import fresh_key
from tests.integration.server.selling.test_codes import rotate
from tests.integration.server.selling.test_transfer import verdict

EVENT_ONLY = (
    "id",
    "venueId",
    "name",
    "status",
    "doorsAt",
    "startsAt",
    "endsAt",
    "saleStartsAt",
    "saleEndsAt",
    "maxPerUser",
)


async def test_from_browsing_to_the_code_at_the_door(served: Served) -> None:
    ada = served.shop.buyer("ada@example.org")
    events = await served.call("GET", "/api/v1/events", ada)
    (event,) = msgspec.convert(events.json["items"], list[dict[str, object]])
    assert tuple(event) == EVENT_ONLY
    types = await served.call("GET", f"/api/v1/events/{event['id']}/ticket-types", ada)
    kinds = msgspec.convert(types.json["items"], list[dict[str, object]])
    assert [(kind["name"], kind["available"]) for kind in kinds] == [("Standing", 50), ("Seat", 10)]
    assert not {"sold", "reserved", "total"} & set(kinds[0])
    (ticket,) = await served.buy(ada)
    seen = await served.call("GET", f"/api/v1/tickets/{ticket}", ada)
    assert (seen.json["status"], seen.json["ticketTypeName"], seen.json["eventName"]) == (
        "active",
        "Standing",
        "Opening",
    )
    shown = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", ada)
    read = (await served.shop.reader()).read(str(shown.json["qrData"]), served.shop.clock.now())
    assert isinstance(read, CodeRead)
    assert shown.headers["Cache-Control"] == "no-store"


async def test_a_transfer_over_http_kills_the_old_code(served: Served) -> None:
    ada, ben = served.shop.buyer("ada@example.org"), served.shop.buyer("ben@example.org")
    (ticket,) = await served.buy(ada)
    served.shop.clock.advance(timedelta(hours=6))
    old = (await served.call("GET", f"/api/v1/tickets/{ticket}/qr", ada)).json["qrData"]
    offered = await served.call(
        "POST",
        f"/api/v1/tickets/{ticket}/transfer",
        ada,
        {"recipientEmail": "ben@example.org"},
        Idempotency_Key=fresh_key(),
    )
    assert offered.status == 201
    accepted = await served.call("POST", f"/api/v1/transfers/{offered.json['transferId']}/accept", ben)
    assert (accepted.status, accepted.json["status"]) == (200, "accepted")
    assert (await served.call("GET", f"/api/v1/tickets/{ticket}", ada)).code == "ticket_not_found"
    assert (await served.call("GET", f"/api/v1/tickets/{ticket}", ben)).json["status"] == "transferred"
    assert await verdict(served.shop, str(old)) is Reason.TRANSFERRED_OR_REISSUED


async def test_the_wallet_answer_alone_makes_good_codes(served: Served) -> None:
    ada = served.shop.buyer()
    (ticket,) = await served.buy(ada)
    answer = await served.call("GET", f"/api/v1/tickets/{ticket}/wallet", ada)
    wallet = msgspec.json.decode(answer.body, type=Wallet)
    assert answer.headers["Cache-Control"] == "no-store"
    required = {"ticketId", "eventId", "seed", "slotSeconds", "serverTime", "revealAt", "capsules"}
    assert set(answer.json) - {"refreshAfter"} == required
    read = (await served.shop.reader()).read(rotate(wallet, served.shop.clock), served.shop.clock.now())
    assert isinstance(read, CodeRead)


@pytest.mark.parametrize(
    ("accept", "media_type", "begins"),
    [
        ("image/svg+xml", "image/svg+xml", b"<?xml"),
        ("image/png", "image/png", b"\x89PNG\r\n"),
        ("image/png;q=0.4, image/svg+xml;q=0.9", "image/svg+xml", b"<?xml"),
        ("image/*", "image/svg+xml", b"<?xml"),
        ("application/json", "application/json", b'{"ticketId"'),
        ("*/*", "application/json", b'{"ticketId"'),
        ("text/html,*/*;q=0.1", "application/json", b'{"ticketId"'),
    ],
)
async def test_a_code_comes_in_the_form_asked_for(accept: str, media_type: str, begins: bytes, served: Served) -> None:
    ada = served.shop.buyer()
    (ticket,) = await served.buy(ada)
    shown = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", ada, Accept=accept)
    assert shown.status == 200
    assert shown.headers["Content-Type"].startswith(media_type)
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.body.startswith(begins)


async def test_a_form_nobody_can_make_is_refused(served: Served) -> None:
    ada = served.shop.buyer()
    (ticket,) = await served.buy(ada)
    refused = await served.call("GET", f"/api/v1/tickets/{ticket}/qr", ada, Accept="image/webp")
    assert (refused.status, refused.code) == (406, "not_acceptable")


async def test_tickets_are_listed_in_pages_newest_first(served: Served) -> None:
    ada = served.shop.buyer()
    bought = [*await served.buy(ada, 3)]
    served.shop.clock.advance(timedelta(seconds=1))
    bought += await served.buy(ada, 2)
    seen: list[str] = []
    path = "/api/v1/tickets?limit=2"
    for expected in (True, True, False):
        page = (await served.call("GET", path, ada)).json
        items = msgspec.convert(page["items"], list[dict[str, object]])
        pagination = msgspec.convert(page["pagination"], dict[str, object])
        seen += [str(item["id"]) for item in items]
        assert pagination["hasMore"] is expected
        path = f"/api/v1/tickets?limit=2&cursor={pagination['nextCursor']}"
    assert sorted(seen) == sorted(bought)
    assert set(seen[:2]) == set(bought[3:])
    elsewhere = await served.call("GET", f"/api/v1/tickets?eventId={uuid4()}", ada)
    assert elsewhere.json["items"] == []


async def test_everything_of_another_tenant_looks_absent(served: Served) -> None:
    ada = served.shop.buyer()
    (ticket,) = await served.buy(ada)
    stranger = User(tenant=TenantId(uuid4()), user=ada.user, role=Role.ADMIN)
    for path in (
        f"/api/v1/events/{served.shop.event}",
        f"/api/v1/events/{served.shop.event}/ticket-types",
        f"/api/v1/tickets/{ticket}",
        f"/api/v1/tickets/{ticket}/qr",
        f"/api/v1/tickets/{ticket}/wallet",
    ):
        assert (await served.call("GET", path, stranger)).status == 404, path
    assert (await served.call("GET", "/api/v1/events", stranger)).json["items"] == []
    assert (await served.call("GET", "/api/v1/tickets", stranger)).json["items"] == []


async def test_a_repeated_call_is_marked_as_such(served: Served) -> None:
    ada, key = served.shop.buyer(), fresh_key()
    order = {
        "eventId": str(served.shop.event),
        "tickets": [{"ticketTypeId": str(served.shop.standing), "quantity": 1}],
    }
    first = await served.call("POST", "/api/v1/tickets/reserve", ada, order, Idempotency_Key=key)
    again = await served.call("POST", "/api/v1/tickets/reserve", ada, order, Idempotency_Key=key)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status, again.body) == (first.status, first.body)
    other = order | {"eventId": str(uuid4())}
    assert (await served.call("POST", "/api/v1/tickets/reserve", ada, other, Idempotency_Key=key)).status == 422
    missing = await served.call("POST", "/api/v1/tickets/reserve", ada, order)
    assert (missing.status, missing.code) == (400, "idempotency_key_unusable")


async def test_statuses_tell_what_kind_of_no_it_is(served: Served) -> None:
    ada = served.shop.buyer()
    event, standing = str(served.shop.event), str(served.shop.standing)

    async def post(path: str, body: object) -> tuple[int, object]:
        reply = await served.call("POST", path, ada, body, Idempotency_Key=fresh_key())
        return reply.status, reply.json.get("code")

    def order(quantity: int) -> object:
        return {"eventId": event, "tickets": [{"ticketTypeId": standing, "quantity": quantity}]}

    assert await post("/api/v1/tickets/reserve", order(1)) == (201, None)
    assert await post("/api/v1/tickets/reserve", order(1)) == (409, "already_holding")
    unpaid = {"reservationId": str(uuid4()), "paymentId": "demo_1_EUR_0123456789"}
    assert await post("/api/v1/tickets/purchase", unpaid) == (404, "reservation_not_found")
    held = await served.shop.reserve(late := served.shop.buyer(), 1)
    wrong = {"reservationId": str(held.reservation_id), "paymentId": "demo_1_EUR_0123456789"}
    reply = await served.call("POST", "/api/v1/tickets/purchase", late, wrong, Idempotency_Key=fresh_key())
    assert (reply.status, reply.code) == (402, "payment_unverified")
    served.shop.clock.advance(timedelta(minutes=10))
    reply = await served.call("POST", "/api/v1/tickets/purchase", late, wrong, Idempotency_Key=fresh_key())
    assert (reply.status, reply.code) == (410, "reservation_expired")
    assert await post("/api/v1/tickets/reserve", order(10)) == (201, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"eventId": "no-id", "tickets": []}, "eventId"),
        ({"tickets": [{"ticketTypeId": str(uuid4()), "quantity": 1}]}, ""),
        ({"eventId": str(uuid4()), "tickets": []}, "tickets"),
        ({"eventId": str(uuid4()), "tickets": [{"ticketTypeId": str(uuid4()), "quantity": 11}]}, "tickets[0].quantity"),
        ({"eventId": str(uuid4()), "tickets": [{"ticketTypeId": str(uuid4()), "quantity": 0}]}, "tickets[0].quantity"),
        ({"eventId": str(uuid4()), "tickets": [{"ticketTypeId": str(uuid4())}]}, "tickets[0]"),
        ({"eventId": str(uuid4()), "tickets": [{"ticketTypeId": str(uuid4()), "quantity": 1}], "extra": 1}, ""),
    ],
)
async def test_a_body_of_another_form_is_refused_and_the_field_named(
    body: dict[str, object], field: str, served: Served
) -> None:
    reply = await served.call("POST", "/api/v1/tickets/reserve", served.shop.buyer(), body, Idempotency_Key=fresh_key())
    assert (reply.status, reply.code) == (400, "request_invalid")
    (error,) = msgspec.convert(reply.json["errors"], list[dict[str, str]])
    assert error["field"] == field


async def test_bodies_that_are_no_json_or_too_large_are_refused(served: Served) -> None:
    ada = served.shop.buyer()
    path = "/api/v1/tickets/reserve"
    broken = await served.call("POST", path, ada, b'{"eventId": ', Idempotency_Key=fresh_key())
    assert (broken.status, broken.code) == (400, "request_invalid")
    deep = await served.call("POST", path, ada, b"[" * 100_000, Idempotency_Key=fresh_key())
    assert (deep.status, deep.code) == (400, "request_invalid")
    form = await served.call("POST", path, ada, b"a=b", Content_Type="application/x-www-form-urlencoded")
    assert (form.status, form.code) == (415, "media_type_unsupported")
    large = await served.call("POST", path, ada, BytesIO(b" " * (1024 * 1024 + 1)), Idempotency_Key=fresh_key())
    assert (large.status, large.code) == (413, "body_too_large")


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "cursor=***", "cursor=AAAA", "eventId=1"])
async def test_pages_that_do_not_exist_are_refused(query: str, served: Served) -> None:
    reply = await served.call("GET", f"/api/v1/tickets?{query}", served.shop.buyer())
    assert (reply.status, reply.code) == (400, "request_invalid")


async def test_unknown_addresses_and_methods_are_problems_too(served: Served) -> None:
    ada = served.shop.buyer()
    assert (await served.call("GET", "/api/v1/nothing", ada)).code == "route_not_found"
    wrong = await served.call("DELETE", "/api/v1/tickets", ada)
    assert (wrong.status, wrong.code) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["Allow"]
    assert (await served.call("GET", "/api/v1/tickets/not-an-id", ada)).status == 404


async def test_every_answer_can_be_found_in_the_log(served: Served) -> None:
    reply = await served.call("GET", "/api/v1/nothing")
    assert re.fullmatch(r"[0-9a-f]{32}", reply.headers["X-Trace-Id"])
    assert reply.json["traceId"] == reply.headers["X-Trace-Id"]
    assert reply.json["instance"] == "/api/v1/nothing"
    given = "4bf92f3577b34da6a3ce929d0e0e4736"
    traced = await served.call("GET", "/health/live", traceparent=f"00-{given}-00f067aa0ba902b7-01")
    assert traced.headers["X-Trace-Id"] == given


async def test_times_are_utc_and_say_so(served: Served) -> None:
    reply = await served.call("GET", f"/api/v1/events/{served.shop.event}", served.shop.buyer())
    doors = datetime.fromisoformat(str(reply.json["doorsAt"]))
    assert doors.utcoffset() == timedelta(0)
