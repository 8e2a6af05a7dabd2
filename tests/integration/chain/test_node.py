"""Whatever a node answers is told apart: ours to repeat, ours to give up, or another node's to say better."""

from __future__ import annotations

import asyncio
import base64

import aiohttp
import pytest

from server.chain.ledger import Ledger
from server.chain.node import Node
from server.chain.nodes import Nodes
from server.chain.problems import ChainAway, NodeFailed, Trouble
from server.chain.programs import SYSTEM
from shared.settings import Secret
from tests.integration.chain.odd_node import Reply, Ticks, error, odd_node, raw, result
from tests.unit.chain import recorded as seen

PREFLIGHT = "Transaction simulation failed: "


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (error(-32002, PREFLIGHT + "This transaction has already been processed"), Trouble.KNOWN),
        (error(-32002, PREFLIGHT + "This transaction has already been processed", data=None), Trouble.KNOWN),
        (error(-32002, PREFLIGHT + "x", data={"err": "BlockhashNotFound", "logs": []}), Trouble.EXPIRED),
        (error(-32002, PREFLIGHT + "Blockhash not found", data={"err": "BlockhashNotFound"}), Trouble.EXPIRED),
        (error(-32002, PREFLIGHT + "x", data={"err": "InsufficientFundsForFee", "logs": None}), Trouble.POOR),
        (error(-32002, "Attempt to debit an account but found no record of a prior credit."), Trouble.POOR),
        (error(-32002, PREFLIGHT + "x", data={"err": {"InstructionError": [2, {"Custom": 6017}]}}), Trouble.REFUSED),
        (error(-32003, "Transaction signature verification failure"), Trouble.REFUSED),
        (error(-32005, "Node is behind by 42 slots"), Trouble.BEHIND),
        (error(-32005, "Node is behind", data={"numSlotsBehind": 42}), Trouble.BEHIND),
        (error(-32016, "Minimum context slot has not been reached"), Trouble.BEHIND),
        (error(429, "Too many requests for a specific RPC call"), Trouble.LIMITED),
        (error(-32601, "Method not found"), Trouble.OTHER),
        (error(987654, "something new", data=[1, "odd"]), Trouble.OTHER),
        (raw(b'{"jsonrpc":"2.0","id":1,"error":"please pay"}'), Trouble.OTHER),
        (raw(b'{"jsonrpc":"2.0","id":1,"error":{"code":"text","message":5}}'), Trouble.OTHER),
        (raw(b"<html>Bad gateway</html>"), Trouble.AWAY),
        (raw(b"<html>Log in to this network</html>", status=302, Location="https://login.example"), Trouble.AWAY),
        (raw(b"", status=503), Trouble.AWAY),
        (raw(b""), Trouble.AWAY),
        (raw(b"[1, 2]"), Trouble.AWAY),
        (raw(b'{"jsonrpc":"2.0","id":999,"result":5}'), Trouble.AWAY),
        (raw(b'{"jsonrpc":"2.0","id":1}'), Trouble.AWAY),
        (raw(b"{}", status=429, **{"Retry-After": "7"}), Trouble.LIMITED),
        (raw(b"x" * (8 * 1024 * 1024 + 1)), Trouble.AWAY),
        (result("a word"), Trouble.AWAY),
        (result(None), Trouble.AWAY),
    ],
)
async def test_every_kind_of_answer_has_its_meaning(reply: Reply, trouble: Trouble) -> None:
    async with odd_node(reply) as (_, node):
        with pytest.raises(NodeFailed) as caught:
            await node.call("getBlockHeight", [], int)
    assert caught.value.trouble is trouble


async def test_logs_of_a_refused_transaction_are_kept() -> None:
    logs = ["Program log: Instruction: MintV2", "Program X failed: custom program error: 0x1781"]
    async with odd_node(
        error(-32002, "x", data={"err": {"InstructionError": [0, {"Custom": 6017}]}, "logs": logs})
    ) as (_, node):
        with pytest.raises(NodeFailed) as caught:
            await node.call("sendTransaction", [], str)
    assert list(caught.value.logs) == logs


async def test_a_wish_for_fewer_requests_is_kept_within_reason() -> None:
    async with odd_node(raw(b"", status=429, **{"Retry-After": "99999"})) as (_, node):
        with pytest.raises(NodeFailed) as caught:
            await node.call("getHealth", [], str)
    assert caught.value.retry_s == 300.0


async def test_a_silent_node_is_given_up() -> None:
    async with odd_node(result(5)) as (odd, node):
        odd.release.clear()
        with pytest.raises(NodeFailed, match="no answer") as caught:
            await node.call("getBlockHeight", [], int, timeout_s=0.05)
    assert caught.value.trouble is Trouble.AWAY


async def test_an_address_that_may_hold_a_key_is_not_in_the_problem() -> None:
    async with aiohttp.ClientSession() as session:
        node = Node("closed", Secret("http://127.0.0.1:1/very-secret-key"), session, Ticks())
        with pytest.raises(NodeFailed) as caught:
            await node.call("getBlockHeight", [], int)
    assert "very-secret-key" not in f"{caught.value} {caught.value.__cause__!r}"


@pytest.mark.parametrize("bad", [error(-32005, "behind"), raw(b"", status=500), raw(b"", status=429)])
async def test_another_node_is_asked_where_one_cannot_answer(bad: Reply) -> None:
    async with odd_node(bad) as (first, one), odd_node(result(7), name="two") as (second, two):
        assert await Nodes([one, two]).read("getBlockHeight", [], int) == 7
        assert (len(first.asked), len(second.asked)) == (1, 1)


async def test_a_node_that_is_well_and_says_no_is_believed() -> None:
    async with odd_node(error(-32003, "bad signature")) as (_, one), odd_node(result(7)) as (second, two):
        with pytest.raises(NodeFailed, match="bad signature"):
            await Nodes([one, two]).read("sendTransaction", [], int)
        assert not second.asked


async def test_no_node_at_all_is_told_as_such() -> None:
    async with odd_node(raw(b"", status=500)) as (_, one):
        with pytest.raises(ChainAway):
            await Nodes([one]).read("getBlockHeight", [], int)


async def test_a_node_that_stays_silent_is_left_alone_and_asked_again_once() -> None:
    ticks = Ticks()
    async with odd_node(raw(b"", status=500), ticks=ticks) as (odd, one):
        nodes = Nodes([one])
        for _ in range(8):
            with pytest.raises(ChainAway):
                await nodes.read("getBlockHeight", [], int)
        assert len(odd.asked) == 5
        ticks.now += 15
        odd.answer_with(result(9))
        assert await nodes.read("getBlockHeight", [], int) == 9
        assert not one.breaker.is_open


async def test_a_given_up_call_leaves_the_next_try_free() -> None:
    ticks = Ticks()
    async with odd_node(raw(b"", status=500), ticks=ticks) as (odd, one):
        for _ in range(5):
            with pytest.raises(NodeFailed):
                await one.call("getBlockHeight", [], int)
        ticks.now += 15
        assert one.is_allowed()
        assert not one.is_allowed()
        odd.release.clear()
        odd.arrived.clear()
        task = asyncio.create_task(one.call("getBlockHeight", [], int))
        async with asyncio.timeout(20):
            await odd.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert one.is_allowed()


async def test_the_same_bytes_go_to_every_node() -> None:
    async with (
        odd_node(result("sig")) as (first, one),
        odd_node(error(-32002, "already been processed")) as (second, two),
    ):
        sent = await Nodes([one, two]).send(b"signed")
    assert (sent.taken, [problem.trouble for problem in sent.problems]) == (1, [Trouble.KNOWN])
    assert sent.find(Trouble.KNOWN) is not None
    assert first.asked[0][1][0] == second.asked[0][1][0] == "c2lnbmVk"
    assert first.asked[0][1][1]["maxRetries"] == 0


UNKNOWN = result({"context": {"slot": 5}, "value": [None]})
LANDED = result(
    {"context": {"slot": 5}, "value": [{"slot": 4, "confirmations": 3, "err": None, "confirmationStatus": "confirmed"}]}
)
SIGNATURE = seen.keypair(1).sign_message(b"x")


@pytest.mark.parametrize(
    ("first", "second", "absent"),
    [
        (UNKNOWN, UNKNOWN, True),
        (UNKNOWN, LANDED, False),
        (LANDED, UNKNOWN, False),
        (UNKNOWN, raw(b"", status=500), False),
        (raw(b"", status=500), raw(b"", status=500), False),
    ],
)
async def test_a_transaction_is_absent_only_when_two_nodes_say_so(first: Reply, second: Reply, absent: bool) -> None:
    async with odd_node(first) as (_, one), odd_node(second) as (_, two):
        assert await Ledger(Nodes([one, two])).is_absent(SIGNATURE) is absent


async def test_statuses_tell_landing_from_success() -> None:
    failed = {
        "slot": 9,
        "confirmations": None,
        "err": {"InstructionError": [0, {"Custom": 1}]},
        "confirmationStatus": "finalized",
    }
    answer = result(
        {"context": {"slot": 9}, "value": [None, failed, {"slot": 8, "err": None, "confirmationStatus": "processed"}]}
    )
    async with odd_node(answer) as (_, node):
        none, bad, early = await Ledger(Nodes([node])).statuses([SIGNATURE] * 3)
    assert none is None
    assert bad is not None
    assert (bad.failed, bad.finalized, bad.confirmed) == (True, True, True)
    assert early is not None
    assert (early.failed, early.finalized, early.confirmed) == (False, False, False)


FAILED = result(
    {
        "context": {"slot": 5},
        "value": [{"slot": 4, "err": {"InstructionError": [0, {"Custom": 6001}]}, "confirmationStatus": "confirmed"}],
    }
)


@pytest.mark.parametrize(
    ("first", "second", "failed"),
    [
        (FAILED, FAILED, True),
        (FAILED, LANDED, False),
        (FAILED, UNKNOWN, False),
        (FAILED, raw(b"", status=500), False),
        (LANDED, LANDED, False),
    ],
)
async def test_a_transaction_has_failed_only_when_two_nodes_say_so(first: Reply, second: Reply, failed: bool) -> None:
    async with odd_node(first) as (_, one), odd_node(second) as (_, two):
        assert await Ledger(Nodes([one, two])).is_failed(SIGNATURE) is failed


def holding(data: bytes) -> Reply:
    """Answer with an account."""
    told = [base64.b64encode(data).decode(), "base64"]
    return result({"context": {"slot": 5}, "value": {"lamports": 1, "owner": str(SYSTEM), "data": told}})


async def test_an_account_is_as_all_nodes_say_or_not_known() -> None:
    async with odd_node(holding(b"a")) as (_, one), odd_node(holding(b"b")) as (_, two):
        told = await Ledger(Nodes([one, two])).accounts(SYSTEM)
        assert [each and each.data for each in told] == [b"a", b"b"]
    async with odd_node(holding(b"a")) as (_, one), odd_node(raw(b"", status=500)) as (_, two):
        assert await Ledger(Nodes([one, two])).accounts(SYSTEM) == []


async def test_a_node_that_wants_fewer_requests_is_left_alone_for_as_long_as_it_says() -> None:
    ticks = Ticks()
    limited = raw(b"{}", status=429, **{"Retry-After": "7"})
    async with odd_node(limited, ticks=ticks) as (odd, one), odd_node(result(3), name="two") as (_, two):
        nodes = Nodes([one, two])
        assert [await nodes.read("getBlockHeight", [], int) for _ in range(3)] == [3, 3, 3]
        assert len(odd.asked) == 1
        ticks.now += 7
        odd.answer_with(result(9))
        assert await nodes.read("getBlockHeight", [], int) == 9


async def test_an_answer_that_got_lost_is_asked_for_once_more() -> None:
    async with odd_node(raw(b"", status=500), result(4)) as (odd, one):
        assert await Nodes([one]).read("getBlockHeight", [], int) == 4
        assert len(odd.asked) == 2


async def test_a_node_that_does_not_fit_is_asked_last() -> None:
    async with odd_node(result(1)) as (first, one), odd_node(result(2), name="two") as (_, two):
        nodes = Nodes([one, two])
        nodes.turn()
        assert await nodes.read("getBlockHeight", [], int) == 2
        assert not first.asked
