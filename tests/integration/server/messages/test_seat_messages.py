"""Messages about seats: bought by word of a payment, told to others step by step, free again when the order is cancelled."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from server.bus.envelope import decode_envelope
from server.services.inbox import InboxState, Reader
from server.services.order_messages import read_message
from server.services.payment_facts import Effect, take_message
from server.services.ports_bus import Outcome
from server.services.problems import LimitExceeded
from server.services.rows import EventState
from shared.tickets.lifecycle import State
from tests.conftest import Databases
from tests.integration.server.messages.post import Notice, notice, waiting
from tests.integration.server.schema.connections import connected
from tests.integration.server.selling.seating import change_event, faults_of_stock, open_stalls
from tests.integration.server.selling.stage import Shop


async def tell(shop: Shop, told: Notice) -> Effect:
    """Hand a message to the use case."""
    return (await take_message(shop.context, told.tenant, read_message(told.envelope))).outcome


def paid(shop: Shop, reservation: object, cents: int, payment: str = "pay-1") -> Notice:
    """Return word of a payment for a reservation."""
    told = {"paymentId": payment, "amountCents": cents, "currency": "EUR", "reservationId": str(reservation)}
    return notice("payment.completed", shop.tenant, shop.clock.now(), **told)


async def test_a_seat_goes_from_sale_to_somebody_and_back(shop: Shop) -> None:
    stalls = await open_stalls(shop, rows=3)
    held = await stalls.take(shop.buyer(), 0, 1)
    assert await tell(shop, paid(shop, held.reservation_id, held.total_cents)) is Effect.CONFIRMED
    seat = stalls.seats[0]
    told = [(one.key, one.payload["state"]) for one in await waiting(shop.parts.database) if one.subject == seat]
    assert told == [("ticket.created", "available"), ("ticket.purchased", "sold")]
    gone = notice("order.cancelled", shop.tenant, shop.clock.now(), reservationId=str(held.reservation_id))
    assert await tell(shop, gone) is Effect.CANCELLED
    assert (await shop.ticket(seat)).state is State.CANCELLED
    assert await stalls.free() == ["A 1", "A 2", "A 3"]
    assert await faults_of_stock(shop) == []
    keys = [one.key for one in await waiting(shop.parts.database)]
    assert (keys.count("ticket.revoked"), keys.count("ticket.created")) == (2, 5)


async def test_a_cancelled_order_does_not_count_against_what_one_person_may_have(shop: Shop) -> None:
    stalls, buyer = await open_stalls(shop, rows=2), shop.buyer()
    await change_event(shop, max_per_user=2)
    held = await stalls.take(buyer, 0, 1)
    assert await tell(shop, paid(shop, held.reservation_id, held.total_cents)) is Effect.CONFIRMED
    with pytest.raises(LimitExceeded):
        await shop.reserve(buyer, 1)
    gone = notice("order.cancelled", shop.tenant, shop.clock.now(), reservationId=str(held.reservation_id))
    assert await tell(shop, gone) is Effect.CANCELLED
    assert (await shop.reserve(buyer, 2)).total_cents == 9000
    assert await faults_of_stock(shop) == []


async def test_a_failed_payment_frees_its_seats(shop: Shop) -> None:
    stalls = await open_stalls(shop, rows=2)
    held = await stalls.take(shop.buyer(), 0)
    assert await stalls.free() == ["A 2"]
    lost = notice(
        "payment.failed", shop.tenant, shop.clock.now(), paymentId="pay-1", reservationId=str(held.reservation_id)
    )
    assert await tell(shop, lost) is Effect.RELEASED
    assert (await stalls.free(), await faults_of_stock(shop)) == (["A 1", "A 2"], [])


async def test_money_for_an_event_that_stopped_selling_is_asked_back(shop: Shop, database: Databases) -> None:
    stalls = await open_stalls(shop, rows=1)
    held = await stalls.take(shop.buyer(), 0)
    async with connected(database.owner_dsn) as owner, owner.transaction():
        await owner.execute("SELECT set_config('app.tenant', $1, true)", str(shop.tenant))
        await owner.execute("UPDATE events SET state = $1", EventState.CLOSED)
    assert await tell(shop, paid(shop, held.reservation_id, held.total_cents)) is Effect.REFUND_REQUESTED
    (refund,) = [one for one in await waiting(shop.parts.database) if one.key == "payment.refund_requested"]
    assert (refund.payload["reason"], refund.payload["amountCents"]) == ("not_on_sale", 8000)
    assert (await shop.ticket(stalls.seats[0])).state is State.RESERVED
    assert await faults_of_stock(shop) == []


async def test_paying_and_cancelling_at_the_same_moment_leave_the_stock_right(shop: Shop) -> None:
    stalls = await open_stalls(shop, rows=8)
    reader = Reader(shop.context, shop.parts.database, decode_envelope, InboxState())
    told = []
    for number in range(8):
        held = await stalls.take(shop.buyer(), number)
        told.append(paid(shop, held.reservation_id, held.total_cents, f"pay-{number}"))
        told.append(notice("order.cancelled", shop.tenant, shop.clock.now(), reservationId=str(held.reservation_id)))
    outcomes = await asyncio.gather(*(reader.handle(one.arrived) for one in told), return_exceptions=True)
    again = [one for one, outcome in zip(told, outcomes, strict=True) if outcome is not Outcome.DONE]
    for one in again:
        assert await reader.handle(replace(one).arrived) is Outcome.DONE
    assert await faults_of_stock(shop) == []
    facts = await waiting(shop.parts.database)
    bought = {one.subject for one in facts if one.key == "ticket.purchased"}
    void = {one.subject for one in facts if one.key == "ticket.revoked"}
    asked = [one for one in facts if one.key == "payment.refund_requested"]
    # Either the money came first and the order was voided, or the places were free already and the money goes back.
    assert bought == void
    assert len(bought) + len(asked) == 8
    assert len(await stalls.free()) == 8
