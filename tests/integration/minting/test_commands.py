"""What anybody sees of an asset, what an organiser sees of an event's, and what an operator can ask."""

from __future__ import annotations

import base64
from uuid import UUID

import aiohttp
import pytest

from server.chain.following import Finding
from server.chain.reconciling import reconcile
from server.domain.access import Role, User
from server.domain.nft import AssetState
from server.domain.nft_token import read_token, write_token
from server.services.nft_pages import draw_picture, read_metadata
from server.services.nft_views import read_event_nfts
from server.services.problems_nft import AssetUnknown
from shared.ids import UserId
from tests.chain_node.bench import ask
from tests.integration.minting.mint import Mint


async def test_everything_agrees_after_a_mint_and_says_so(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 3)
    (first, *_) = await mint.reach(AssetState.FINALIZED, tickets)
    found = await reconcile(mint.minting.desk, mint.worker)
    assert found.is_sound
    (tree,) = found.trees
    assert (tree.minted_on_chain, tree.leaves_known, tree.finding) == (3, 3, Finding.EQUAL)
    assert found.opinion.asked == 0
    organiser = User(tenant=mint.shop.tenant, user=UserId(UUID(int=7)), role=Role.VENUE_MANAGER)
    event = await read_event_nfts(mint.shop.context, organiser, mint.shop.event)
    assert (event.total, event.on_chain, event.by_status) == (3, 3, {AssetState.FINALIZED: 3})
    assert first.uri is not None
    token = read_token(first.uri.rpartition("/")[2])
    assert token is not None
    shown = await read_metadata(mint.shop.parts.database, token, first.uri)
    assert (shown.name, shown.attributes[0].value) == ("Opening", "Opening")
    assert "Opening" in await draw_picture(mint.shop.parts.database, token)
    with pytest.raises(AssetUnknown):
        await read_metadata(mint.shop.parts.database, UUID(int=1), first.uri)


async def test_a_tree_that_was_read_wrongly_is_read_anew(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 3)
    await mint.reach(AssetState.FINALIZED, tickets)
    async with mint.shop.parts.database.worker() as unit:
        await unit.mints._connection.execute("UPDATE chain_leaves SET hash = sha256('lie') WHERE index = 1")
    mint.restart()
    found = await reconcile(mint.minting.desk, mint.worker)
    assert not found.is_sound
    again = await reconcile(mint.minting.desk, mint.worker)
    assert again.is_sound


async def test_a_twin_is_found(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 1)
    await mint.reach(AssetState.FINALIZED, tickets)
    async with mint.shop.parts.database.worker() as unit:
        await unit.mints._connection.execute(
            "INSERT INTO chain_leaves SELECT tenant_id, tree, 9, 'twin', owner, delegate, data_hash, creator_hash,"
            " collection_hash, flags, hash, 99, 'unknown', NULL FROM chain_leaves WHERE index = 0"
        )
        (orphan,) = await unit.mints.orphans(10)
    assert (orphan.index, orphan.twin) == (9, True)


async def test_buying_and_entering_ask_no_node(mint: Mint) -> None:
    before = [front.calls for front in mint.bench.fronts]
    await mint.shop.buy(mint.shop.buyer(), 5)
    assert [front.calls for front in mint.bench.fronts] == before


async def test_the_node_runs_what_was_installed(mint: Mint) -> None:
    async with aiohttp.ClientSession() as session:
        found = await ask(session, mint.bench.node.rpc, "getAccountInfo", [BUBBLEGUM, {"encoding": "base64"}])
    assert found["value"]["executable"]


def test_tokens_are_read_as_they_are_written_and_otherwise_not_at_all() -> None:
    for number in (0, 1, 2**128 - 1, 0x0123456789ABCDEF0123456789ABCDEF):
        assert read_token(write_token(UUID(int=number))) == UUID(int=number)
    for bad in ("", "a" * 21, "a" * 23, "a" * 21 + "b", "../../../../etc/passwd", base64.b64encode(bytes(16)).decode()):
        assert read_token(bad) is None


BUBBLEGUM = "BGUMAp9Gq7iTEuizy4pqaxsTyUCBK68MDfK752saRPUY"
