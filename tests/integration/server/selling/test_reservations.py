"""Looking at a reservation and letting go of it: by its holder alone, with the places back at once, as often as asked."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.services.availability import list_ticket_types
from server.services.idempotency import Answer
from server.services.problems import (
    NotOnSale,
    PaymentUnverified,
    ReservationExpired,
    ReservationSpent,
    ReservationUnknown,
)
from server.services.reservation_view import Reserved
from server.services.reservations import read_reservation, release_reservation
from server.services.rows import EventState, ReservationState
from shared.ids import ReservationId, TenantId
from tests.integration.server.selling.seating import change_event, faults_of_stock, open_stalls
from tests.integration.server.selling.stage import Shop

HOLD = timedelta(minutes=10)


async def test_the_holder_sees_what_is_held_and_until_when(shop: Shop) -> None:
    stalls, ada = await open_stalls(shop), shop.buyer()
    held = await stalls.take(ada, 0, 1)
    assert await read_reservation(shop.context, ada, held.reservation_id) == held
    await shop.pay(ada, held)
    bought = await read_reservation(shop.context, ada, held.reservation_id)
    assert (bought.status, bought.seats) == (ReservationState.CONFIRMED, held.seats)


async def test_nobody_else_sees_or_ends_a_reservation(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 2)
    for caller in (shop.buyer(), replace(ada, tenant=TenantId(uuid4()))):
        for call in (read_reservation, release_reservation):
            with pytest.raises(ReservationUnknown):
                await call(shop.context, caller, held.reservation_id)
    with pytest.raises(ReservationUnknown):
        await release_reservation(shop.context, ada, ReservationId(uuid4()))
    assert (await shop.stock()).reserved == 2


async def test_letting_go_gives_places_back_once(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 3)
    calls = (release_reservation(shop.context, ada, held.reservation_id) for _ in range(5))
    assert {one.status for one in await asyncio.gather(*calls)} == {ReservationState.CANCELLED}
    stock = await shop.stock()
    assert (stock.available, stock.reserved) == (50, 0)
    with pytest.raises(ReservationExpired):
        await shop.pay(ada, held)
    assert (await shop.reserve(ada, 1)).status is ReservationState.PENDING


async def test_letting_go_and_paying_at_once_end_one_way(shop: Shop) -> None:
    for _ in range(5):
        ada = shop.buyer()
        held = await shop.reserve(ada, 2)
        released, paid = await asyncio.gather(
            release_reservation(shop.context, ada, held.reservation_id), shop.pay(ada, held), return_exceptions=True
        )
        assert (type(released), type(paid)) in {(Reserved, ReservationExpired), (ReservationSpent, Answer)}
    assert await faults_of_stock(shop) == []


async def test_looking_at_an_overdue_reservation_frees_its_places(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 4)
    shop.clock.advance(HOLD)
    assert (await read_reservation(shop.context, ada, held.reservation_id)).status is ReservationState.EXPIRED
    assert (await shop.stock()).available == 50
    assert (await release_reservation(shop.context, ada, held.reservation_id)).status is ReservationState.EXPIRED
    assert (await shop.stock()).available == 50


async def test_what_was_bought_is_not_let_go(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 1)
    await shop.pay(ada, held)
    with pytest.raises(ReservationSpent):
        await release_reservation(shop.context, ada, held.reservation_id)


async def test_the_catalogue_follows_every_change(shop: Shop) -> None:
    async def left() -> int:
        found = await list_ticket_types(shop.context, ada, shop.event)
        return next(one.available for one in found if one.id == shop.standing)

    ada = shop.buyer()
    assert await left() == 50
    held = await shop.reserve(ada, 3)
    assert await left() == 47
    await release_reservation(shop.context, ada, held.reservation_id)
    assert await left() == 50


async def test_what_costs_nothing_needs_no_payment_and_what_costs_does(shop: Shop) -> None:
    stalls, ada, ben = await open_stalls(shop, price_cents=0), shop.buyer(), shop.buyer()
    await shop.pay(ada, await stalls.take(ada, 0), payment="")
    assert shop.till.asked == 0
    held = await shop.reserve(ben, 1)
    for payment in ("", f"free:{held.reservation_id}"):
        with pytest.raises(PaymentUnverified):
            await shop.pay(ben, held, payment=payment)
    assert (await shop.stock()).sold == 0


async def test_an_event_that_closed_meanwhile_sells_nothing_held(shop: Shop) -> None:
    ada = shop.buyer()
    held = await shop.reserve(ada, 1)
    await change_event(shop, state=EventState.CANCELLED)
    with pytest.raises(NotOnSale, match="cancelled"):
        await shop.pay(ada, held)
    assert (await shop.stock()).sold == 0
