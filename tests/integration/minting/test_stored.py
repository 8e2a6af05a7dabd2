"""While metadata cannot be put where it belongs nothing is minted, and whatever was under way goes on."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from server.chain.storage import OwnPages, StorageAway
from server.domain.nft import AssetState
from shared.clock import ManualClock
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.minting.mint import mint_plan, open_mint


class Shaky:
    """A storage that is away when it is told to be."""

    def __init__(self) -> None:
        self.away = False
        self.placed: list[UUID] = []
        self._pages = OwnPages("https://t.example")

    def address(self, token: UUID) -> str:
        """Return the address."""
        return self._pages.address(token)

    async def place(self, token: UUID) -> str:
        """Return the address, unless it is away."""
        if self.away:
            raise StorageAway("The store for metadata answers 503.")
        self.placed.append(token)
        return await self._pages.place(token)


async def test_minting_waits_for_the_store_of_metadata(database: Databases, clock: ManualClock, bench: Bench) -> None:
    storage = Shaky()
    async with open_mint(database, clock, bench, plan=replace(mint_plan(bench), storage=storage)) as mint:
        first = await mint.shop.buy(mint.shop.buyer(), 1)

        async def is_assigned() -> bool:
            return (await mint.assets(first))[0].state is not AssetState.QUEUED

        await mint.until(is_assigned)
        storage.away = True
        later = await mint.shop.buy(mint.shop.buyer(), 1)
        await mint.reach(AssetState.FINALIZED, first)

        async def is_held_up() -> bool:
            return mint.minting.state.problem == "nft_storage_away"

        await mint.until(is_held_up)
        assert mint.minted() == 1
        storage.away = False
        await mint.reach(AssetState.FINALIZED, later)
        assert mint.minting.state.problem is None
        assert len(storage.placed) == len(set(storage.placed)) == 3
