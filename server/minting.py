"""Minting put together: nodes, ledger and worker, opened and closed in one place."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from server.chain.comparing import Comparer, run_comparer
from server.chain.desk import Desk, MintState
from server.chain.ledger import Ledger
from server.chain.node import Node
from server.chain.nodes import Nodes
from server.chain.storage import Describe, Files, PutStore
from server.chain.worker import MintWorker, run_mint_worker
from server.db.mint_session import open_mint_session
from server.db.pool import PgDatabase
from server.services.context import Context
from server.services.nft_pages import draw_picture, read_metadata
from server.services.nft_telling import tell_minted
from server.services.ports_nft import PublicDatabase
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
        mint = plan.mint
        if plan.store is not None:
            mint = replace(mint, storage=PutStore(plan.store, session, describe_files(database)))
        yield Minting(
            desk=Desk(
                db=database,
                nodes=nodes,
                ledger=Ledger(nodes),
                plan=mint,
                clock=context.clock,
                random_bytes=context.random_bytes,
                state=MintState(),
            )
        )


def describe_files(database: PublicDatabase) -> Describe:
    """Return how a token's files are made."""

    async def describe(token: UUID, picture: str) -> Files:
        metadata = await read_metadata(database, token, picture)
        drawn = await draw_picture(database, token)
        return Files(metadata=msgspec.json.encode(metadata), picture=drawn.encode())

    return describe


async def run_minting(minting: Minting, database: PgDatabase, context: Context, beat: Beat) -> None:
    """Mint until cancelled."""

    async def tell() -> None:
        await tell_minted(context, database)

    worker = MintWorker(minting.desk)
    comparer = asyncio.create_task(run_comparer(Comparer(minting.desk), minting.state))
    try:
        await run_mint_worker(lambda: open_mint_session(database), worker, minting.desk, tell, beat)
    finally:
        comparer.cancel()
        await asyncio.gather(comparer, return_exceptions=True)
