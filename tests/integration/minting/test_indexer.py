"""An index of the chain is a second opinion: where it agrees nothing is said, and each of its lies is found and not believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.chain.indexer import Indexer
from server.chain.reconciling import Reconciliation, reconcile
from server.cli_nft_lines import describe_report
from server.domain.nft import AssetState
from shared.ids import TicketId
from shared.problems import DataDamaged
from tests.chain_node.das import Answer, Das, truth
from tests.integration.minting.mint import Mint
from tests.integration.minting.test_changes import give_back

STRANGER = "EdmxWPmx2WH6WgFfTdu9xfkYf3k1g5wD1zccTVySEEh1"


def within(part: str, **changes: Any) -> Callable[[Answer], Answer]:
    """Return a lie about a part of an asset."""
    return lambda told: {**told, part: {**told[part], **changes}}


LIES: dict[str, Callable[[Answer], Answer]] = {
    "owner": within("ownership", owner=STRANGER),
    "frozen": within("ownership", frozen=True),
    "tree": within("compression", tree=STRANGER),
    "leaf": within("compression", leaf_id=30),
    "hash": within("compression", asset_hash=STRANGER),
    "burned": lambda told: {**told, "burnt": True},
}


async def with_index(mint: Mint) -> Das:
    """Have the nodes offer an index."""
    das = Das(mint.bench.model)
    for front in mint.bench.fronts:
        front.das = das
    return das


async def compared(mint: Mint) -> Reconciliation:
    return await reconcile(mint.minting.desk, mint.worker)


async def settle(mint: Mint) -> list[TicketId]:
    """Sell three tickets, and give one back."""
    tickets = await mint.shop.buy(mint.shop.buyer(), 3)
    await mint.reach(AssetState.FINALIZED, tickets)
    await give_back(mint, tickets[2])
    await mint.reach(AssetState.BURNED, tickets[2:])
    return tickets[:2]


async def test_an_index_that_says_the_truth_agrees_and_each_lie_is_found(mint: Mint) -> None:
    tickets, das = await settle(mint), await with_index(mint)
    found = await compared(mint)
    assert found.is_sound
    assert (found.opinion.asked, found.opinion.missing, das.asked > 0) == (2, 0, True)
    for field, lie in LIES.items():
        das.lie = lie
        told = await compared(mint)
        assert {one.field for one in told.opinion.differences} == {field}
        assert not told.is_sound
        assert any(field in line for line in describe_report(told))
    das.lie = truth
    for bend in (within_proof(leaf=STRANGER), within_proof(root=STRANGER), within_proof(tree_id=STRANGER)):
        das.bend = bend
        assert [one.field for one in (await compared(mint)).opinion.differences] == ["proof"]
    das.bend = truth
    das.lie = lambda _: None
    assert ((await compared(mint)).opinion.missing, (await compared(mint)).opinion.differences) == (2, [])
    # Whatever was said, nothing of ours has changed.
    das.lie = truth
    assert {one.state for one in await mint.assets(tickets)} == {AssetState.FINALIZED}
    assert (await compared(mint)).is_sound


def within_proof(**changes: Any) -> Callable[[Answer], Answer]:
    return lambda told: {**told, **changes}


async def test_an_index_has_the_published_shapes_and_odd_ones_are_told(mint: Mint) -> None:
    await settle(mint)
    das, indexer = await with_index(mint), Indexer(mint.minting.desk.nodes)
    (first, second) = [one.asset or "" for one in await mint.assets(await held(mint))]
    told = await indexer.assets([first, STRANGER, second])
    assert told is not None
    assert [None if one is None else one.id for one in told] == [first, None, second]
    proof = await indexer.proof(first)
    (tree,) = await mint.trees()
    assert proof is not None
    assert (len(proof.proof), proof.tree_id) == (tree.depth, tree.address)
    assert any(proof.holds(index) for index in range(2))
    assert not proof.holds(2)
    das.lie = lambda answer: {**answer, "ownership": "mine"}
    with pytest.raises(DataDamaged, match="form"):
        await indexer.assets([first])
    for front in mint.bench.fronts:
        front.accident = lambda method: "behind" if method == "getAssets" else None
    assert await indexer.assets([first]) is None


async def held(mint: Mint) -> list[TicketId]:
    async with mint.shop.parts.database.worker() as unit:
        rows = await unit.mints._connection.fetch("SELECT ticket_id FROM nft_assets WHERE state = 'finalized'")
    return [TicketId(row["ticket_id"]) for row in rows]
