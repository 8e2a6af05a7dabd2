"""The leading worker compares with the chain by the clock, and what it found is told to whoever watches."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from server.chain.comparing import EVERY, Comparer, run_comparer
from server.domain.nft import AssetState
from server.metrics.meters import Meters
from server.metrics.sampling import sample_minting
from tests.integration.minting.mint import Mint


async def told(mint: Mint) -> list[str]:
    """Return what the metrics say of minting."""
    meters = await asyncio.to_thread(Meters)
    sample_minting(meters, mint.minting.state, asked=2, resting=0)
    lines = (await asyncio.to_thread(meters.write)).decode().splitlines()
    return [one for one in lines if one.startswith(("tickettoken_chain", "tickettoken_mint"))]


async def test_a_comparison_is_made_every_hour_and_told(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 2)
    comparer, clock, state = Comparer(mint.minting.desk), mint.shop.clock, mint.minting.state
    assert not await comparer.when_due()
    await mint.reach(AssetState.FINALIZED, tickets)
    assert "tickettoken_chain_faults -1.0" in await told(mint)
    clock.advance(timedelta(minutes=5))
    assert await comparer.when_due()
    assert (state.faults, state.compared_at) == (0, clock.now())
    assert not await comparer.when_due()
    assert {
        "tickettoken_chain_faults 0.0",
        "tickettoken_mint_halted 0.0",
        "tickettoken_mint_in_flight 0.0",
        "tickettoken_minted_total 2.0",
        'tickettoken_chain_nodes{state="asked"} 2.0',
    } <= set(await told(mint))
    async with mint.shop.parts.database.worker() as unit:
        await unit.mints._connection.execute("UPDATE chain_leaves SET ticket_id = NULL WHERE index = 1")
    clock.advance(EVERY)
    assert await comparer.when_due()
    assert state.faults == 1
    assert "tickettoken_chain_faults 1.0" in await told(mint)


async def test_with_the_chain_away_it_is_tried_again_a_minute_later(mint: Mint) -> None:
    await mint.reach(AssetState.FINALIZED, await mint.shop.buy(mint.shop.buyer(), 1))
    comparer, clock = Comparer(mint.minting.desk), mint.shop.clock
    await comparer.when_due()
    clock.advance(timedelta(minutes=5))
    for front in mint.bench.fronts:
        front.accident = lambda _: "away"
    assert not await comparer.when_due()
    assert mint.minting.state.faults is None
    for front in mint.bench.fronts:
        front.accident = lambda _: None
    assert not await comparer.when_due()
    clock.advance(timedelta(minutes=1))
    assert await comparer.when_due()


async def test_only_the_process_that_leads_compares(mint: Mint) -> None:
    state, clock, compared = mint.minting.state, mint.shop.clock, asyncio.Event()

    class Counting(Comparer):
        """Tells that it was asked."""

        async def when_due(self) -> bool:
            """Ask as ever."""
            done = await super().when_due()
            assert state.leading
            compared.set()
            clock.advance(timedelta(minutes=5))
            return done

    task = asyncio.create_task(run_comparer(Counting(mint.minting.desk), state, look_s=0.001))
    try:
        await mint.reach(AssetState.FINALIZED, await mint.shop.buy(mint.shop.buyer(), 1))
        assert not compared.is_set()
        state.leading = True
        async with asyncio.timeout(20):
            while state.faults is None:
                compared.clear()
                await compared.wait()
        assert state.faults == 0
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
