"""A large tree gets a lookup table, with which more mints go into a transaction; without a good one minting goes on."""

from __future__ import annotations

from msgspec.structs import replace
from solders.message import MessageV0
from solders.transaction import VersionedTransaction

from server.chain.merkle import Shape
from server.domain.nft import AssetState
from shared.clock import ManualClock
from shared.ids import TicketId
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, mint_plan, open_mint

LARGE = Shape(depth=14, buffer=64, canopy=8)


async def mint_for(mint: Mint, buyers: int) -> list[TicketId]:
    """Sell a ticket each to so many people and wait for their assets."""
    tickets = [one for _ in range(buyers) for one in await mint.shop.buy(mint.shop.buyer())]
    await mint.reach(AssetState.FINALIZED, tickets)
    return tickets


async def batches(mint: Mint) -> set[tuple[bool, int]]:
    """Return of each mint transaction whether it used a table, and how many it minted."""
    async with mint.shop.parts.database.worker() as unit:
        rows = await unit.mints._connection.fetch("SELECT raw, tickets FROM chain_txs WHERE kind = 'mint'")
    return {(uses_table(row["raw"]), len(row["tickets"])) for row in rows}


def uses_table(raw: bytes) -> bool:
    message = VersionedTransaction.from_bytes(raw).message
    return isinstance(message, MessageV0) and bool(message.address_table_lookups)


async def has_table(mint: Mint) -> bool:
    async with mint.shop.parts.database.worker() as unit:
        return [one.state for one in await unit.mints.tables()] == ["open"]


async def test_a_large_tree_gets_a_table_and_takes_more_at_once(
    database: Databases, clock: ManualClock, bench: Bench
) -> None:
    async with open_mint(database, clock, bench, plan=replace(mint_plan(bench), shape=LARGE, nonces=1)) as mint:
        await mint_for(mint, 4)
        await mint.until(lambda: has_table(mint))
        assert await batches(mint) == {(False, 1), (False, 3)}
        tickets = await mint_for(mint, 8)
        assert (True, 4) in await batches(mint)
        assert mint.minted() == 12
        assert await mint.agrees()
        await take_away(mint)
        tickets += await mint_for(mint, 1)
        assert {one.problem for one in await mint.assets(tickets)} == {None}
        assert (False, 1) in await batches(mint)


async def take_away(mint: Mint) -> None:
    """Have the book name an account that is no table, and the worker forget what it knew."""
    async with mint.shop.parts.database.worker() as unit:
        await unit.mints._connection.execute("UPDATE chain_tables SET address = $1", str(mint.bench.payer.pubkey()))
    mint.restart()


async def test_a_small_tree_gets_none(mint: Mint) -> None:
    await mint_for(mint, 2)
    async with mint.shop.parts.database.worker() as unit:
        assert await unit.mints.tables() == []
    assert await batches(mint) == {(False, 2)}
