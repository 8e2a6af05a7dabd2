"""Where no broker is, other services tell of payments over REST, with the same effect, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from server.payments.stored import StoredPayments
from server.services.sweep import MESSAGES_KEPT, sweep
from shared.clock import ManualClock
from shared.ids import TenantId
from tests.conftest import Databases
from tests.integration.server.access.stage import Door, open_door
from tests.integration.server.selling.client import Json

PATH = "/internal/payments"


@pytest.fixture
async def door(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give a served event and a service that may call."""
    async with open_door(database, clock) as opened:
        yield opened


def completed(door: Door, **payload: object) -> Json:
    """Return word of a payment of 45.00 EUR."""
    told = {"paymentId": "pay-1", "amountCents": 4500, "currency": "EUR"} | payload
    return {
        "event": "payment.completed",
        "id": str(uuid4()),
        "timestamp": door.clock.now().isoformat(),
        "payload": told,
    }


async def test_a_service_tells_of_a_payment_and_the_tickets_are_there(door: Door) -> None:
    held = await door.served.shop.reserve(door.ada, 1)
    word = completed(door, reservationId=str(held.reservation_id))
    first = await door.signed("POST", PATH, word)
    assert (first.status, first.json) == (200, {"id": word["id"], "outcome": "confirmed", "repeated": False})
    again = await door.signed("POST", PATH, word)
    assert (again.status, again.json) == (200, {"id": word["id"], "outcome": "confirmed", "repeated": True})
    assert (await door.served.shop.stock()).sold == 1
    mine = await door.served.call("GET", "/api/v1/tickets", door.ada)
    assert mine.status == 200
    assert str(door.event) in mine.body.decode()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"payload": {"paymentId": "pay-1"}}, 400, "request_invalid"),
        ({"event": "payment.dreamt"}, 400, "request_invalid"),
        ({"timestamp": "2026-06-20T12:00:00"}, 400, "request_invalid"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, 400, "request_invalid"),
        ({"timestamp": "9999-12-31T23:59:59-14:00"}, 400, "request_invalid"),
        ({"surprise": 1}, 400, "request_invalid"),
        ({"event": "order.cancelled", "payload": {}}, 400, "request_invalid"),
        ({"event": "order.cancelled", "payload": {"orderId": str(uuid4())}}, 404, "order_not_found"),
    ],
)
async def test_each_unusable_word_is_refused(door: Door, changes: Json, status: int, code: str) -> None:
    reply = await door.signed("POST", PATH, completed(door) | changes)
    assert (reply.status, reply.code) == (status, code)


async def test_what_cannot_be_true_is_refused(door: Door) -> None:
    held = await door.served.shop.reserve(door.ada, 1)
    unknown = await door.signed("POST", PATH, completed(door, reservationId=str(uuid4())))
    assert (unknown.status, unknown.code) == (404, "reservation_not_found")
    short = await door.signed("POST", PATH, completed(door, reservationId=str(held.reservation_id), amountCents=1))
    assert (short.status, short.code) == (402, "payment_unverified")
    word = completed(door)
    assert (await door.signed("POST", PATH, word)).json["outcome"] == "recorded"
    reused = await door.signed(
        "POST", PATH, word | {"payload": {"paymentId": "x", "amountCents": 1, "currency": "EUR"}}
    )
    assert (reused.status, reused.code) == (409, "message_id_reused")
    other = await door.signed("POST", PATH, completed(door, amountCents=1))
    assert (other.status, other.code) == (409, "payment_contradicts")
    foreign = await door.signed("POST", PATH, completed(door), tenant=TenantId(uuid4()))
    assert (foreign.status, foreign.code) == (404, "tenant_not_found")


async def test_nobody_else_may_tell_of_payments(door: Door) -> None:
    assert (await door.post(PATH, None, completed(door))).status == 401
    assert (await door.post(PATH, door.ada, completed(door))).status == 401
    forged = await door.signed("POST", PATH, completed(door), secret="not the secret it is, and long enough")
    assert (forged.status, forged.code) == (401, "service_signature_invalid")


async def test_messages_are_forgotten_only_long_after_anybody_sends_them_again(door: Door) -> None:
    parts = door.served.running.parts
    word = completed(door)
    await door.signed("POST", PATH, word)
    door.clock.advance(MESSAGES_KEPT - timedelta(days=1))
    await sweep(parts.context, parts.database)
    assert (await door.signed("POST", PATH, word)).json["repeated"] is True
    door.clock.advance(timedelta(days=2))
    await sweep(parts.context, parts.database)
    assert (await door.signed("POST", PATH, word)).json["repeated"] is False
    known = await StoredPayments(parts.database).fetch(door.tenant, "pay-1")
    assert known is not None
    assert known.amount_cents == 4500
