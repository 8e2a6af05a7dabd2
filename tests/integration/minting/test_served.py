"""The whole way over HTTP: a server with its own mint worker, people who buy, hand on and give back, an organiser who looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import aiohttp
import msgspec
import pytest
from msgspec.structs import replace

from server.app import run_server
from server.domain.access import Role, User
from server.domain.nft import AssetState
from server.listening import bind
from server.settings_chain import ChainPlan
from shared.clock import ManualClock
from shared.ids import TicketId, UserId
from shared.settings import Secret
from tests.chain_node.bench import Bench
from tests.conftest import Databases
from tests.integration.minting.mint import mint_plan
from tests.integration.server.selling.client import Json, Reply, Served
from tests.integration.server.selling.stage import NOON, fresh_key, open_shop, plan_for

ADA, BEN = "ada@example.org", "ben@example.org"


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock at which tickets may still be given back."""
    return ManualClock(NOON - timedelta(days=14))


@pytest.fixture
async def served(database: Databases, clock: ManualClock, bench: Bench) -> AsyncIterator[Served]:
    """Give a shop behind a real socket, whose server mints by itself."""
    chain = ChainPlan(urls=tuple(Secret(one) for one in bench.urls), mint=mint_plan(bench))
    with bind("127.0.0.1", 0) as listener:
        async with (
            run_server(replace(plan_for(database, clock), chain=chain), listener) as running,
            open_shop(running.parts, clock) as shop,
            aiohttp.ClientSession() as session,
        ):
            yield Served(running=running, shop=shop, session=session)


def manager(served: Served) -> User:
    return User(tenant=served.shop.tenant, user=UserId(UUID(int=7)), role=Role.VENUE_MANAGER)


async def nft_of(served: Served, who: User, ticket: str) -> Json:
    """Return a ticket's asset as its holder sees it."""
    answer = await served.call("GET", f"/api/v1/tickets/{ticket}", who)
    assert answer.status == 200, answer.body
    return msgspec.convert(answer.json["nft"] or {}, Json)


async def reach(served: Served, who: User, ticket: str, status: AssetState, owner: str | None = None) -> Json:
    """Return a ticket's asset as its holder sees it, once the book has it in a state and with an owner."""
    async with asyncio.timeout(60):
        while not await _is_so(served, ticket, status, owner):
            pass
    found = await nft_of(served, who, ticket)
    assert found["status"] == status
    return found


async def _is_so(served: Served, ticket: str, status: AssetState, owner: str | None) -> bool:
    # The book is asked, not the server: that counts how often somebody calls.
    async with served.shop.context.db.tenant(served.shop.tenant) as tx:
        rows = await tx.assets.of_tickets([TicketId(UUID(ticket))])
    return any(one.state is status and owner in {None, one.owner} for one in rows)


async def organise(served: Served, ticket: str, verb: str, **body: object) -> Reply:
    """Do as the organiser does with a ticket."""
    path = f"/api/v1/tickets/{ticket}/{verb}"
    answer = await served.call("POST", path, manager(served), body, Idempotency_Key=fresh_key())
    assert answer.status == 200, answer.body
    return answer


async def test_an_asset_follows_its_ticket_from_the_sale_to_its_end(served: Served) -> None:
    event = f"/api/v1/events/{served.shop.event}"
    before = await served.call("GET", f"/api/v1/organiser/events/{served.shop.event}", manager(served))
    wish = {"nft": "mirror", "version": before.json["version"]}
    changed = await served.call("PATCH", event, manager(served), wish)
    assert changed.status == 200, changed.body
    ada, ben = served.shop.buyer(ADA), served.shop.buyer(BEN)
    kept, given = await served.buy(ada, 2)
    first = await reach(served, ada, kept, AssetState.FINALIZED)
    wallets = mint_plan_wallets(served)
    assert (first["owner"], first["network"], first["elsewhere"]) == (str(wallets(ada)), "local", False)
    counted = await served.call("GET", f"{event}/nfts", manager(served))
    assert (counted.json["mode"], counted.json["total"]) == ("mirror", 2)
    page = await served.call("GET", urlsplit(str(first["metadataUrl"])).path)
    assert (page.status, page.json["name"]) == (200, "Opening")

    offer = {"recipientEmail": BEN}
    made = await served.call("POST", f"/api/v1/tickets/{kept}/transfer", ada, offer, Idempotency_Key=fresh_key())
    taken = await served.call("POST", f"/api/v1/transfers/{made.json['transferId']}/accept", ben)
    assert taken.status == 200, taken.body
    moved = await reach(served, ben, kept, AssetState.FINALIZED, owner=str(wallets(ben)))
    assert moved["asset"] == first["asset"]

    await organise(served, kept, "lock", reason="fraud")
    await reach(served, ben, kept, AssetState.FROZEN)
    assert status_of(await served.call("GET", urlsplit(str(first["metadataUrl"])).path)) == "held"
    await organise(served, kept, "unlock", reason="it was him")
    await reach(served, ben, kept, AssetState.FINALIZED)

    await reach(served, ada, given, AssetState.FINALIZED)
    back = await served.call("POST", f"/api/v1/tickets/{given}/refund", ada, Idempotency_Key=fresh_key())
    assert back.status in {200, 202}, back.body
    await reach(served, ada, given, AssetState.BURNED)
    counted = await served.call("GET", f"{event}/nfts", manager(served))
    assert (counted.json["byStatus"], counted.json["onChain"]) == ({"finalized": 1, "burned": 1}, 1)


def status_of(page: Reply) -> object:
    attributes = msgspec.convert(page.json["attributes"], list[dict[str, str]])
    return {one["trait_type"]: one["value"] for one in attributes}["Status"]


def mint_plan_wallets(served: Served) -> Callable[[User], object]:
    """Return whose wallet is whose."""
    minting = served.running.parts.minting
    assert minting is not None
    return lambda who: minting.desk.plan.wallets.address(who.tenant, who.user)
