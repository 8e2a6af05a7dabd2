"""The book compared with the chain, and with what an indexer of somebody else's says: a report for whoever has to decide."""

from __future__ import annotations

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.accounts import read_tree_config
from server.chain.desk import Desk
from server.chain.following import Finding
from server.chain.indexer import MOST_SHOWN, SecondOpinion, ask_indexer
from server.chain.programs import find_tree_config
from server.chain.worker import MintWorker
from server.services.rows_mint import Orphan, TreeRow


class TreeReport(Struct, frozen=True, kw_only=True):
    """One tree: what the chain counts, what we know, and whether both come to the same root."""

    tree: str
    minted_on_chain: int | None
    leaves_known: int
    assigned: int
    seq: int
    finding: Finding

    @property
    def is_sound(self) -> bool:
        """Tell whether both agree."""
        return self.finding is Finding.EQUAL and self.minted_on_chain in (None, self.leaves_known)


class Reconciliation(Struct, frozen=True, kw_only=True):
    """The whole comparison. ``leafless`` assets are said to be on chain and are in no tree."""

    trees: list[TreeReport]
    states: dict[str, int]
    elsewhere: int
    leafless: int
    orphans: list[Orphan]
    opinion: SecondOpinion

    @property
    def faults(self) -> int:
        """Return how many things need a person."""
        trees = sum(not one.is_sound for one in self.trees)
        return trees + self.leafless + len(self.orphans) + len(self.opinion.differences)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing needs a person."""
        return self.faults == 0


async def reconcile(desk: Desk, worker: MintWorker) -> Reconciliation:
    """Follow all trees to their ends and compare.

    Raises:
        ChainAway, NodeFailed: nobody tells.
    """
    async with desk.db.worker() as unit:
        trees = [one for one in await unit.mints.trees() if one.state != "making"]
    reports = [await _report(desk, worker, one) for one in trees]
    async with desk.db.worker() as unit:
        states, orphans = await unit.mints.states(), await unit.mints.orphans(MOST_SHOWN)
        leafless = await unit.mints.leafless()
    return Reconciliation(
        trees=reports,
        states={one.state.value: one.count for one in states},
        elsewhere=sum(one.elsewhere for one in states),
        leafless=leafless,
        orphans=orphans,
        opinion=await ask_indexer(desk),
    )


async def _report(desk: Desk, worker: MintWorker, tree: TreeRow) -> TreeReport:
    after, finding = await worker.follow_up(tree)
    account = await desk.ledger.account(find_tree_config(Pubkey.from_string(tree.address)))
    minted = None if account is None else read_tree_config(account.data).minted
    async with desk.db.worker() as unit:
        leaves = await unit.mints.count_leaves(tree.address)
    return TreeReport(
        tree=tree.address,
        minted_on_chain=minted,
        leaves_known=leaves,
        assigned=after.assigned,
        seq=after.seq,
        finding=finding,
    )
