"""Reserving against a real database: all lines or none, limits, sale window, expiry, and two hundred people at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from server.services.problems import (
    AlreadyHolding,
    CurrenciesMixed,
    EventUnknown,
    LimitExceeded,
    NotEnoughLeft,
    NotOnSale,
    TicketTypeUnknown,
)
from server.services.publish import publish_event
from server.services.reserve import reserve
from server.services.rows import ReservationState
from server.services.sweep import sweep
from shared.ids import EventId, TenantId, TicketTypeId
from shared.problems import TicketTokenError
from tests.integration.server.selling.stage import ENDS, Shop, fresh_key, publication_for

HOLD = timedelta(minutes=10)


async def test_reserving_moves_stock_and_prices_the_order(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 3)
    assert (held.total_cents, held.currency, held.status) == (13500, "EUR", ReservationState.PENDING)
    assert held.expires_at == shop.clock.now() + HOLD
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold) == (47, 3, 0)


async def test_last_fifty_places_go_to_exactly_fifty_of_two_hundred(shop: Shop) -> None:
    async def try_one() -> str:
        try:
            await shop.buy(shop.buyer())
        except TicketTokenError as problem:
            return problem.code
        return "bought"

    outcomes = Counter(await asyncio.gather(*(try_one() for _ in range(200))))
    assert outcomes == {"bought": 50, "not_enough_left": 150}
    stock = await shop.stock()
    assert (stock.available, stock.reserved, stock.sold) == (0, 0, 50)


async def test_orders_over_several_types_never_lock_each_other_out(shop: Shop) -> None:
    orders = [shop.order((shop.standing, 1), (shop.seated, 1)), shop.order((shop.seated, 1), (shop.standing, 1))]
    calls = [reserve(shop.context, shop.buyer(), fresh_key(), orders[number % 2]) for number in range(10)]
    assert [answer.status for answer in await asyncio.gather(*calls)] == [201] * 10
    assert (await shop.stock(shop.seated)).available == 0


async def test_one_line_too_many_refuses_the_whole_order(shop: Shop) -> None:
    await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((shop.seated, 8)))
    with pytest.raises(NotEnoughLeft, match="only 2 are left"):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((shop.standing, 2), (shop.seated, 3)))
    assert (await shop.stock()).reserved == 0


async def test_the_same_type_on_two_lines_counts_together(shop: Shop) -> None:
    with pytest.raises(LimitExceeded, match="At most 10"):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((shop.standing, 6), (shop.standing, 6)))


async def test_a_second_reservation_waits_for_the_first(shop: Shop) -> None:
    buyer = shop.buyer()
    await shop.reserve(buyer, 1)
    with pytest.raises(AlreadyHolding):
        await shop.reserve(buyer, 1)
    shop.clock.advance(HOLD)
    assert (await shop.reserve(buyer, 1)).status is ReservationState.PENDING


async def test_two_reservations_at_once_leave_one(shop: Shop) -> None:
    buyer = shop.buyer()
    calls = [reserve(shop.context, buyer, fresh_key(), shop.order((shop.standing, 1))) for _ in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, AlreadyHolding) for one in outcomes) == 4
    assert (await shop.stock()).reserved == 1


async def test_nobody_gets_more_than_one_person_may_have(shop: Shop) -> None:
    buyer = shop.buyer()
    await shop.buy(buyer, 10)
    await shop.buy(buyer, 10)
    with pytest.raises(LimitExceeded, match="One person may have 20"):
        await shop.reserve(buyer, 1)


async def test_overdue_places_are_sold_to_the_next(shop: Shop) -> None:
    for _ in range(5):
        await shop.reserve(shop.buyer(), 10)
    with pytest.raises(NotEnoughLeft):
        await shop.reserve(shop.buyer(), 1)
    shop.clock.advance(HOLD)
    await shop.reserve(shop.buyer(), 2)
    stock = await shop.stock()
    assert (stock.available, stock.reserved) == (48, 2)


async def test_the_sweeper_frees_overdue_places_once(shop: Shop) -> None:
    held = await shop.reserve(shop.buyer(), 4)
    assert (await sweep(shop.context, shop.parts.database)).events == 0
    shop.clock.advance(HOLD)
    assert (await sweep(shop.context, shop.parts.database)).events == 1
    assert (await sweep(shop.context, shop.parts.database)).events == 0
    assert (await shop.stock()).available == 50
    async with shop.context.db.tenant(shop.tenant) as tx:
        reservation = await tx.orders.get_reservation(held.reservation_id)
    assert reservation is not None
    assert reservation.state is ReservationState.EXPIRED


async def test_one_round_of_the_sweeper_frees_however_many_people_gave_up(shop: Shop) -> None:
    await asyncio.gather(*(shop.reserve(shop.buyer(), 1) for _ in range(50)))
    orders = [shop.order((shop.seated, 1)) for _ in range(10)]
    await asyncio.gather(*(reserve(shop.context, shop.buyer(), fresh_key(), order) for order in orders))
    shop.clock.advance(HOLD)
    await sweep(shop.context, shop.parts.database)
    assert ((await shop.stock()).reserved, (await shop.stock(shop.seated)).reserved) == (0, 0)


async def test_nothing_is_sold_outside_the_sale_window(shop: Shop) -> None:
    shop.clock.step_wall(-timedelta(days=31))
    with pytest.raises(NotOnSale, match="starts"):
        await shop.reserve(shop.buyer(), 1)
    shop.clock.step_wall(ENDS - shop.clock.now())
    with pytest.raises(NotOnSale, match="ended"):
        await shop.reserve(shop.buyer(), 1)


async def test_what_does_not_exist_cannot_be_reserved(shop: Shop) -> None:
    with pytest.raises(TicketTypeUnknown):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((TicketTypeId(uuid4()), 1)))
    elsewhere = replace(shop.order((shop.standing, 1)), event_id=EventId(uuid4()))
    with pytest.raises(EventUnknown):
        await reserve(shop.context, shop.buyer(), fresh_key(), elsewhere)


async def test_another_tenants_event_does_not_exist(shop: Shop) -> None:
    stranger = replace(shop.buyer(), tenant=TenantId(uuid4()))
    with pytest.raises(EventUnknown):
        await reserve(shop.context, stranger, fresh_key(), shop.order((shop.standing, 1)))


async def test_another_events_ticket_type_is_not_sold_here(shop: Shop) -> None:
    other = publication_for(shop.tenant, EventId(uuid4()))
    await publish_event(shop.context, other)
    with pytest.raises(TicketTypeUnknown):
        await reserve(shop.context, shop.buyer(), fresh_key(), shop.order((other.types[0].id, 1)))


async def test_one_order_has_one_currency(shop: Shop) -> None:
    other = publication_for(shop.tenant, EventId(uuid4()))
    euros, dollars = other.types[0], replace(other.types[1], currency="USD")
    await publish_event(shop.context, replace(other, types=(euros, dollars)))
    order = replace(shop.order((euros.id, 1), (dollars.id, 1)), event_id=other.event)
    with pytest.raises(CurrenciesMixed):
        await reserve(shop.context, shop.buyer(), fresh_key(), order)


async def test_publishing_twice_changes_nothing(shop: Shop) -> None:
    await shop.reserve(shop.buyer(), 2)
    again = replace(publication_for(shop.tenant, shop.event), name="Another name")
    assert await publish_event(shop.context, again) is False
    assert (await shop.event_row()).name == "Opening"
    assert (await shop.stock()).reserved == 2
