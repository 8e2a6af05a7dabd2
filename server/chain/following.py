"""The follower: reads what was written into our trees, by us or by others, in order and without a gap."""

from __future__ import annotations

import asyncio
from enum import StrEnum

import structlog
from msgspec import Struct
from msgspec.structs import replace
from solders.pubkey import Pubkey
from solders.signature import Signature

from server.chain.accounts import read_tree
from server.chain.desk import Desk
from server.chain.executed import Executed, Write, fetch_executed
from server.chain.forest import Forest
from server.chain.hashes import NO_LEAF
from server.chain.ledger import Landed
from server.chain.merkle import Mirror
from server.chain.problems import ChainAway, NodeFailed
from server.services.rows_mint import Followed, LeafRow, TreeRow
from shared.problems import Unavailable

AT_ONCE = 8
_PAGE = 1000
_BATCH = 100
_PATIENCE = 20

log = structlog.get_logger()


class Finding(StrEnum):
    """What comparing a tree with the chain showed."""

    EQUAL = "equal"
    BEHIND = "behind"
    """There are writes that we have not followed yet."""
    DIFFERENT = "different"


class _Step(Struct, frozen=True, kw_only=True):
    signature: str
    write: Write


class _Told(Struct, frozen=True, kw_only=True):
    """What nodes told of a run of transactions; ``cut_short``: not of all of them, because of ``problem`` if there is one."""

    executed: list[Executed]
    cut_short: bool = False
    problem: Unavailable | None = None


class Follower:
    """Follows trees; whatever cannot be told in order is not believed, and asked for again later."""

    def __init__(self, desk: Desk, forest: Forest) -> None:
        self._desk = desk
        self._forest = forest
        self._stuck: dict[str, int] = {}

    async def follow(self, tree: TreeRow) -> TreeRow:
        """Read what is new of a tree and keep it; return the tree as it is then.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        landed = await self._history(tree)
        for start in range(0, len(landed), _BATCH):
            told = await self._fetch(landed[start : start + _BATCH])
            seq = tree.seq
            tree, whole = await self._take(tree, told)
            if not whole:
                self._stuck[tree.address] = 0 if tree.seq > seq else self._stuck.get(tree.address, 0) + 1
            if told.problem is not None:
                raise told.problem
            if not whole or told.cut_short:
                break
        return tree

    async def compare(self, tree: TreeRow) -> Finding:
        """Compare our root with the one on chain.

        Raises:
            ChainAway, NodeFailed: nobody tells.
            AccountUnreadable: what is told is no tree.
        """
        account = await self._desk.ledger.account(Pubkey.from_string(tree.address))
        mirror = await self._forest.mirror(tree)
        if account is None:
            return Finding.BEHIND if tree.seq == 0 else Finding.DIFFERENT
        state = read_tree(account.data)
        if state.seq != tree.seq:
            return Finding.BEHIND if state.seq > tree.seq else Finding.DIFFERENT
        return Finding.EQUAL if state.root == mirror.root else Finding.DIFFERENT

    async def _history(self, tree: TreeRow) -> list[Landed]:
        """Return what touched a tree since we looked, oldest first."""
        address = Pubkey.from_string(tree.address)
        # What a node forgot to tell in its place is found from the beginning, once it is clear that something is missing.
        lost = self._stuck.get(tree.address, 0) >= _PATIENCE
        if lost:
            self._stuck[tree.address] = 0
            # Whoever left it out, or told it wrongly, is asked last from now on.
            self._desk.nodes.turn()
            log.warning("follow.from_the_beginning", tree=tree.address, seq=tree.seq)
        until = None if tree.last_signature is None or lost else Signature.from_string(tree.last_signature)
        found: list[Landed] = []
        while True:
            page = await self._desk.ledger.history(address, until, found[-1].signature if found else None)
            found += page
            if len(page) < _PAGE:
                return found[::-1]

    async def _fetch(self, landed: list[Landed]) -> _Told:
        """Return what transactions did, in order, up to the first that nobody tells yet."""
        room = asyncio.Semaphore(AT_ONCE)

        async def one(each: Landed) -> Executed | Unavailable | None:
            if each.failed:
                return Executed(signature=each.signature, slot=each.slot, failed=True, writes=())
            async with room:
                try:
                    return await fetch_executed(self._desk.nodes, each.signature)
                except (ChainAway, NodeFailed) as problem:
                    return problem

        told = await asyncio.gather(*(one(each) for each in landed))
        executed: list[Executed] = []
        for each in told:
            if not isinstance(each, Executed):
                return _Told(executed=executed, cut_short=True, problem=each)
            executed.append(each)
        return _Told(executed=executed)

    def miss(self, tree: str) -> None:
        """Note that the chain has writes of a tree that its history does not show."""
        self._stuck[tree] = self._stuck.get(tree, 0) + 1

    async def _take(self, tree: TreeRow, told: _Told) -> tuple[TreeRow, bool]:
        """Apply what transactions did; tell whether nothing was left over, so that the next look may begin after them."""
        address = Pubkey.from_string(tree.address)
        steps = [
            _Step(signature=str(one.signature), write=write)
            for one in told.executed
            for write in one.writes
            if write.change.tree == address and write.change.seq > tree.seq
        ]
        # Within one slot a node's history need not be in the order of execution: the tree's own numbers are.
        steps.sort(key=lambda step: step.write.change.seq)
        mirror, rows, seq = await self._forest.mirror(tree), list[LeafRow](), tree.seq
        for step in steps:
            row = await self._apply(tree, mirror, rows, step)
            if row is None:
                break
            rows.append(row)
            seq = row.seq
        whole = len(rows) == len(steps)
        # What was listed and not told must be listed again: the next look begins before it.
        last = str(told.executed[-1].signature) if whole and told.executed else tree.last_signature
        tree_after = replace(tree, seq=seq, last_signature=last)
        await self._keep(tree_after, rows)
        self._forest.advance(tree.address, seq, mirror)
        return tree_after, whole

    async def _apply(self, tree: TreeRow, mirror: Mirror, rows: list[LeafRow], step: _Step) -> LeafRow | None:
        """Write one step into the mirror; None if it is not the next, or does not lead to the root it names."""
        change, seq = step.write.change, rows[-1].seq if rows else tree.seq
        if change.seq != seq + 1 or len(change.path) != tree.depth + 1:
            log.info("follow.gap", tree=tree.address, expected=seq + 1, found=change.seq)
            return None
        before = mirror.leaf(change.index)
        mirror.write(change.index, change.leaf)
        row = await self._row(tree, rows, step)
        if mirror.root == change.root and row is not None:
            return row
        mirror.write(change.index, before)
        log.warning("follow.untrue", tree=tree.address, seq=change.seq)
        return None

    async def _row(self, tree: TreeRow, rows: list[LeafRow], step: _Step) -> LeafRow | None:
        change, told = step.write.change, step.write.leaf
        if told is None:
            before = await self._before(tree, rows, change.index) if change.leaf == NO_LEAF else None
            gone = {"hash": NO_LEAF, "seq": change.seq, "signature": step.signature}
            return None if before is None else replace(before, **gone)
        leaf = told.leaf
        if leaf.hash() != told.hash or leaf.nonce != change.index:
            return None
        return LeafRow(
            index=change.index,
            asset=str(leaf.id),
            owner=str(leaf.owner),
            delegate=str(leaf.delegate),
            data_hash=leaf.data_hash,
            creator_hash=leaf.creator_hash,
            collection_hash=leaf.collection_hash,
            flags=leaf.flags,
            hash=told.hash,
            seq=change.seq,
            signature=step.signature,
        )

    async def _before(self, tree: TreeRow, rows: list[LeafRow], index: int) -> LeafRow | None:
        """Return a leaf as it was before this step."""
        fresh = next((one for one in reversed(rows) if one.index == index), None)
        if fresh is not None:
            return fresh
        async with self._desk.db.worker() as unit:
            return await unit.mints.leaf(tree.address, index)

    async def _keep(self, tree: TreeRow, rows: list[LeafRow]) -> None:
        """Keep rows in runs in which no leaf comes twice, so that each change is judged by itself."""
        async with self._desk.db.worker() as unit:
            for run in _runs(rows) or [[]]:
                found = Followed(
                    tenant=tree.tenant,
                    tree=tree.address,
                    leaves=run,
                    seq=run[-1].seq if run else tree.seq,
                    last_signature=tree.last_signature,
                    at=self._desk.clock.now(),
                )
                await unit.mints.follow(found)


def _runs(rows: list[LeafRow]) -> list[list[LeafRow]]:
    runs: list[list[LeafRow]] = []
    seen: set[int] = set()
    for row in rows:
        if not runs or row.index in seen:
            runs.append([])
            seen = set()
        runs[-1].append(row)
        seen.add(row.index)
    return runs
