"""`tickettoken nft` as an operator types it: one document with --json, an exit status that a script can act on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from msgspec import json
from msgspec.structs import replace
from solders.keypair import Keypair

from server.domain.nft import NftMode
from server.parts import open_parts
from server.services.rows_mint import DeadAsset
from shared.clock import ManualClock
from tests.acceptance.server.program import run
from tests.acceptance.test_overselling import environ_of, plan_of
from tests.conftest import Databases
from tests.integration.server.selling.stage import NOON, Shop, open_shop

TICKETS = 4


@pytest.fixture
async def shop(database: Databases) -> AsyncIterator[Shop]:
    """Give a shop that sold some tickets before anybody thought of assets."""
    clock = ManualClock(NOON)
    async with (
        open_parts(replace(plan_of(environ_of(database)), clock=clock)) as parts,
        open_shop(parts, clock) as opened,
    ):
        await opened.buy(opened.buyer(), TICKETS)
        async with parts.context.db.tenant(opened.tenant) as tx:
            event = await tx.events.get(opened.event)
            assert event is not None
            await tx.organising.change_event(replace(event, nft=NftMode.MIRROR), tell_gates=False)
        yield opened


async def give_up(shop: Shop) -> None:
    """Have all assets given up, as a worker does after a fault of its own."""
    async with shop.parts.database.worker() as unit:
        await unit.mints._connection.execute(
            "UPDATE nft_assets SET state = 'dead', problem = 'refused_6007', tries = 2"
        )


async def test_from_queued_over_given_up_to_queued_again(database: Databases, shop: Shop) -> None:
    environ = environ_of(database)
    assert await nft(environ, "mint", "--event", str(shop.event), "--json") == (0, b'{"queued":4}')
    assert await nft(environ, "mint", "--event", str(shop.event), "--json") == (0, b'{"queued":0}')
    status, said = await nft(environ, "status", "--json")
    told = json.decode(said)
    assert (status, told["configured"], told["states"], told["dead"]) == (0, False, {"queued": TICKETS}, 0)
    assert await nft(environ, "dead", "--json") == (0, b"[]")
    await give_up(shop)
    status, said = await nft(environ, "dead", "--json")
    dead = json.decode(said, type=list[DeadAsset])
    assert (status, {one.problem for one in dead}, {one.tenant for one in dead}) == (0, {"refused_6007"}, {shop.tenant})
    _, lines = await nft(environ, "status")
    assert b"4 given up: `tickettoken nft dead` shows them" in lines
    one, other = str(dead[0].ticket), str(dead[1].ticket)
    assert await nft(environ, "replay", one, str(uuid4()), "--json") == (1, b'{"queued":1}')
    assert await nft(environ, "replay", other, "--json") == (0, b'{"queued":1}')
    assert await nft(environ, "replay", "--all") == (0, b"2 to be tried again")
    assert await nft(environ, "dead") == (0, b"nothing was given up")


async def nft(environ: dict[str, str], *arguments: str) -> tuple[int, bytes]:
    """Return exit status and output of a command that has nothing to complain about."""
    status, output, errors = await run("nft", *arguments, **environ)
    assert errors == ""
    return status, output.encode().rstrip(b"\n")


async def test_what_needs_a_chain_says_so_where_none_is_named(database: Databases) -> None:
    for command in (("verify",), ("reconcile", "--json"), ("trees", "--make", "--tenant", str(UUID(int=7)))):
        status, output, errors = await run("nft", *command, **environ_of(database))
        assert (status, output) == (2, "")
        assert errors.startswith("error: No chain is named: set SOLANA_RPC_URLS")


async def test_a_chain_that_is_away_is_told_in_one_line(database: Databases, shop: Shop) -> None:
    environ = {**environ_of(database), **CHAIN_AWAY}
    assert await nft(environ, "verify", "--json") == (0, b'{"trees":{}}')
    async with shop.parts.database.worker() as unit:
        await unit.mints._connection.execute(
            "INSERT INTO chain_trees (tenant_id, address, version, depth, buffer, canopy, state, created_at)"
            " VALUES ($1, $2, 2, 5, 8, 0, 'open', $3)",
            shop.tenant,
            "9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu",
            NOON,
        )
    for command in ("verify", "reconcile"):
        status, output, errors = await run("nft", command, **environ)
        assert (status, output) == (3, "")
        assert errors == "error: No Solana node answers: what is to be minted waits.\n"


async def test_an_event_nobody_has_is_told_as_such(database: Databases) -> None:
    for command in ("mint", "rename"):
        status, output, errors = await run("nft", command, "--event", str(uuid4()), **environ_of(database))
        assert (status, output) == (1, "")
        assert errors.startswith("error: There is no event of this id")


async def test_estimates_need_nothing_but_a_number() -> None:
    found = {}
    for tickets in (100_000, 1_000_000):
        status, output, errors = await run("nft", "estimate", "--tickets", str(tickets), "--json")
        assert (status, errors) == (0, "")
        found[tickets] = json.decode(output.encode())
    small, large = found[100_000], found[1_000_000]
    assert (small["depth"], large["depth"]) == (17, 20)
    assert (small["protocol"], large["protocol"]) == (9_000_000_000, 90_000_000_000)
    # Nine tenths are the protocol's own fee, which no tree is large enough to thin out.
    assert 90_000 < large["per_ticket"] < small["per_ticket"] < 100_000
    assert small["total"] == sum(small[part] for part in ("tree", "setup", "signatures", "protocol", "priority"))
    _, cheap, _ = await run("nft", "estimate", "--tickets", "100000", "--cheap")
    assert cheap.startswith("100000 tickets with Bubblegum V1: 0.")


CHAIN_AWAY = {
    "SOLANA_RPC_URLS": "http://127.0.0.1:1/",
    "SOLANA_NETWORK": "local",
    "SOLANA_WALLET_SEED": "a seed that is long enough for anybody's wallets",
    "PUBLIC_URL": "https://t.example",
    **{
        f"SOLANA_{who}_KEY": str(Keypair.from_seed(bytes([n]) * 32))
        for n, who in enumerate(("PAYER", "MINTER", "OPERATOR"), start=1)
    },
}
