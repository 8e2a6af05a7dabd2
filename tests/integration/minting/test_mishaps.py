"""Whatever breaks, each ticket becomes one asset and not two."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

import aiohttp
import pytest
from msgspec.structs import replace
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from server.chain.composing import Target, Wanted, compose_mints
from server.chain.desk import Caps
from server.chain.merkle import Shape
from server.chain.metadata import Metadata
from server.chain.signing import MemorySigner
from server.chain.transactions import seal_recent
from server.chain.worker import MintWorker
from server.domain.nft import AssetState
from shared.clock import ManualClock
from shared.problems import Unavailable
from tests.chain_node.bench import Bench, ask
from tests.chain_node.front import misfortune
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, mint_plan, open_mint


async def never() -> bool:
    """Wait for nothing: whatever ends this is not the worker's work."""
    return False


class Killed(BaseException):
    """The power went."""


STEPS = (
    "begin",
    "sent",
    "confirmed",
    "follow",
    "finalized",
    "nonce_ready",
)
"""What the worker writes down in the course of a mint."""


async def test_a_worker_that_ends_at_any_step_is_taken_over(mint: Mint) -> None:
    tickets = []
    for when in ("before", "after"):
        for step in STEPS:
            tickets += await mint.shop.buy(mint.shop.buyer(), 2)
            desk = mint.minting.desk
            mint.worker = MintWorker(replace(desk, db=Dying(desk.db, step, when)))
            with pytest.raises(Killed):
                await mint.until(never)
    mint.restart()
    await mint.reach(AssetState.FINALIZED, tickets)
    assert mint.minted() == len(tickets)
    assert await mint.agrees()


async def test_nodes_that_fail_lie_and_lag_bring_no_second_asset(mint: Mint) -> None:
    rates = {"drop": 0.06, "lost": 0.06, "away": 0.06, "twice": 0.06, "behind": 0.06, "blind": 0.06}
    for seed, front in enumerate(mint.bench.fronts):
        front.accident = misfortune(seed, rates)
    tickets = [one for _ in range(3) for one in await mint.shop.buy(mint.shop.buyer(), 8)]
    await mint.reach(AssetState.FINALIZED, tickets)
    for front in mint.bench.fronts:
        front.accident = misfortune(0, {})
    assert mint.minted() == len(tickets)
    assert await mint.agrees()


async def test_two_workers_at_once_mint_each_ticket_once(mint: Mint) -> None:
    tickets = [one for _ in range(3) for one in await mint.shop.buy(mint.shop.buyer(), 8)]
    other = MintWorker(mint.minting.desk)

    async def both() -> bool:
        outcomes = await asyncio.gather(mint.worker.round(), other.round(), return_exceptions=True)
        assert all(isinstance(one, bool | Unavailable) for one in outcomes), outcomes
        found = await mint.assets(tickets)
        return all(one.state is AssetState.FINALIZED for one in found)

    await mint.until(both)
    assert mint.minted() == len(tickets)


async def test_a_tree_that_fills_in_the_middle_is_followed_by_another(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    plan = replace(mint_plan(bench), shape=Shape(depth=3, buffer=8))
    async with open_mint(database, clock, bench, plan=plan) as mint:
        tickets = [one for _ in range(3) for one in await mint.shop.buy(mint.shop.buyer(), 5)]
        await mint.reach(AssetState.FINALIZED, tickets)
        trees = {one.tree for one in await mint.assets(tickets)}
        assert len(trees) >= 2
        assert mint.minted() == len(tickets)
        assert await mint.agrees()


async def test_a_tree_that_is_fuller_than_we_think_sends_its_mints_to_the_next(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    plan = replace(mint_plan(bench), shape=Shape(depth=3, buffer=8))
    async with open_mint(database, clock, bench, plan=plan) as mint:
        first = await mint.shop.buy(mint.shop.buyer(), 1)
        await mint.reach(AssetState.FINALIZED, first)
        await fill_up(mint)
        later = await mint.shop.buy(mint.shop.buyer(), 3)
        await mint.reach(AssetState.FINALIZED, later)
        assert {one.tree for one in await mint.assets(later)}.isdisjoint({one.tree for one in await mint.assets(first)})


async def fill_up(mint: Mint) -> None:
    """Mint whatever there is room for, with the minter's key and past the book."""
    desk, (tree,) = mint.minting.desk, await mint.trees()
    async with mint.shop.parts.database.worker() as unit:
        (collection,) = await unit.mints.collections()
    metadata = Metadata(name="Nobody's", symbol="TIX", uri="u", collection=Pubkey.from_string(collection.address))
    wanted = [Wanted(owner=Keypair().pubkey(), metadata=metadata) for _ in range(tree.room)]
    target = Target(tree=Pubkey.from_string(tree.address), version=2)
    while wanted:
        composed = compose_mints(desk.plan.keys, target, wanted, 1_000)
        sealed = await seal_recent(composed.draft, await desk.ledger.recent(), composed.signers)
        assert (await desk.nodes.send(sealed.raw)).taken > 0
        wanted = wanted[len(composed.draft.instructions) :]


async def test_an_empty_payer_holds_everything_up_until_it_is_filled(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    poor = Keypair()
    plan = mint_plan(bench)
    plan = replace(plan, keys=replace(plan.keys, payer=MemorySigner(poor)))
    async with open_mint(database, clock, bench, plan=plan) as mint:
        tickets = await mint.shop.buy(mint.shop.buyer(), 1)

        async def is_halted() -> bool:
            return mint.minting.state.problem == "payer_empty"

        await mint.until(is_halted)
        assert mint.minted() == 0
        async with aiohttp.ClientSession() as session:
            fill = {"lamports": 5_000_000_000}
            await ask(session, bench.node.rpc, "surfnet_setAccount", [str(poor.pubkey()), fill])
        await mint.reach(AssetState.FINALIZED, tickets)
        assert mint.minting.state.problem is None


async def test_no_more_is_spent_than_may_be(database: Databases, clock: ManualClock, bench: Bench) -> None:
    plan = replace(mint_plan(bench), caps=Caps(hour=10_000_000))
    async with open_mint(database, clock, bench, plan=plan) as mint:
        await mint.shop.buy(mint.shop.buyer(), 1)

        async def is_held() -> bool:
            return mint.minting.state.problem == "chain_spend_cap"

        await mint.until(is_held)
        async with mint.shop.parts.database.worker() as unit:
            assert await unit.mints.spent_since(mint.shop.clock.now().replace(year=2000)) <= 10_000_000
        assert mint.minted() == 0


class Dying:
    """The database's door, through which a worker gets until it writes down a certain thing."""

    def __init__(self, door: object, step: str, when: str) -> None:
        self._door = door
        self._step = step
        self._when = when

    def worker(self) -> object:
        """Open a transaction."""
        return _DyingTransaction(self._door.worker(), self._step, self._when)  # type: ignore[attr-defined] # a door


class _DyingTransaction:
    def __init__(self, transaction: object, step: str, when: str) -> None:
        self._transaction = transaction
        self._step = step
        self._when = when
        self._reached = False

    async def __aenter__(self) -> Self:
        self._unit = await self._transaction.__aenter__()  # type: ignore[attr-defined] # a context
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._transaction.__aexit__(*problem)  # type: ignore[attr-defined] # a context
        if self._reached and self._when == "after":
            raise Killed

    @property
    def mints(self) -> object:
        """Return the book, in which the fatal word is."""
        book = self._unit.mints
        fatal = getattr(book, self._step)

        async def write(*arguments: object, **named: object) -> object:
            if self._when == "before":
                raise Killed
            self._reached = True
            return await fatal(*arguments, **named)

        return _Instead(book, self._step, write)


class _Instead:
    def __init__(self, book: object, step: str, write: Callable[..., Awaitable[object]]) -> None:
        self._book = book
        self._step = step
        self._write = write

    def __getattr__(self, name: str) -> object:
        return self._write if name == self._step else getattr(self._book, name)
