"""What was signed under a block and never landed is signed anew only when it certainly can land no more."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from server.domain.nft import AssetState
from server.services.rows_mint import TxKind, TxRow
from tests.chain_node.bench import ask
from tests.chain_node.front import no_accident
from tests.integration.minting.mint import Mint

WELL_PAST = 40
"""Blocks after the last in which a transaction counts; this node goes on taking it for some twenty."""


def drop(method: str) -> str | None:
    """Have every transaction taken and forgotten."""
    return "drop" if method == "sendTransaction" else None


async def open_tree(mint: Mint) -> TxRow | None:
    """Return the transaction under way that is to make a tree."""
    async with mint.shop.parts.database.worker() as unit:
        return next((one for one in await unit.mints.open_txs() if one.kind is TxKind.TREE), None)


async def pass_by(mint: Mint, height: int) -> None:
    """Come around until the node is well past a block."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(200):
        while await ask(session, mint.bench.node.rpc, "getBlockHeight", []) < height + WELL_PAST:
            await mint.round()


async def test_a_transaction_may_land_up_to_its_last_block_and_is_replaced_after_it(mint: Mint) -> None:
    for front in mint.bench.fronts:
        front.accident = drop
    tickets = await mint.shop.buy(mint.shop.buyer(), 1)
    await mint.until(lambda: exists(mint))
    first = await open_tree(mint)
    assert first is not None
    assert first.last_height is not None
    last = first.last_height

    def at_its_last_block(call: dict[str, Any], result: Any) -> Any:
        return last if call["method"] == "getBlockHeight" else result

    await pass_by(mint, last)
    for front in mint.bench.fronts:
        front.accident, front.lie = no_accident, at_its_last_block
    for _ in range(6):
        await mint.round()
    still = await open_tree(mint)
    assert still is not None
    assert still.signature == first.signature
    for front in mint.bench.fronts:
        front.lie = None
    await mint.reach(AssetState.FINALIZED, tickets)
    async with mint.shop.parts.database.worker() as unit:
        states = await unit.mints._connection.fetch("SELECT state FROM chain_txs WHERE kind = 'tree' ORDER BY id")
    *before, after = [row["state"] for row in states]
    assert (set(before), after) == ({"void"}, "finalized")
    assert (mint.minted(), len(await mint.trees())) == (1, 1)


async def exists(mint: Mint) -> bool:
    """Tell whether a tree is being made."""
    return await open_tree(mint) is not None
