"""An event gets another name, and its assets are called so once somebody wants it; with either version of the programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace
from solders.pubkey import Pubkey

from server.chain.composing import SYMBOL, Change, Renaming, compose_change, data_hash
from server.chain.forest import Forest
from server.chain.metadata import Metadata, MetadataChange
from server.chain.signing import MemorySigner
from server.chain.transactions import seal_recent
from server.domain.nft import AssetState
from server.services.rows_mint import TxKind
from shared.clock import ManualClock
from shared.ids import TicketId
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, mint_plan, open_mint
from tests.integration.minting.test_changes import give_back, hand_over


async def rename(mint: Mint, name: str) -> int:
    """Call the event otherwise, and have its assets follow; return how many are to."""
    async with mint.shop.context.db.tenant(mint.shop.tenant) as tx:
        event = await tx.events.get(mint.shop.event)
        assert event is not None
        await tx.organising.change_event(replace(event, name=name), tell_gates=False)
    async with mint.shop.parts.database.worker() as unit:
        return await unit.mints.rename_assets(mint.shop.event, name)


async def metadata_of(mint: Mint, ticket: TicketId, name: str) -> Metadata:
    """Return what an asset says on chain if that is its name."""
    (asset,) = await mint.assets([ticket])
    async with mint.shop.parts.database.worker() as unit:
        collections = await unit.mints.collections()
    collection = Pubkey.from_string(collections[0].address) if collections else None
    return Metadata(name=name, symbol=SYMBOL, uri=asset.uri or "", collection=collection)


def are_called(mint: Mint, tickets: list[TicketId], name: str) -> Callable[[], Awaitable[bool]]:
    """Return a question: are the tickets' assets at rest, and do their leaves say this name?"""

    async def asked() -> bool:
        (tree,) = await mint.trees()
        async with mint.shop.parts.database.worker() as unit:
            leaves = {one.data_hash for one in await unit.mints.leaves(tree.address)}
        wanted = {data_hash(await metadata_of(mint, one, name), tree.version) for one in tickets}
        return leaves == wanted and all(one.state is AssetState.FINALIZED for one in await mint.assets(tickets))

    return asked


@pytest.mark.parametrize("version", [1, 2])
async def test_assets_are_called_what_the_event_is_called_and_live_on(
    database: Databases, clock: ManualClock, bench: Bench, version: int
) -> None:
    plan = replace(mint_plan(bench), version=version)
    async with open_mint(database, clock, bench, plan=plan) as mint:
        buyer, friend = mint.shop.buyer(), mint.shop.buyer()
        tickets = await mint.shop.buy(buyer, 2)
        await mint.reach(AssetState.FINALIZED, tickets)
        for name in ("Reopening", "Closing"):
            assert (await rename(mint, name), await rename(mint, name)) == (2, 0)
            await mint.until(are_called(mint, tickets, name))
            mint.restart()
        await hand_over(mint, tickets[0], friend.user)

        async def is_moved() -> bool:
            (asset,) = await mint.assets(tickets[:1])
            return asset.state is AssetState.FINALIZED and asset.owner == str(mint.wallet(friend.user))

        await mint.until(is_moved)
        await give_back(mint, tickets[0])
        await mint.reach(AssetState.BURNED, tickets[:1])
        assert mint.minted() == 2
        assert await mint.agrees()


async def test_what_somebody_else_wrote_is_set_aside_and_not_written_over(mint: Mint) -> None:
    (ticket,) = await mint.shop.buy(mint.shop.buyer())
    await mint.reach(AssetState.FINALIZED, [ticket])
    await write_by_hand(mint, ticket, "Free beer")
    mint.restart()
    (tree,) = await mint.trees()
    await mint.worker.follow_up(tree)
    assert await rename(mint, "Reopening") == 1
    await mint.reach(AssetState.DEAD, [ticket])
    (asset,) = await mint.assets([ticket])
    assert asset.problem == "metadata_not_ours"


async def write_by_hand(mint: Mint, ticket: TicketId, name: str) -> None:
    """Do as somebody does who has the minter's key: change what an asset says."""
    desk = mint.minting.desk
    (tree,) = await mint.trees()
    async with mint.shop.parts.database.worker() as unit:
        leaf = await unit.mints.leaf(tree.address, 0)
        (collection,) = await unit.mints.collections()
    assert leaf is not None
    change = Change(
        kind=TxKind.UPDATE,
        place=await Forest(desk.db).place(tree, leaf, collection.address),
        holder=MemorySigner(desk.plan.wallets.keypair(mint.shop.tenant, None)),
        renaming=Renaming(current=await metadata_of(mint, ticket, "Opening"), change=MetadataChange(name=name)),
    )
    composed = compose_change(desk.plan.keys, change, 1_000)
    sealed = await seal_recent(composed.draft, await desk.ledger.recent(), composed.signers)
    assert (await desk.nodes.send(sealed.raw)).taken > 0
