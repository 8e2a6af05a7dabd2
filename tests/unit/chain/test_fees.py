"""What is paid for being taken soon: what is usual, more after each try, and never more than is allowed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.fees import LEAST, Fees, choose_price, raise_price
from server.chain.problems import ChainAway
from shared.clock import ManualClock
from tests.unit.chain import recorded as seen

TREE, CONFIG = str(seen.TREE_V2), seen.CONFIG_V2


class Market(Struct, kw_only=True):
    """A ledger that tells what was paid lately."""

    paid: list[int]
    away: bool = False
    asked: list[tuple[Pubkey, ...]] = []

    async def priority_fees(self, addresses: list[Pubkey]) -> list[int]:
        """Tell prices in no order."""
        self.asked.append(tuple(addresses))
        if self.away:
            raise ChainAway("nobody answers")
        return self.paid


async def test_the_usual_price_is_asked_for_now_and_then(clock: ManualClock) -> None:
    market = Market(paid=[9_000, 1_500, 4_000, 2_000])
    fees = Fees(market, clock, 200_000)  # type: ignore[arg-type] # as much of a ledger as is asked
    assert [await fees.price([TREE, CONFIG]), await fees.price([TREE, CONFIG], tries=1)] == [9_000, 13_500]
    assert market.asked == [(seen.TREE_V2, Pubkey.from_string(CONFIG))]
    clock.advance(timedelta(seconds=10))
    market.away = True
    assert await fees.price([TREE, CONFIG]) == LEAST
    assert len(market.asked) == 2


@pytest.mark.parametrize(
    ("paid", "price"), [([], LEAST), ([1], LEAST), ([1_000, 2_000, 3_000, 4_000], 4_000), ([10**9], 200_000)]
)
def test_a_price_has_bounds(paid: list[int], price: int) -> None:
    assert choose_price(paid, 200_000) == price


@pytest.mark.parametrize(("tries", "price"), [(0, 2_000), (1, 3_000), (2, 4_500), (8, 51_257), (1_000, 51_257)])
def test_each_try_pays_half_as_much_again(tries: int, price: int) -> None:
    assert raise_price(2_000, tries, 200_000) == price
    assert raise_price(2_000, tries, 2_500) == min(price, 2_500)
