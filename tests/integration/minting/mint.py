"""One event's tickets and the chain they are minted on, a round of the worker at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from server.chain.accounts import read_tree_config
from server.chain.desk import MintPlan
from server.chain.following import Finding
from server.chain.merkle import Shape
from server.chain.programs import find_tree_config
from server.chain.signing import Keys, MemorySigner
from server.chain.storage import OwnPages
from server.chain.wallets import Wallets
from server.chain.worker import MintWorker
from server.domain.nft import AssetState, NftMode
from server.minting import Minting
from server.parts import open_parts
from server.services.nft_telling import tell_minted
from server.services.rows_mint import TreeRow
from server.services.rows_nft import AssetRow
from server.settings_chain import ChainPlan
from shared.clock import ManualClock
from shared.ids import TicketId
from shared.problems import Unavailable
from shared.settings import Secret
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.server.selling.stage import Shop, open_shop, plan_for

SEED = Secret("a seed for wallets that hold nothing of worth")
PATIENCE_S = 200
SMALL = Shape(depth=5, buffer=8)


def mint_plan(bench: Bench) -> MintPlan:
    """Return how to mint on a bench: every key another."""
    minter, operator, creator = (Keypair.from_seed(bytes([n]) * 32) for n in (41, 42, 43))
    return MintPlan(
        network="local",
        keys=Keys(payer=MemorySigner(bench.payer), minter=MemorySigner(minter), operator=MemorySigner(operator)),
        creator=MemorySigner(creator),
        wallets=Wallets(SEED),
        storage=OwnPages("https://t.example"),
        shape=SMALL,
        nonces=3,
    )


class Mint(Struct, kw_only=True):
    """A shop, its chain, and the worker between them."""

    shop: Shop
    bench: Bench
    minting: Minting
    worker: MintWorker
    counted: int = 0

    async def round(self) -> None:
        """Have the worker come around once; what a node does to it then is not the test's business."""
        self.shop.clock.advance(timedelta(seconds=1))
        with suppress(Unavailable):
            await self.worker.round()
        await tell_minted(self.shop.context, self.shop.parts.database)
        if self.bench.programs is None:
            self.counted = await self._count()

    async def _count(self) -> int:
        """Return how many assets the programs themselves say they have made."""
        ledger = self.minting.desk.ledger
        configs = [
            await ledger.account(find_tree_config(Pubkey.from_string(one.address))) for one in await self.trees()
        ]
        return sum(read_tree_config(one.data).minted for one in configs if one is not None)

    async def until(self, is_so: Callable[[], Awaitable[bool]]) -> None:
        """Come around until something is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not await is_so():
                await self.round()

    async def reach(self, state: AssetState, tickets: list[TicketId]) -> list[AssetRow]:
        """Come around until all these tickets' assets are in a state."""

        async def reached() -> bool:
            found = await self.assets(tickets)
            return len(found) == len(tickets) and all(one.state is state for one in found)

        await self.until(reached)
        return await self.assets(tickets)

    async def assets(self, tickets: list[TicketId]) -> list[AssetRow]:
        """Return tickets' assets."""
        async with self.shop.context.db.tenant(self.shop.tenant) as tx:
            return await tx.assets.of_tickets(tickets)

    async def trees(self) -> list[TreeRow]:
        """Return the trees."""
        async with self.shop.parts.database.worker() as unit:
            return await unit.mints.trees()

    async def agrees(self) -> bool:
        """Tell whether every tree's root is the chain's."""
        return all([await self.worker.check(one) is Finding.EQUAL for one in await self.trees()])

    def restart(self) -> None:
        """Have the worker forget whatever it did not write down."""
        self.worker = MintWorker(self.minting.desk)

    def minted(self) -> int:
        """Return how many assets the chain has made, whatever we think."""
        programs = self.bench.programs
        if programs is None:
            return self.counted
        return sum(one.minted for one in programs.model.trees.values())

    def wallet(self, user: object) -> Pubkey:
        """Return a buyer's wallet."""
        return self.minting.desk.plan.wallets.address(self.shop.tenant, user)  # type: ignore[arg-type] # any id


@asynccontextmanager
async def open_mint(
    database: Databases, clock: ManualClock, bench: Bench, mode: NftMode = NftMode.MIRROR, plan: MintPlan | None = None
) -> AsyncIterator[Mint]:
    """Open a shop whose event wants assets."""
    chain = ChainPlan(urls=tuple(Secret(one) for one in bench.urls), mint=plan or mint_plan(bench))
    async with open_parts(replace(plan_for(database, clock), chain=chain)) as parts, open_shop(parts, clock) as shop:
        assert parts.minting is not None
        async with parts.context.db.tenant(shop.tenant) as tx:
            event = await tx.events.get(shop.event)
            assert event is not None
            await tx.organising.change_event(replace(event, nft=mode), tell_gates=False)
        yield Mint(shop=shop, bench=bench, minting=parts.minting, worker=MintWorker(parts.minting.desk))
