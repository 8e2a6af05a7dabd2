"""Messages that contradict what is known, or hold what cannot be kept, are refused once, and the reason is kept."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from server.services.payment_facts import Effect
from tests.integration.server.messages.test_inbox import paid, refunds, refusal, tell
from tests.integration.server.selling.stage import Shop


async def test_money_that_bought_something_is_not_asked_back_for_another_reservation(shop: Shop) -> None:
    first = await shop.reserve(shop.buyer(), 1)
    over = await shop.reserve(shop.buyer(), 1)
    await tell(shop, paid(shop, first))
    # Told once more without its reservation, which then stands for none.
    assert await tell(shop, paid(shop, None)) is Effect.RECORDED
    shop.clock.advance(timedelta(minutes=11))
    assert (await refusal(shop, paid(shop, over).arrived)).code == "payment_reused"
    assert await refunds(shop) == []


@pytest.mark.parametrize("odd", ["wrong\0name", "wrong\x1b[2J\x1b[31mname"])
async def test_a_refusal_is_kept_whatever_was_in_the_message(shop: Shop, odd: str) -> None:
    told = replace(paid(shop, None), payload={"paymentId": "pay-1", odd: 1})
    why = await refusal(shop, told.arrived)
    assert why.code == "message_malformed"
    assert why.reason.isprintable()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_time_outside_the_calendar_is_refused(shop: Shop, at: str) -> None:
    now = msgspec.json.encode(shop.clock.now())
    arrived = paid(shop, None).arrived
    odd = replace(arrived, body=arrived.body.replace(now, f'"{at}"'.encode()))
    assert odd.body != arrived.body
    assert (await refusal(shop, odd)).code == "code_malformed"
