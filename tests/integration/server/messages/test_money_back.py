"""No money is kept for nothing and none goes back twice, by whichever way it came."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from server.services.endings import EndingOrder, begin_ending, step_ending
from server.services.money_back import UNUSED, UNUSED_FOR, return_unused
from server.services.payment_facts import Effect
from server.services.problems import NotOnSale, PaymentUnverified, ReservationExpired, ReservationSpent
from server.services.rows import ActorRef, Page
from server.services.rows_money import RefundRow
from server.services.rows_organiser import EndingKind
from server.services.sweep import sweep
from server.services.ticket_care import Caretaker, revoke
from shared.problems import TicketTokenError
from shared.tickets.lifecycle import Actor, RevocationReason
from tests.integration.server.messages.test_inbox import buy_with, paid, refunds, tell
from tests.integration.server.selling.stage import Shop


async def owed(shop: Shop) -> list[RefundRow]:
    """Return what is to be given back, which must be exactly what the payment service was asked for."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        rows = await tx.refunds.list(None, Page(limit=100))
    asked = [one.payload for one in await refunds(shop)]
    assert sum(int(str(one["amountCents"])) for one in asked) == sum(one.amount_cents for one in rows)
    assert {one["paymentId"] for one in asked} == {one.payment_id for one in rows}
    return rows


async def test_money_for_a_reservation_that_ran_out_goes_back_and_buys_nothing_more(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    await tell(shop, paid(shop, None))
    shop.clock.advance(timedelta(minutes=11))
    answers = await asyncio.gather(*(buy_with(shop, buyer, held) for _ in range(4)), return_exceptions=True)
    assert {type(one) for one in answers} == {ReservationExpired}
    assert sum("given back" in str(one) for one in answers) == 1
    [due] = await owed(shop)
    assert (due.payment_id, due.amount_cents, due.reason) == ("pay-1", 4500, "reservation_expired")
    assert (due.event, due.reservation) == (shop.event, held.reservation_id)
    again = await shop.reserve(buyer, 1)
    with pytest.raises(PaymentUnverified):
        await buy_with(shop, buyer, again)
    assert await tell(shop, paid(shop, None)) is Effect.NOTHING
    assert len(await owed(shop)) == 1


async def test_a_second_payment_for_the_same_places_goes_back(shop: Shop) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    await tell(shop, paid(shop, None))
    await tell(shop, paid(shop, None, payment="pay-2"))
    await buy_with(shop, buyer, held)
    with pytest.raises(ReservationSpent):
        await buy_with(shop, buyer, held, "pay-2")
    assert [(one.payment_id, one.reason) for one in await owed(shop)] == [("pay-2", "already_paid")]
    assert (await buy_with(shop, buyer, held)).total_cents == 4500


async def test_money_for_an_event_that_was_called_off_goes_back(shop: Shop) -> None:
    buyer, other = shop.buyer(), shop.buyer()
    held = await shop.reserve(buyer, 2)
    await shop.buy(other, 1)
    await tell(shop, paid(shop, None, cents=9000))
    order = EndingOrder(
        event=shop.event,
        kind=EndingKind.CANCEL,
        reason="storm",
        actor=ActorRef(kind=Actor.ORGANISER, id="x"),
        source="t",
    )
    await begin_ending(shop.context, shop.tenant, order)
    with pytest.raises((NotOnSale, ReservationExpired)):
        await buy_with(shop, buyer, held)
    while await step_ending(shop.context, shop.tenant, shop.event):
        pass
    assert sorted((one.amount_cents, one.ticket is None) for one in await owed(shop)) == [(4500, False), (9000, True)]


@pytest.mark.parametrize(("cents", "currency"), [(4400, "EUR"), (4500, "USD")])
async def test_money_that_was_not_for_this_stays_until_it_is_plainly_unused(
    shop: Shop, cents: int, currency: str
) -> None:
    buyer = shop.buyer()
    held = await shop.reserve(buyer, 1)
    await tell(shop, paid(shop, None, cents=cents, currency=currency))
    shop.clock.advance(timedelta(minutes=11))
    with pytest.raises(TicketTokenError):
        await buy_with(shop, buyer, held)
    assert await owed(shop) == []
    shop.clock.advance(UNUSED_FOR)
    await sweep(shop.context, shop.parts.database)
    assert [one.reason for one in await owed(shop)] == [UNUSED]


async def test_nobody_sends_back_what_somebody_elses_reservation_was_paid_with(shop: Shop) -> None:
    buyer, thief = shop.buyer(), shop.buyer()
    lapsed = await shop.reserve(thief, 1)
    held = await shop.reserve(buyer, 1)
    shop.clock.advance(timedelta(minutes=9))
    wanted = await shop.reserve(shop.buyer(), 1)
    assert await tell(shop, paid(shop, held)) is Effect.CONFIRMED
    shop.clock.advance(timedelta(minutes=2))
    for reservation in (lapsed, wanted):
        with pytest.raises(TicketTokenError):
            await buy_with(shop, thief, reservation)
    assert await owed(shop) == []


async def test_what_nobody_used_goes_back_after_a_day_once(shop: Shop) -> None:
    used = shop.buyer()
    held = await shop.reserve(used, 1)
    await tell(shop, paid(shop, None, payment="used"))
    await buy_with(shop, used, held, "used")
    await tell(shop, paid(shop, None, payment="unused"))
    await tell(shop, paid(shop, None, payment="nothing", cents=0))
    shop.clock.advance(UNUSED_FOR - timedelta(seconds=1))
    assert (await sweep(shop.context, shop.parts.database)).returned == 0
    shop.clock.advance(timedelta(seconds=2))
    swept = await asyncio.gather(*(sweep(shop.context, shop.parts.database) for _ in range(3)))
    assert sum(one.returned for one in swept) == 1
    assert [(one.payment_id, one.reason, one.event) for one in await owed(shop)] == [("unused", UNUSED, None)]
    async with shop.parts.database.worker() as unit:
        assert await unit.maintenance.unused_payments(shop.clock.now(), 10) == []


async def test_buying_and_giving_back_at_the_same_moment_never_do_both(shop: Shop) -> None:
    for number in range(6):
        buyer, payment = shop.buyer(), f"race-{number}"
        await tell(shop, paid(shop, None, payment=payment))
        held = await shop.reserve(buyer, 1)
        bought, _ = await asyncio.gather(
            buy_with(shop, buyer, held, payment),
            return_unused(shop.context, shop.tenant, payment, shop.clock.now()),
            return_exceptions=True,
        )
        back = [one for one in await owed(shop) if one.payment_id == payment]
        assert len(back) == isinstance(bought, PaymentUnverified), bought


async def test_a_ticket_that_is_taken_back_with_its_money_is_paid_back_once(shop: Shop) -> None:
    first, second = await shop.buy(shop.buyer(), 2)
    by = Caretaker(tenant=shop.tenant, actor=ActorRef(kind=Actor.ORGANISER, id=str(uuid4())), source="t")
    await revoke(shop.context, by, first, RevocationReason.DUPLICATE_TICKET, refund=True)
    await revoke(shop.context, by, second, RevocationReason.FRAUD_DETECTED)
    [due] = await owed(shop)
    assert (due.ticket, due.amount_cents, due.reason) == (first, 4500, "duplicate_ticket")
    async with shop.context.db.tenant(shop.tenant) as tx:
        assert await tx.refunds.add([due]) == set()
