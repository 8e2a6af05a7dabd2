"""A ticket that is sold becomes one asset of its holder's, and the chain's copy follows what happens to it."""

from __future__ import annotations

import msgspec

from server.domain.nft import AssetState
from server.services.holdings import read_ticket
from tests.integration.minting.mint import Mint


async def test_a_sold_ticket_becomes_one_asset_of_its_holders(mint: Mint) -> None:
    buyer = mint.shop.buyer()
    tickets = await mint.shop.buy(buyer, 2)
    await mint.reach(AssetState.FINALIZED, tickets)
    view = await read_ticket(mint.shop.context, buyer, tickets[0])
    assert view.nft is not None
    assert view.nft.owner == str(mint.wallet(buyer.user))
    assert (view.nft.network, view.nft.elsewhere) == ("local", False)
    assert str(tickets[0]) not in msgspec.json.encode(view.nft).decode()
    assert mint.minted() == 2
    assert await mint.agrees()
