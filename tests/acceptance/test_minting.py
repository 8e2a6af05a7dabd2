"""Tickets that are sold become assets on a real node, one each, while the worker is killed ten times and the network misbehaves."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace
from solders.keypair import Keypair

from server.chain.following import Finding
from server.chain.merkle import Shape
from server.chain.reconciling import Reconciliation, reconcile
from server.chain.worker import MintWorker
from server.domain.nft import AssetState, NftMode
from server.parts import Parts, open_parts
from server.services.publish import publish_event
from server.settings_chain import ChainPlan
from shared.admission.policy import Policy, Window
from shared.clock import ManualClock
from shared.ids import EventId, TenantId, TicketId
from shared.settings import Secret
from tests.acceptance.server.program import ROOT, read_from_start, start_of
from tests.acceptance.test_overselling import environ_of, plan_of
from tests.chain_node.bench import Bench, mint_bench
from tests.chain_node.front import misfortune, no_accident
from tests.conftest import Databases
from tests.integration.minting.mint import SEED, mint_plan
from tests.integration.server.selling.stage import Shop, Till, publication_for

TICKETS = 2_000
KILLS = 10
NONCES, UNTIL_KILLED = 32, 24
"""So many transactions are sent side by side, and after so many a worker is killed: some were sent and some were not."""
PATIENCE_S = 840
RATES = {"drop": 0.02, "lost": 0.03, "away": 0.03, "twice": 0.03, "slow": 0.02, "behind": 0.03, "blind": 0.02}
SHAPE = Shape(depth=12, buffer=32)
"""The smallest that holds them all: the local node copies a tree's account with each transaction."""


def environ_for(database: Databases, bench: Bench) -> dict[str, str]:
    """Return the settings of a worker that mints on a bench."""
    keys = {"MINTER": 41, "OPERATOR": 42, "CREATOR": 43}
    return {
        **environ_of(database),
        "PUBLIC_URL": "https://t.example",
        "SOLANA_RPC_URLS": " ".join(bench.urls),
        "SOLANA_NETWORK": "local",
        "SOLANA_PAYER_KEY": str(bench.payer),
        **{f"SOLANA_{name}_KEY": str(Keypair.from_seed(bytes([n]) * 32)) for name, n in keys.items()},
        "SOLANA_WALLET_SEED": SEED.value,
        "NFT_TREE_DEPTH": str(SHAPE.depth),
        "NFT_TREE_BUFFER": str(SHAPE.buffer),
        "NFT_TREE_CANOPY": str(SHAPE.canopy),
        "NFT_NONCES": str(NONCES),
    }


@asynccontextmanager
async def open_house(environ: dict[str, str], bench: Bench) -> AsyncIterator[Shop]:
    """Put an event on sale that wants assets."""
    chain = ChainPlan(urls=tuple(Secret(one) for one in bench.urls), mint=replace(mint_plan(bench), shape=SHAPE))
    async with open_parts(replace(plan_of(environ), chain=chain)) as parts:
        yield await put_on_sale(parts)


async def put_on_sale(parts: Parts) -> Shop:
    """Return the shop of an event that begins tonight."""
    tenant, event, now = TenantId(uuid4()), EventId(uuid4()), parts.context.clock.now()
    hours = timedelta(hours=1)
    drawn = publication_for(tenant, event)
    publication = replace(
        drawn,
        policy=Policy(version=1, window=Window(doors=now + 5 * hours, starts=now + 6 * hours, ends=now + 9 * hours)),
        sale_starts=now - hours,
        sale_ends=now + 5 * hours,
        types=tuple(replace(one, total=TICKETS) for one in drawn.types),
    )
    assert await publish_event(parts.context, publication)
    async with parts.context.db.tenant(tenant) as tx:
        row = await tx.events.get(event)
        assert row is not None
        await tx.organising.change_event(replace(row, nft=NftMode.MIRROR), tell_gates=False)
    standing, seated = (one.id for one in publication.types)
    return Shop(
        parts=parts, clock=ManualClock(now), till=Till(), tenant=tenant, event=event, standing=standing, seated=seated
    )


async def sell(shop: Shop) -> list[TicketId]:
    """Sell everything, ten at a time to somebody new."""
    orders = [await shop.buy(shop.buyer(), 10) for _ in range(TICKETS // 10)]
    return [ticket for order in orders for ticket in order]


async def count_done(shop: Shop) -> int:
    """Return how many assets are there for good."""
    async with shop.context.db.tenant(shop.tenant) as tx:
        counts = await tx.assets.count(shop.event)
    return sum(one.count for one in counts if one.state is AssetState.FINALIZED)


@pytest.mark.timeout(PATIENCE_S + 60)
async def test_a_house_becomes_as_many_assets_whatever_happens_to_worker_and_network(database: Databases) -> None:
    async with mint_bench(2) as bench:
        environ = environ_for(database, bench)
        async with open_house(environ, bench) as shop:
            found = await mint_house(shop, bench, environ)
    assert found.is_sound
    assert (found.orphans, found.leafless) == ([], 0)
    assert [one.finding for one in found.trees] == [Finding.EQUAL]
    assert sum(one.leaves_known for one in found.trees) == TICKETS
    assert sum(one.minted_on_chain or 0 for one in found.trees) == TICKETS


async def mint_house(shop: Shop, bench: Bench, environ: dict[str, str]) -> Reconciliation:
    """Sell everything, mint it through all accidents, and return how it compares when that is over."""
    tickets = await sell(shop)
    for seed, front in enumerate(bench.fronts):
        front.accident = misfortune(seed, RATES)
    await mint_all(shop, bench, environ)
    for front in bench.fronts:
        front.accident = no_accident
    return await compare(shop, tickets)


async def mint_all(shop: Shop, bench: Bench, environ: dict[str, str]) -> None:
    """Run workers until all is minted, and kill ten of them on the way, each in the middle of its sending."""
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(KILLS):
            async with at_work(environ) as process:
                goal = bench.transactions() + UNTIL_KILLED
                while bench.transactions() < goal:
                    await wait_a_little(process)
                process.kill()
                await process.wait()
        async with at_work(environ) as process:
            while await count_done(shop) < TICKETS:
                await wait_a_little(process, 0.3)


@asynccontextmanager
async def at_work(environ: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker; it must still be there when the block ends, unless the block killed it."""
    with tempfile.TemporaryFile() as errors:
        process = await start_of(ROOT, "work", "--port", "0", errors=errors, **environ)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
                await process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), read_from_start(errors)[-2000:]


async def wait_a_little(process: asyncio.subprocess.Process, seconds: float = 0.02) -> None:
    """Return in a moment, to look again; a worker that ended by itself is not waited for."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await process.wait()
            raise AssertionError("the worker ended before it was done")


async def compare(shop: Shop, tickets: list[TicketId]) -> Reconciliation:
    """Look that each ticket has an asset of its own, and return what comparing the book with the chain shows."""
    minting = shop.parts.minting
    assert minting is not None
    async with shop.context.db.tenant(shop.tenant) as tx:
        assets = await tx.assets.of_tickets(tickets)
    assert len({one.asset for one in assets}) == len(assets) == TICKETS
    return await reconcile(minting.desk, MintWorker(minting.desk))
