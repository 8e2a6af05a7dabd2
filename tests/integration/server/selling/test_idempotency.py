"""Repeating a call repeats its answer, whatever happens around it."""

from __future__ import annotations

import asyncio

import pytest

from server.services.idempotency import name_call, run_once
from server.services.ports import Unit
from server.services.problems import CallInProgress, KeyReused, KeyUnusable, PaymentUnverified, ReservationUnknown
from server.services.purchase import PurchaseRequest, purchase
from server.services.reserve import reserve
from server.services.rows import VenueRow
from shared.ids import VenueId
from tests.integration.server.selling.stage import Shop, fresh_key


async def test_a_repeated_reservation_is_answered_from_memory(shop: Shop) -> None:
    buyer, key = shop.buyer(), fresh_key()
    order = shop.order((shop.standing, 2))
    first = await reserve(shop.context, buyer, key, order)
    second = await reserve(shop.context, buyer, key, order)
    assert (second.body, second.status) == (first.body, first.status)
    assert (first.replayed, second.replayed) == (False, True)
    assert (await shop.stock()).reserved == 2


async def test_a_repeated_purchase_does_not_ask_the_till_again(shop: Shop) -> None:
    buyer, key = shop.buyer(), fresh_key()
    held = await shop.reserve(buyer, 1)
    payment = shop.till.take(held.total_cents)
    first = await shop.pay(buyer, held, payment=payment, key=key)
    asked = shop.till.asked
    second = await shop.pay(buyer, held, payment=payment, key=key)
    assert second.body == first.body
    assert second.replayed
    assert shop.till.asked == asked
    assert (await shop.stock()).sold == 1


async def test_another_body_under_the_same_key_is_refused(shop: Shop) -> None:
    buyer, key = shop.buyer(), fresh_key()
    await reserve(shop.context, buyer, key, shop.order((shop.standing, 2)))
    with pytest.raises(KeyReused):
        await reserve(shop.context, buyer, key, shop.order((shop.standing, 3)))


async def test_a_key_belongs_to_one_user_and_one_operation(shop: Shop) -> None:
    first, second, key = shop.buyer(), shop.buyer(), fresh_key()
    order = shop.order((shop.standing, 1))
    assert not (await reserve(shop.context, first, key, order)).replayed
    assert not (await reserve(shop.context, second, key, order)).replayed
    held = await shop.reserve(shop.buyer(), 1)
    request = PurchaseRequest(reservation_id=held.reservation_id, payment_id=shop.till.take(4500))
    with pytest.raises(ReservationUnknown):
        await purchase(shop.context, shop.till, first, key, request)


async def test_a_call_that_failed_may_be_tried_again_under_its_key(shop: Shop) -> None:
    buyer, key = shop.buyer(), fresh_key()
    held = await shop.reserve(buyer, 1)
    payment = shop.till.take(1)
    with pytest.raises(PaymentUnverified):
        await shop.pay(buyer, held, payment=payment, key=key)
    shop.till.payments[payment] = shop.till.payments[shop.till.take(held.total_cents)]
    assert (await shop.pay(buyer, held, payment=payment, key=key)).status == 200


@pytest.mark.parametrize("key", [None, "", "fifteen-letters", "x" * 65, "sixteen letters!", "sixteen-letterß"])
async def test_keys_of_another_form_are_refused(key: str | None, shop: Shop) -> None:
    with pytest.raises(KeyUnusable):
        await reserve(shop.context, shop.buyer(), key, shop.order((shop.standing, 1)))


async def test_the_same_call_at_the_same_moment_is_told_to_wait(shop: Shop) -> None:
    call = name_call(shop.buyer(), "test", fresh_key(), shop.order((shop.standing, 1)))
    inside, finish = asyncio.Event(), asyncio.Event()

    async def slow(tx: Unit) -> VenueRow:
        inside.set()
        await finish.wait()
        return venue(tx)

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        first = group.create_task(run_once(shop.context.db, call, 200, slow))
        await inside.wait()
        with pytest.raises(CallInProgress):
            await run_once(shop.context.db, call, 200, never)
        finish.set()
    assert first.result().status == 200
    assert (await run_once(shop.context.db, call, 200, never)).replayed


async def test_a_failure_takes_the_effect_and_the_answer_with_it(shop: Shop) -> None:
    call = name_call(shop.buyer(), "test", fresh_key(), shop.order((shop.standing, 1)))

    async def fail(tx: Unit) -> VenueRow:
        await tx.stock.lock([shop.standing])
        await tx.stock.hold(shop.standing, 7)
        raise CallInProgress("the power fails here")

    with pytest.raises(CallInProgress, match="power"):
        await run_once(shop.context.db, call, 200, fail)
    assert (await shop.stock()).reserved == 0
    async with shop.context.db.tenant(shop.tenant) as tx:
        assert await tx.idempotency.get(call.user.user, call.operation, call.key) is None


def venue(tx: Unit) -> VenueRow:
    """Return something to answer with."""
    return VenueRow(tenant=tx.tenant, id=VenueId(tx.tenant), name="Hall")


async def never(tx: Unit) -> VenueRow:
    """Stand for work that must not be done."""
    raise AssertionError(f"the work was done again for {tx.tenant}")
