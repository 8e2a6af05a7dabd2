"""A real local Solana node for the tests of this folder."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from msgspec import Struct
from solders.keypair import Keypair

from server.chain.ledger import Ledger
from server.chain.node import Node
from server.chain.nodes import Nodes
from server.chain.signing import MemorySigner
from shared.settings import Secret
from tests.chain_node.launcher import ChainNode, chain_node


class Chain(Struct, frozen=True, kw_only=True):
    """A running chain as our program reaches it, and somebody who can pay."""

    node: ChainNode
    nodes: Nodes
    ledger: Ledger
    payer: MemorySigner


@pytest.fixture
async def chain() -> AsyncIterator[Chain]:
    """Give an empty chain."""
    async with chain_node() as running, aiohttp.ClientSession() as session:
        nodes = Nodes([Node("local", Secret(running.rpc), session, time.monotonic)])
        payer = MemorySigner(Keypair.from_bytes(running.payer))
        yield Chain(node=running, nodes=nodes, ledger=Ledger(nodes), payer=payer)
