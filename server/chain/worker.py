"""The mint worker: one round after another, each of which could be the last before the power goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from server.chain.desk import Desk
from server.chain.fees import Fees
from server.chain.following import Finding, Follower
from server.chain.forest import Forest
from server.chain.planning import Ground, Planner
from server.chain.sealing import SpendCapReached
from server.chain.sending import Sender
from server.chain.setting_up import SetUp
from server.chain.storage import StorageAway
from server.services.ports_mint import Overtaken
from server.services.pulse import Beat, no_beat
from server.services.rows_mint import NonceRow, TreeRow, TxKind, TxRow, TxState
from shared.problems import TicketTokenError

MOST_DUE = 500
BUSY_S = 0.1
POLL_S = 1.0
_LOOK = timedelta(seconds=60)
"""How often a tree is looked at that we do not write ourselves."""
_RETRY_S = (0.2, 1.0, 5.0)
_WRITES = frozenset({TxKind.MINT, TxKind.TRANSFER, TxKind.UPDATE, TxKind.FREEZE, TxKind.THAW, TxKind.BURN})

log = structlog.get_logger()


class MintSession(Protocol):
    """One database session on which a worker leads; its leadership ends with the session."""

    async def lead(self) -> bool:
        """Try to become the one worker that signs, or stay it."""
        ...

    async def wait(self, timeout_s: float) -> None:
        """Return when something was queued, or after a while.

        Raises:
            Unavailable: the session is lost.
        """
        ...


Tell = Callable[[], Awaitable[None]]
OpenMintSession = Callable[[], AbstractAsyncContextManager[MintSession]]


class MintWorker:
    """Everything that is done about assets, in rounds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._forest = Forest(desk.db)
        self._planner = Planner(desk, self._forest, Fees(desk.ledger, desk.clock, desk.plan.most_price))
        self._sender = Sender(desk, self._planner)
        self._follower = Follower(desk, self._forest)
        self._set_up = SetUp(desk)
        self._looked: dict[str, datetime] = {}

    async def round(self) -> bool:
        """Do what can be done now; tell whether something is under way.

        Raises:
            ChainAway, NodeFailed, Unavailable: a part of it was not possible; the next round takes it up again.
        """
        async with self._desk.db.worker() as unit:
            txs, nonces = await unit.mints.open_txs(), await unit.mints.nonces()
        unknown = await self._sender.look(txs)
        await self._follow(txs)
        await self._sender.settle(unknown)
        planned = 0 if self._desk.is_halted() else await self._plan(nonces)
        async with self._desk.db.worker() as unit:
            now_open = await unit.mints.open_txs()
        known = {one.id for one in txs} - {one.id for one in unknown}
        await self._sender.send([one for one in now_open if one.id not in known])
        self._desk.state.in_flight = len(now_open)
        return bool(now_open) or planned > 0

    async def _plan(self, nonces: list[NonceRow]) -> int:
        """Sign what is due; see to nonces, collections and trees while anything is."""
        async with self._desk.db.worker() as unit:
            due = await unit.mints.due(self._desk.clock.now(), MOST_DUE)
            ground = Ground(
                trees={one.address: one for one in await unit.mints.trees()},
                collections={one.tenant: one for one in await unit.mints.collections()},
            )
        if not due:
            return 0
        try:
            await self._see_to_nonces(nonces)
            await self._set_up.prepare({one.tenant for one in due if one.action is TxKind.MINT}, ground)
        except (SpendCapReached, StorageAway) as problem:
            self._desk.halt(problem.code)
            return 0
        except Overtaken:
            return 0
        async with self._desk.db.worker() as unit:
            fresh = await unit.mints.nonces()
        return await self._planner.plan(due, fresh, ground)

    async def _see_to_nonces(self, nonces: list[NonceRow]) -> None:
        making = [one for one in nonces if one.state == "making"]
        for one in making:
            await self._sender.send_nonce(one)
        await self._set_up.read_nonces(nonces)
        for _ in range(self._desk.plan.nonces - len(nonces)):
            await self._set_up.make_nonce()

    async def _follow(self, txs: list[TxRow]) -> None:
        """Read trees that we wrote to, and now and then all of them."""
        busy = {one.tree for one in txs if one.tree is not None and not one.followed}
        owed = {one.tree for one in txs if one.state is TxState.CONFIRMED and one.kind in _WRITES and not one.followed}
        now = self._desk.clock.now()
        async with self._desk.db.worker() as unit:
            trees = [one for one in await unit.mints.trees() if one.state != "making"]
        for tree in trees:
            seen = self._looked.get(tree.address)
            rests = seen is not None and now - seen < _LOOK
            if tree.address in busy or not rests:
                after = await self._follower.follow(tree)
                if tree.address in owed and after.seq == tree.seq:
                    # It has landed, and the tree's history does not tell: a node left something out.
                    self._follower.miss(tree.address)
                if not rests:
                    await self.check(after)

    async def follow_up(self, tree: TreeRow) -> tuple[TreeRow, Finding]:
        """Follow a tree as far as the chain is, and compare the two.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        after = await self._follower.follow(tree)
        return after, await self.check(after)

    async def check(self, tree: TreeRow) -> Finding:
        """Compare a tree with the chain, and read it anew from its beginning if it is another.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        now = self._desk.clock.now()
        finding = await self._follower.compare(tree)
        if finding is Finding.DIFFERENT:
            # A node may lie about the account: what we know is thrown away only on a second one's word, where there is one.
            self._desk.nodes.turn()
            finding = await self._follower.compare(tree)
        self._looked[tree.address] = now
        if finding is Finding.BEHIND:
            self._follower.miss(tree.address)
        problem = None if finding is Finding.EQUAL else f"root_{finding}"
        async with self._desk.db.worker() as unit:
            await unit.mints.check_tree(tree.address, problem, now)
            if finding is Finding.DIFFERENT:
                log.error("follow.different", tree=tree.address, seq=tree.seq)
                await unit.mints.forget_tree(tree.address)
        if finding is Finding.DIFFERENT:
            self._forest.forget(tree.address)
        return finding


async def run_mint_worker(
    open_session: OpenMintSession, worker: MintWorker, desk: Desk, tell: Tell, beat: Beat = no_beat
) -> None:
    """Mint until cancelled; while the chain is away everything stays queued, and sales go on.

    ``tell`` is called after each round, for tickets that wait for their mint.
    """
    failures = 0
    while True:
        beat()
        try:
            async with open_session() as session:
                failures = 0
                await _lead(session, worker, desk, tell, beat)
        except TicketTokenError as problem:
            log.warning("mint.session_lost", code=problem.code)
        finally:
            desk.state.leading = False
        await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
        failures += 1


async def _lead(session: MintSession, worker: MintWorker, desk: Desk, tell: Tell, beat: Beat) -> None:
    failures = 0
    while True:
        beat()
        desk.state.leading = await session.lead()
        busy = False
        if desk.state.leading:
            try:
                busy = await worker.round()
                failures = 0
            except TicketTokenError as problem:
                # Of a node, or of a single answer: what was not done is looked at again.
                failures += 1
                log.info("mint.round_failed", code=problem.code, problem=str(problem))
            await tell()
        pause = BUSY_S if busy else POLL_S
        await session.wait(_RETRY_S[min(failures, len(_RETRY_S)) - 1] if failures else pause)
