"""What payments and orders say has its effect once, whoever is quicker; what cannot be true is refused with a reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from server.bus.envelope import decode_envelope
from server.domain.access import User
from server.payments.stored import StoredPayments
from server.services.inbox import InboxState, Reader
from server.services.order_messages import read_message
from server.services.payment_facts import Effect, take_message
from server.services.payments import PaymentState
from server.services.ports_bus import Arrived, Outcome
from server.services.problems import PaymentUnverified, ReservationExpired
from server.services.purchase import Purchased, PurchaseRequest, purchase
from server.services.reservation_view import Reserved
from server.services.reserve import reserve
from server.services.rows import ActorRef, TicketRow
from server.services.rows_facts import RefusedMessage
from server.services.transition import Move, move_ticket
from shared.ids import TenantId
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.messages.post import Notice, Told, notice, waiting
from tests.integration.server.selling.stage import Shop, fresh_key


def paid(shop: Shop, held: Reserved | None, payment: str = "pay-1", cents: int | None = None, **how: object) -> Notice:
    """Return word of a payment, for what is held and in full unless told otherwise."""
    named = {} if held is None else {"reservationId": str(held.reservation_id)}
    amount = cents if cents is not None else (held.total_cents if held is not None else 4500)
    payload = {"paymentId": payment, "amountCents": amount, "currency": "EUR"} | named | how
    return notice("payment.completed", shop.tenant, shop.clock.now(), **payload)


def failed(shop: Shop, held: Reserved | None, payment: str = "pay-1") -> Notice:
    """Return word that a payment came to nothing."""
    named = {} if held is None else {"reservationId": str(held.reservation_id)}
    return notice("payment.failed", shop.tenant, shop.clock.now(), paymentId=payment, **named)


async def tell(shop: Shop, told: Notice) -> Effect:
    """Hand a message to the use case."""
    return (await take_message(shop.context, told.tenant, read_message(told.envelope))).outcome


async def buy_with(shop: Shop, buyer: User, held: Reserved, payment: str = "pay-1") -> Purchased:
    """Buy what is held, as its holder does who was told to have paid."""
    request = PurchaseRequest(reservation_id=held.reservation_id, payment_id=payment)
    answer = await purchase(shop.context, StoredPayments(shop.context.db), buyer, fresh_key(), request)
    return msgspec.json.decode(answer.body, type=Purchased)


async def refunds(shop: Shop) -> list[Told]:
    """Return the requests for money to be given back."""
    return [one for one in await waiting(shop.parts.database) if one.key == "payment.refund_requested"]


async def tickets_of(shop: Shop, bought: Purchased) -> list[TicketRow]:
    """Return an order's tickets as stored."""
    return [await shop.ticket(one.ticket_id) for one in bought.tickets]


async def test_whoever_paid_has_the_tickets_before_asking_for_them(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 2)
    assert await tell(shop, paid(shop, held)) is Effect.CONFIRMED
    bought = await buy_with(shop, buyer, held)
    assert [one.owner for one in await tickets_of(shop, bought)] == [buyer.user] * 2
    assert (await buy_with(shop, buyer, held)).order_id == bought.order_id
    stock = await shop.stock()
    assert (stock.reserved, stock.sold) == (0, 2)


async def test_asking_before_the_payment_is_known_costs_nothing(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    with pytest.raises(PaymentUnverified):
        await buy_with(shop, buyer, held)
    assert await tell(shop, paid(shop, held)) is Effect.CONFIRMED
    assert len((await buy_with(shop, buyer, held)).tickets) == 1
    assert (await shop.stock()).sold == 1


async def test_a_payment_for_nothing_in_particular_buys_by_its_reference(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    assert await tell(shop, paid(shop, None)) is Effect.RECORDED
    assert (await buy_with(shop, buyer, held)).total_cents == 4500
    assert await tell(shop, paid(shop, held)) is Effect.NOTHING


async def test_word_and_buyer_at_the_same_moment_make_one_order(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    await tell(shop, paid(shop, None))
    word, bought = await asyncio.gather(tell(shop, paid(shop, held)), buy_with(shop, buyer, held))
    assert word in {Effect.CONFIRMED, Effect.NOTHING}
    assert len(bought.tickets) == 1
    assert (await shop.stock()).sold == 1


async def test_a_message_has_its_effect_once_however_often_it_comes(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 3)
    told = read_message(paid(shop, held).envelope)
    first = await take_message(shop.context, shop.tenant, told)
    again = await take_message(shop.context, shop.tenant, told)
    assert (first.outcome, first.repeated) == (Effect.CONFIRMED, False)
    assert (again.outcome, again.repeated) == (Effect.CONFIRMED, True)
    assert (await shop.stock()).sold == 3


async def test_one_message_delivered_eight_times_at_once_makes_one_order(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    reader, state = read(shop)
    told = paid(shop, held)
    outcomes = await asyncio.gather(*(try_handling(reader, told) for _ in range(8)))
    assert Outcome.DEAD not in outcomes
    assert Outcome.DONE in outcomes
    assert await reader.handle(told.arrived) is Outcome.DONE
    assert ((await shop.stock()).sold, state.refused) == (1, 0)


async def test_money_that_came_too_late_is_asked_back_and_buys_nothing_else(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    shop.clock.advance(timedelta(minutes=11))
    assert await tell(shop, paid(shop, held)) is Effect.REFUND_REQUESTED
    (refund,) = await refunds(shop)
    assert refund.payload["reason"] == "reservation_over"
    assert (refund.payload["paymentId"], refund.payload["amountCents"]) == ("pay-1", 4500)
    with pytest.raises(ReservationExpired):
        await buy_with(shop, buyer, held)
    other = await shop.reserve(buyer, 1)
    with pytest.raises(PaymentUnverified, match="refunded"):
        await buy_with(shop, buyer, other)
    assert await tell(shop, paid(shop, held)) is Effect.NOTHING
    assert len(await refunds(shop)) == 1


async def test_what_was_paid_twice_is_asked_back_once(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    assert await tell(shop, paid(shop, held)) is Effect.CONFIRMED
    assert await tell(shop, paid(shop, held, "pay-2")) is Effect.REFUND_REQUESTED
    assert [(one.payload["paymentId"], one.payload["reason"]) for one in await refunds(shop)] == [
        ("pay-2", "already_paid")
    ]
    assert (await shop.stock()).sold == 1


async def test_a_payment_that_failed_frees_the_places_at_once(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 4)
    assert (await shop.stock()).reserved == 4
    assert await tell(shop, failed(shop, held)) is Effect.RELEASED
    assert (await shop.stock()).reserved == 0
    assert await tell(shop, failed(shop, held)) is Effect.RECORDED
    released = [one for one in await waiting(shop.parts.database) if one.key == "reservation.released"]
    assert [one.payload["reason"] for one in released] == ["payment_failed"]


async def test_word_of_an_earlier_try_that_comes_late_takes_nothing_away(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    early = failed(shop, held)
    shop.clock.advance(timedelta(seconds=5))
    assert await tell(shop, paid(shop, held)) is Effect.CONFIRMED
    assert await tell(shop, early) is Effect.NOTHING
    stored = await StoredPayments(shop.context.db).fetch(shop.tenant, "pay-1")
    assert stored is not None
    assert (stored.state, stored.amount_cents) == (PaymentState.COMPLETED, 4500)


async def test_a_cancelled_order_frees_what_is_held_or_voids_what_was_bought(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    gone = notice("order.cancelled", shop.tenant, shop.clock.now(), reservationId=str(held.reservation_id))
    assert await tell(shop, gone) is Effect.RELEASED
    buyer = shop.buyer()
    kept = await shop.reserve(buyer, 2)
    await tell(shop, paid(shop, kept))
    bought = await buy_with(shop, buyer, kept)
    void = notice("order.cancelled", shop.tenant, shop.clock.now(), orderId=str(bought.order_id))
    assert await tell(shop, void) is Effect.CANCELLED
    assert {one.state for one in await tickets_of(shop, bought)} == {State.CANCELLED}
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold) == (50, 0, 0)
    assert [one.payload["reason"] for one in await waiting(shop.parts.database) if one.key == "ticket.revoked"] == [
        "order_cancelled"
    ] * 2
    assert await tell(shop, replace(void, id=uuid4())) is Effect.NOTHING
    # Whoever cancelled the order sees to the money.
    assert await refunds(shop) == []


async def test_a_cancelled_order_leaves_whoever_went_in_as_they_are(shop: Shop) -> None:
    buyer = shop.buyer()
    answer = await reserve(shop.context, buyer, fresh_key(), shop.order((shop.standing, 3)))
    held = msgspec.json.decode(answer.body, type=Reserved)
    await tell(shop, paid(shop, held))
    bought = await buy_with(shop, buyer, held)
    inside, left, home = await tickets_of(shop, bought)
    for ticket, steps in ((inside, [State.CHECKED_IN]), (left, [State.CHECKED_IN, State.ACTIVE])):
        row = ticket
        for to in steps:
            move = Move(to=to, actor=ActorRef(kind=Actor.SYSTEM, id="test"), source="test", now=shop.clock.now())
            async with shop.context.db.tenant(shop.tenant) as tx:
                row = await move_ticket(tx, shop.context.vault, row, move)
    void = notice("order.cancelled", shop.tenant, shop.clock.now(), orderId=str(bought.order_id))
    assert await tell(shop, void) is Effect.CANCELLED
    states = [(await shop.ticket(one.id)).state for one in (inside, left, home)]
    assert states == [State.CHECKED_IN, State.ACTIVE, State.CANCELLED]
    stock = await shop.stock()
    assert (stock.available, stock.sold) == (48, 2)


def read(shop: Shop) -> tuple[Reader, InboxState]:
    """Return what handles the inbox of a shop."""
    state = InboxState()
    return Reader(shop.context, shop.parts.database, decode_envelope, state), state


async def try_handling(reader: Reader, told: Notice) -> Outcome:
    """Handle a message as the bus does: a problem means another try."""
    try:
        return await reader.handle(told.arrived)
    except Exception:  # noqa: BLE001 - whatever it is, the bus would hand the message out again
        return Outcome.AGAIN


async def refusal(shop: Shop, arrived: Arrived) -> RefusedMessage:
    """Have a message refused and return why."""
    reader, _ = read(shop)
    assert await reader.handle(arrived) is Outcome.DEAD
    async with shop.parts.database.worker() as unit:
        (why,) = await unit.refusals.refusals([arrived.message_id])
    return why


async def test_each_impossible_message_is_refused_with_its_reason(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    good = paid(shop, held)
    cases = {
        "tenant_not_found": replace(good, tenant=TenantId(uuid4())),
        "reservation_not_found": paid(shop, None, reservationId=str(uuid4())),
        "payment_unverified": paid(shop, held, cents=1),
        "message_malformed": replace(good, payload={"paymentId": "pay-1"}),
        "order_not_found": notice("order.cancelled", shop.tenant, shop.clock.now(), orderId=str(uuid4())),
    }
    for code, told in cases.items():
        why = await refusal(shop, replace(told, id=uuid4()).arrived)
        assert (why.code, why.queue, why.key) == (code, "ticket.inbox", told.event)
    odd = replace(good, event="payment.dreamt", id=uuid4())
    assert (await refusal(shop, odd.arrived)).code == "message_malformed"
    noise = Arrived(queue="ticket.inbox", key="payment.completed", message_id="noise", body=b"\xff\x00", attempt=1)
    assert (await refusal(shop, noise)).code == "code_malformed"
    assert ((await shop.stock()).reserved, (await shop.stock()).sold) == (1, 0)
    assert await waiting(shop.parts.database) != []
    assert await tell(shop, good) is Effect.CONFIRMED


async def test_two_stories_about_one_payment_go_to_a_person(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    told = paid(shop, held)
    await tell(shop, told)
    shop.clock.advance(timedelta(seconds=5))
    assert (await refusal(shop, paid(shop, held, cents=4400).arrived)).code == "payment_contradicts"
    assert (await refusal(shop, failed(shop, held).arrived)).code == "payment_contradicts"
    reused = replace(told, payload=dict(told.payload) | {"paymentId": "pay-9"})
    assert (await refusal(shop, reused.arrived)).code == "message_id_reused"
    assert (await shop.stock()).sold == 1


async def test_one_payment_does_not_buy_two_reservations(shop: Shop) -> None:
    first, second = await shop.reserve(shop.buyer(), 1), await shop.reserve(shop.buyer(), 1)
    await tell(shop, paid(shop, first))
    assert (await refusal(shop, paid(shop, second).arrived)).code == "payment_contradicts"
    assert ((await shop.stock()).reserved, (await shop.stock()).sold) == (1, 1)


async def test_another_tenants_reservation_is_unknown(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    stranger = TenantId(uuid4())
    async with shop.context.db.tenant(stranger) as tx:
        await tx.events.add_tenant("Elsewhere")
    assert (await refusal(shop, replace(paid(shop, held), tenant=stranger).arrived)).code == "reservation_not_found"
    assert await StoredPayments(shop.context.db).fetch(stranger, "pay-1") is None
    assert (await shop.stock()).reserved == 1
