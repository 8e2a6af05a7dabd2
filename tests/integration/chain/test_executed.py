"""What a transaction did is read from what the trees' own programs noted; what others had noted down does not count."""

from __future__ import annotations

import base64
from typing import Any

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from server.chain.base58 import encode_base58
from server.chain.executed import Executed, fetch_executed
from server.chain.nodes import Nodes
from server.chain.programs import BUBBLEGUM, MPL_COMPRESSION, MPL_NOOP
from tests.integration.chain.odd_node import Reply, odd_node, raw, result
from tests.unit.chain import recorded as seen

FOREIGN = Pubkey(bytes([77]) * 32)
EVENT = bytes.fromhex(seen.CHANGE_V2)


def noted(outer: Pubkey, *calls: tuple[Pubkey, int | None]) -> Reply:
    """Answer with a transaction that calls ``outer``, in which programs were called at these depths; the noop notes an event."""
    accounts = [
        AccountMeta(one, is_signer=False, is_writable=False) for one in (MPL_NOOP, MPL_COMPRESSION, FOREIGN, BUBBLEGUM)
    ]
    message = MessageV0.try_compile(seen.PAYER, [Instruction(outer, b"", accounts)], [], Hash.default())
    keys = list(message.account_keys)
    inner: list[dict[str, Any]] = [
        {"programIdIndex": keys.index(program), "accounts": [], "data": encode_base58(EVENT), "stackHeight": height}
        for program, height in calls
    ]
    signed = VersionedTransaction.populate(message, [Signature.default()])
    return result(
        {
            "slot": 7,
            "transaction": [base64.b64encode(bytes(signed)).decode(), "base64"],
            "meta": {"err": None, "innerInstructions": [{"index": 0, "instructions": inner}]},
        }
    )


async def fetch(*replies: Reply) -> Executed | None:
    """Return what nodes with these answers tell of a transaction, the first of them asked first."""
    async with odd_node(replies[0]) as (_, one), odd_node(replies[-1], name="two") as (_, two):
        return await fetch_executed(Nodes([one, two]), Signature.default())


async def test_what_bubblegum_and_the_compression_noted_counts_however_deep() -> None:
    for reply in (
        noted(BUBBLEGUM, (MPL_NOOP, 2)),
        noted(BUBBLEGUM, (MPL_NOOP, None)),
        noted(BUBBLEGUM, (MPL_COMPRESSION, 2), (MPL_NOOP, 3)),
        noted(FOREIGN, (BUBBLEGUM, 2), (MPL_COMPRESSION, 3), (MPL_NOOP, 4)),
    ):
        found = await fetch(reply)
        assert found is not None
        assert [one.change.seq for one in found.writes] == [1]


async def test_what_another_program_had_noted_down_is_not_believed() -> None:
    for reply in (
        noted(FOREIGN, (MPL_NOOP, 2)),
        noted(FOREIGN, (MPL_NOOP, None)),
        noted(BUBBLEGUM, (FOREIGN, 2), (MPL_NOOP, 3)),
        noted(FOREIGN, (BUBBLEGUM, 2), (FOREIGN, 2), (MPL_NOOP, 3)),
    ):
        found = await fetch(reply)
        assert found is not None
        assert found.writes == ()


async def test_rubbish_of_one_node_is_read_at_the_next() -> None:
    good = noted(BUBBLEGUM, (MPL_NOOP, 2))
    for bad in (
        result({"slot": 7, "transaction": ["!", "base64"]}),
        result({"slot": "seven"}),
        result([]),
        raw(b"<html>"),
    ):
        found = await fetch(bad, good)
        assert found is not None
        assert len(found.writes) == 1


async def test_a_transaction_that_nobody_knows_is_none() -> None:
    assert await fetch(result(None)) is None
