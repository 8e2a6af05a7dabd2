"""Buying against a real database: only its holder, only in time, only with a payment that fits and was not used."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from server.payments.absent import NoPayments
from server.payments.demo import DemoPayments
from server.services.payments import PaymentState
from server.services.problems import (
    PaymentReused,
    PaymentsAway,
    PaymentUnverified,
    ReservationExpired,
    ReservationSpent,
    ReservationUnknown,
)
from server.services.purchase import Purchased, PurchaseRequest, purchase
from shared.codes.keys import derive_handle, hash_handle, open_holder
from shared.ids import ReservationId, TenantId
from shared.problems import TicketTokenError
from shared.sync.feed import PolicyEntry, TicketEntry
from shared.tickets.lifecycle import Actor, State
from tests.integration.server.selling.stage import Shop, fresh_key

TENANT = TenantId(uuid4())
HOLD = timedelta(minutes=10)


async def test_paid_places_become_active_tickets(shop: Shop) -> None:
    buyer = shop.buyer()
    answer = await shop.pay(buyer, await shop.reserve(buyer, 2))
    bought = msgspec.json.decode(answer.body, type=Purchased)
    assert (bought.total_cents, bought.payment_status, len(bought.tickets)) == (9000, PaymentState.COMPLETED, 2)
    assert {one.ticket_type_name for one in bought.tickets} == {"Standing"}
    for one in bought.tickets:
        ticket = await shop.ticket(one.ticket_id)
        assert (ticket.state, ticket.owner, ticket.version, ticket.generation) == (State.ACTIVE, buyer.user, 2, 0)
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold) == (48, 0, 2)


async def test_each_step_is_remembered_with_who_and_why(shop: Shop) -> None:
    (ticket,) = await shop.buy(shop.buyer())
    async with shop.context.db.tenant(shop.tenant) as tx:
        steps = await tx.tickets.history(ticket)
    assert [(step.from_state, step.to_state, step.version) for step in steps] == [
        (None, State.SOLD, 1),
        (State.SOLD, State.ACTIVE, 2),
    ]
    assert {step.actor.kind for step in steps} == {Actor.SYSTEM}
    assert {step.source for step in steps} == {"purchase"}


async def test_gates_are_told_of_the_ticket_as_it_is_now(shop: Shop) -> None:
    (ticket,) = await shop.buy(shop.buyer())
    policy, entry = await shop.queued()
    async with shop.context.db.tenant(shop.tenant) as tx:
        handle = derive_handle(await shop.context.vault.master(tx), ticket, 0)
        found = await tx.tickets.find_handle(shop.event, hash_handle(handle))
    assert isinstance(policy, PolicyEntry)
    assert isinstance(entry, TicketEntry)
    assert (entry.handle_hash, entry.state, entry.version, entry.product) == (
        hash_handle(handle),
        State.ACTIVE,
        2,
        1,
    )
    assert open_holder(handle, entry.sealed).product == "Standing"
    assert found is not None
    assert (found.ticket, found.generation) == (ticket, 0)


async def test_a_reservation_is_bought_once(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    await shop.pay(buyer, held)
    with pytest.raises(ReservationSpent):
        await shop.pay(buyer, held)
    assert (await shop.stock()).sold == 1


async def test_ten_payments_at_once_buy_once(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)

    async def try_one() -> str:
        try:
            await shop.pay(buyer, held)
        except TicketTokenError as problem:
            return problem.code
        return "bought"

    outcomes = Counter(await asyncio.gather(*(try_one() for _ in range(10))))
    assert outcomes == {"bought": 1, "reservation_spent": 9}
    assert (await shop.stock()).sold == 1


async def test_an_overdue_reservation_is_gone_and_its_places_are_back(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 5)
    shop.clock.advance(HOLD)
    with pytest.raises(ReservationExpired):
        await shop.pay(buyer, held)
    stock = await shop.stock()
    assert (stock.available, stock.reserved) == (50, 0)
    with pytest.raises(ReservationExpired):
        await shop.pay(buyer, held)


async def test_somebody_elses_reservation_looks_absent(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 1)
    with pytest.raises(ReservationUnknown):
        await shop.pay(shop.buyer(), held)
    unknown = PurchaseRequest(reservation_id=ReservationId(uuid4()), payment_id=shop.till.take(1))
    with pytest.raises(ReservationUnknown):
        await purchase(shop.context, shop.till, shop.buyer(), fresh_key(), unknown)


@pytest.mark.parametrize(
    ("amount_cents", "currency", "state"),
    [
        (4499, "EUR", PaymentState.COMPLETED),
        (4501, "EUR", PaymentState.COMPLETED),
        (4500, "USD", PaymentState.COMPLETED),
        (4500, "EUR", PaymentState.PENDING),
        (4500, "EUR", PaymentState.FAILED),
        (4500, "EUR", PaymentState.REFUNDED),
    ],
)
async def test_a_payment_that_does_not_fit_buys_nothing(
    amount_cents: int, currency: str, state: PaymentState, shop: Shop
) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    with pytest.raises(PaymentUnverified):
        await shop.pay(buyer, held, payment=shop.till.take(amount_cents, currency, state))
    assert (await shop.stock()).sold == 0
    await shop.pay(buyer, held)
    assert (await shop.stock()).sold == 1


async def test_an_unknown_payment_buys_nothing(shop: Shop) -> None:
    buyer = shop.buyer()
    with pytest.raises(PaymentUnverified, match="knows no such payment"):
        await shop.pay(buyer, await shop.reserve(buyer, 1), payment="made-up")


async def test_a_payment_buys_once_whoever_brings_it(shop: Shop) -> None:
    first, second = shop.buyer(), shop.buyer()
    held = await shop.reserve(first, 1)
    payment = shop.till.take(4500)
    await shop.pay(first, held, payment=payment)
    other = await shop.reserve(second, 1)
    with pytest.raises(PaymentReused):
        await shop.pay(second, other, payment=payment)
    stock = await shop.stock()
    assert (stock.reserved, stock.sold) == (1, 1)


async def test_demo_payments_say_what_their_reference_says() -> None:
    payment = await DemoPayments().fetch(TENANT, "demo_4500_EUR_0123456789abcdef")
    assert payment is not None
    assert (payment.amount_cents, payment.currency, payment.state) == (4500, "EUR", PaymentState.COMPLETED)
    for odd in (
        "demo_4500_EUR_short",
        "demo_-1_EUR_0123456789",
        "demo_45.00_EUR_0123456789",
        "pay_4500_EUR_0123456789",
    ):
        assert await DemoPayments().fetch(TENANT, odd) is None


async def test_without_a_provider_nothing_is_bought(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    request = PurchaseRequest(reservation_id=held.reservation_id, payment_id="demo_4500_EUR_0123456789")
    with pytest.raises(PaymentsAway):
        await purchase(shop.context, NoPayments(), buyer, fresh_key(), request)
    assert (await shop.stock()).sold == 0
