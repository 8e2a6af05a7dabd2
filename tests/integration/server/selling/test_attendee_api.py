"""Seats, reservations, transfers and refunds over HTTP: the walk, and which status each kind of no has."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import msgspec

from server.domain.access import User
from tests.integration.server.selling.client import Reply, Served
from tests.integration.server.selling.seating import open_stalls
from tests.integration.server.selling.stage import fresh_key
from tests.integration.server.selling.test_transfer import BEN


async def take_seats(served: Served, user: User, *seats: object) -> Reply:
    """Reserve seats by their ids."""
    order = {"eventId": str(served.shop.event), "seats": [str(one) for one in seats]}
    return await served.call("POST", "/api/v1/tickets/reserve", user, order, Idempotency_Key=fresh_key())


async def test_from_a_seat_to_a_refund(served: Served) -> None:
    served.shop.clock.step_wall(-timedelta(days=2))
    stalls, ada = await open_stalls(served.shop), served.shop.buyer()
    held = await take_seats(served, ada, stalls.seats[0])
    assert held.status == 201
    path = f"/api/v1/reservations/{held.json['reservationId']}"
    seen = await served.call("GET", path, ada)
    assert (seen.status, seen.json, seen.headers["Cache-Control"]) == (200, held.json, "private, no-store")
    paid = {"reservationId": held.json["reservationId"], "paymentId": f"demo_8000_EUR_{fresh_key()}"}
    bought = await served.call("POST", "/api/v1/tickets/purchase", ada, paid, Idempotency_Key=fresh_key())
    assert bought.status == 200
    ticket = f"/api/v1/tickets/{stalls.seats[0]}"
    assert (await served.call("GET", ticket, ada)).json["seat"] == "A 1"
    key = fresh_key()
    back = await served.call("POST", f"{ticket}/refund", ada, Idempotency_Key=key)
    assert (back.status, back.json["paymentStatus"], back.json["amountCents"]) == (200, "refund_requested", 8000)
    again = await served.call("POST", f"{ticket}/refund", ada, Idempotency_Key=key)
    assert (again.body, again.headers["Idempotency-Replayed"]) == (back.body, "true")
    assert (await served.call("POST", f"{ticket}/refund", ada)).code == "idempotency_key_unusable"
    assert (await served.call("GET", ticket, ada)).json["status"] == "refunded"


async def test_letting_go_over_http(served: Served) -> None:
    ada = served.shop.buyer()
    held = await served.shop.reserve(ada, 2)
    path = f"/api/v1/reservations/{held.reservation_id}"
    for _ in range(2):
        ended = await served.call("DELETE", path, ada)
        assert (ended.status, ended.json["status"]) == (200, "cancelled")
    types = await served.call("GET", f"/api/v1/events/{served.shop.event}/ticket-types", ada)
    assert types.headers["Cache-Control"] == "private, max-age=2"
    standing = msgspec.convert(types.json["items"], list[dict[str, object]])[0]
    assert (standing["available"], standing["seated"]) == (50, False)
    assert (await served.call("DELETE", path, served.shop.buyer())).code == "reservation_not_found"


async def test_offers_over_http(served: Served) -> None:
    ada, ben = served.shop.buyer("ada@example.org"), served.shop.buyer(BEN)
    (ticket,) = await served.buy(ada)

    async def offer(to: str) -> Reply:
        path = f"/api/v1/tickets/{ticket}/transfer"
        return await served.call("POST", path, ada, {"recipientEmail": to}, Idempotency_Key=fresh_key())

    for verb, caller, status in (("reject", ben, "rejected"), ("cancel", ada, "cancelled")):
        served.shop.clock.advance(timedelta(seconds=1))
        made = await offer(BEN)
        assert (await offer(BEN)).code == "transfer_pending"
        answer = await served.call("POST", f"/api/v1/transfers/{made.json['transferId']}/{verb}", caller)
        assert (answer.status, answer.json["status"]) == (200, status)
        late = await served.call("POST", f"/api/v1/transfers/{made.json['transferId']}/accept", ben)
        assert (late.status, late.code) == (410, "transfer_over")
    self_offer = await offer("ada@example.org")
    assert (self_offer.status, self_offer.code) == (422, "transfer_to_self")
    for caller, direction in ((ada, "sent"), (ben, "received")):
        listed = await served.call("GET", f"/api/v1/transfers?direction={direction}&limit=1", caller)
        (item,) = msgspec.convert(listed.json["items"], list[dict[str, object]])
        assert (item["direction"], item["status"]) == (direction, "cancelled")
        assert ("recipientEmail" in item) == (direction == "sent")
        more = msgspec.convert(listed.json["pagination"], dict[str, object])
        rest = await served.call("GET", f"/api/v1/transfers?direction={direction}&cursor={more['nextCursor']}", caller)
        assert [one["status"] for one in msgspec.convert(rest.json["items"], list[dict[str, object]])] == ["rejected"]
    assert (await served.call("GET", "/api/v1/transfers?direction=up", ada)).code == "request_invalid"


async def test_statuses_of_seats_and_refunds(served: Served) -> None:
    stalls, ada = await open_stalls(served.shop), served.shop.buyer()
    assert (await take_seats(served, ada, stalls.seats[0])).status == 201
    taken = await take_seats(served, served.shop.buyer(), stalls.seats[0])
    assert (taken.status, taken.code) == (409, "seat_taken")
    unknown = await take_seats(served, served.shop.buyer(), uuid4())
    assert (unknown.status, unknown.code) == (404, "seat_not_found")
    ben = served.shop.buyer()
    (ticket,) = await served.buy(ben)
    late = await served.call("POST", f"/api/v1/tickets/{ticket}/refund", ben, Idempotency_Key=fresh_key())
    assert (late.status, late.code) == (409, "refund_too_late")
    foreign = await served.call("POST", f"/api/v1/tickets/{ticket}/refund", ada, Idempotency_Key=fresh_key())
    assert (foreign.status, foreign.code) == (404, "ticket_not_found")
    for path in ("", "/history"):
        assert (await served.call("GET", f"/api/v1/tickets/{ticket}{path}", ada)).code == "ticket_not_found"
