"""A node that lies, whatever about, brings no second asset and does not stop what another node would do."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

from msgspec.structs import replace

from server.chain.following import Finding
from server.chain.reconciling import reconcile
from server.domain.nft import AssetState
from server.services.rows_mint import LeafRow
from shared.clock import ManualClock
from tests.chain_node.bench import Bench
from tests.chain_node.front import Lie
from tests.conftest import Databases
from tests.integration.minting.mint import Mint, mint_plan, open_mint
from tests.integration.minting.test_changes import hand_over

_FAILED = {"InstructionError": [2, {"Custom": 6001}]}


async def mint_under(mint: Mint, lie: Lie, count: int = 8) -> int:
    """Mint eight tickets while the first node lies; return how many assets the chain made, once we know it as it is."""
    mint.bench.fronts[0].lie = lie
    tickets = await mint.shop.buy(mint.shop.buyer(), count)
    await mint.reach(AssetState.FINALIZED, tickets)
    mint.bench.fronts[0].lie = None
    assert await mint.agrees()
    return mint.minted()


async def test_what_one_node_alone_calls_failed_is_not_minted_again(mint: Mint) -> None:
    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "getSignatureStatuses":
            for status in result["value"]:
                if status is not None:
                    status["err"] = _FAILED
        return result

    assert await mint_under(mint, lie) == 8


async def test_what_one_node_alone_has_never_seen_is_not_minted_again(mint: Mint) -> None:
    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "getSignatureStatuses":
            return {**result, "value": [None for _ in result["value"]]}
        return result

    assert await mint_under(mint, lie) == 8


async def test_a_transaction_that_one_node_leaves_out_of_a_trees_history_is_found_at_another(mint: Mint) -> None:
    left_out: set[str] = set()

    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "getSignaturesForAddress" and result:
            if not left_out:
                left_out.add(result[-1]["signature"])
            return [one for one in result if one["signature"] not in left_out]
        return result

    assert await mint_under(mint, lie) == 8
    assert left_out


async def test_a_transaction_that_is_listed_before_it_is_told_is_not_passed_over(mint: Mint) -> None:
    asked: Counter[str] = Counter()

    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] != "getTransaction":
            return result
        asked[call["params"][0]] += 1
        return None if asked[call["params"][0]] < 4 else result

    mint.bench.fronts[1].lie = lie
    assert await mint_under(mint, lie) == 8
    # Each is asked for until it is told, and the tree is not read again from its beginning for it.
    assert set(asked.values()) == {4}


async def test_a_transaction_that_one_node_tells_wrongly_is_not_believed(mint: Mint) -> None:
    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] != "getTransaction" or result is None:
            return result
        for group in result["meta"]["innerInstructions"]:
            group["instructions"] = [*group["instructions"][2:], *group["instructions"][:2]]
        told = result["meta"]["innerInstructions"]
        for one, data in zip(told, [each["instructions"] for each in reversed(told)], strict=True):
            one["instructions"] = data
        return result

    assert await mint_under(mint, lie) == 8


async def test_transactions_that_one_node_tells_as_rubbish_are_read_at_another(mint: Mint) -> None:
    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] != "getTransaction" or result is None:
            return result
        return {**result, "transaction": [base64.b64encode(b"rubbish").decode(), "base64"]}

    assert await mint_under(mint, lie) == 8


async def test_a_node_that_lies_about_a_trees_root_does_not_make_us_forget_the_tree(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 3)
    await mint.reach(AssetState.FINALIZED, tickets)
    before = await leaves_of(mint)

    def lie(call: dict[str, Any], result: Any) -> Any:
        if call["method"] == "getAccountInfo" and call["params"][0] == tree.address and result["value"] is not None:
            data = bytearray(base64.b64decode(result["value"]["data"][0]))
            data[80] ^= 1
            result["value"]["data"][0] = base64.b64encode(data).decode()
        return result

    (tree,) = await mint.trees()
    mint.bench.fronts[0].lie = lie
    found = await reconcile(mint.minting.desk, mint.worker)
    assert [one.finding for one in found.trees] == [Finding.EQUAL]
    assert await leaves_of(mint) == before


async def leaves_of(mint: Mint) -> list[LeafRow]:
    """Return what we know of the only tree."""
    (tree,) = await mint.trees()
    async with mint.shop.parts.database.worker() as unit:
        return await unit.mints.leaves(tree.address)


async def test_what_was_confirmed_and_is_gone_is_sent_again_and_not_signed_again(mint: Mint) -> None:
    tickets = await mint.shop.buy(mint.shop.buyer(), 4)
    await mint.reach(AssetState.CONFIRMED, tickets)
    signed = mint.bench.transactions()
    for front in mint.bench.fronts:
        front.accident = blind
    for _ in range(6):
        await mint.round()
    assert {one.state for one in await mint.assets(tickets)} == {AssetState.CONFIRMED}
    for front in mint.bench.fronts:
        front.accident = fine
    await mint.reach(AssetState.FINALIZED, tickets)
    assert (mint.minted(), mint.bench.transactions()) == (4, signed)


def blind(method: str) -> str | None:
    """Know of no transaction."""
    return "blind" if method == "getSignatureStatuses" else None


def fine(_: str) -> str | None:
    """Let everything go well."""
    return None


async def test_a_storm_of_stale_proofs_blows_over(database: Databases, clock: ManualClock, bench: Bench) -> None:
    # A tree remembers eight roots; twenty transfers signed at once are more than it lets through.
    async with open_mint(database, clock, bench, plan=replace(mint_plan(bench), nonces=20)) as mint:
        tickets = [one for _ in range(2) for one in await mint.shop.buy(mint.shop.buyer(), 10)]
        await mint.reach(AssetState.FINALIZED, tickets)
        friend = mint.shop.buyer()
        for ticket in tickets:
            await hand_over(mint, ticket, friend.user)

        async def are_moved() -> bool:
            found = await mint.assets(tickets)
            wallet = str(mint.wallet(friend.user))
            return all(one.owner == wallet and one.state is AssetState.FINALIZED for one in found)

        await mint.until(are_moved)
        assert await mint.agrees()
        assert mint.minted() == len(tickets)
