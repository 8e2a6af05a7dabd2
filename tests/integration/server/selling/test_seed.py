"""Seeding is safe to repeat, and an event that is over gets a successor."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.seed import SeededEvent, Seeds, name_seeds, seed
from server.services.rows import TicketTypeRow
from shared.problems import InputUnusable
from tests.integration.server.selling.stage import Shop


async def stock(shop: Shop, seeded: SeededEvent) -> list[TicketTypeRow]:
    """Return what a seeded event sells."""
    async with shop.context.db.tenant(seeded.tenant) as tx:
        return await tx.stock.of_event(seeded.event)


async def test_seeding_twice_leaves_everything_as_it_was(shop: Shop) -> None:
    first = await seed(shop.context)
    assert isinstance(first, Seeds)
    assert await seed(shop.context) == first == name_seeds()
    rows = await stock(shop, first.main)
    assert [row.total for row in rows] == [3800, 1000, 200]
    assert first.main.tenant != first.other.tenant


async def test_an_event_that_is_over_gets_a_successor(shop: Shop) -> None:
    first = await seed(shop.context)
    shop.clock.advance(timedelta(days=8))
    second = await seed(shop.context)
    assert second.main.event != first.main.event
    assert await seed(shop.context) == second


async def test_a_smaller_event_keeps_the_proportions(shop: Shop) -> None:
    seeds = await seed(shop.context, places=50)
    assert [one.places for one in seeds.main.types] == [38, 10, 2]
    assert [row.total for row in await stock(shop, seeds.main)] == [38, 10, 2]
    assert await seed(shop.context) == seeds


async def test_an_event_has_a_place_for_each_type(shop: Shop) -> None:
    with pytest.raises(InputUnusable):
        await seed(shop.context, places=2)
    assert [one.places for one in (await seed(shop.context, places=3)).main.types] == [1, 1, 1]
