"""Minting put together: nodes, ledger and worker, opened and closed in one place."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from msgspec import Struct

from server.chain.desk import Desk, MintState
from server.chain.ledger import Ledger
from server.chain.node import Node
from server.chain.nodes import Nodes
from server.chain.worker import MintWorker, run_mint_worker
from server.db.mint_session import open_mint_session
from server.db.pool import PgDatabase
from server.services.context import Context
from server.services.nft_telling import tell_minted
from server.services.pulse import Beat
from server.settings_chain import ChainPlan


class Minting(Struct, frozen=True, kw_only=True):
    """The means of minting, and what it is doing."""

    desk: Desk

    @property
    def state(self) -> MintState:
        """Return what it is doing."""
        return self.desk.state


@asynccontextmanager
async def open_minting(plan: ChainPlan, database: PgDatabase, context: Context) -> AsyncIterator[Minting]:
    """Get ready to mint; no node is asked yet."""
    async with aiohttp.ClientSession() as session:
        nodes = Nodes(
            [Node(f"node {number}", url, session, time.monotonic) for number, url in enumerate(plan.urls, start=1)]
        )
        yield Minting(
            desk=Desk(
                db=database,
                nodes=nodes,
                ledger=Ledger(nodes),
                plan=plan.mint,
                clock=context.clock,
                random_bytes=context.random_bytes,
                state=MintState(),
            )
        )


async def run_minting(minting: Minting, database: PgDatabase, context: Context, beat: Beat) -> None:
    """Mint until cancelled."""

    async def tell() -> None:
        await tell_minted(context, database)

    worker = MintWorker(minting.desk)
    await run_mint_worker(lambda: open_mint_session(database), worker, minting.desk, tell, beat)
