"""The book compared with the chain, and with what an indexer of somebody else's says: a report for whoever has to decide."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct
from solders.pubkey import Pubkey

from server.chain.accounts import read_tree_config
from server.chain.desk import Desk
from server.chain.following import Finding
from server.chain.hashes import FROZEN_BY_COLLECTION
from server.chain.problems import ChainAway, NodeFailed, Trouble
from server.chain.programs import find_tree_config
from server.chain.worker import MintWorker
from server.services.rows_mint import KnownAsset, Orphan, TreeRow
from shared.problems import DataDamaged

MOST_SHOWN = 100
_AT_ONCE = 500


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


class Difference(Struct, frozen=True, kw_only=True):
    """What an indexer says otherwise of an asset than we do."""

    asset: str
    field: str
    ours: str
    theirs: str


class SecondOpinion(Struct, frozen=True, kw_only=True):
    """What an indexer (DAS) says; ``asked`` 0: the nodes offer none. One that lags differs for a while."""

    asked: int
    missing: int
    differences: list[Difference]


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


class _Compression(Struct, frozen=True):
    tree: str = ""
    leaf_id: int = -1


class _Ownership(Struct, frozen=True):
    owner: str = ""
    frozen: bool = False


class _Told(Struct, frozen=True):
    id: str
    compression: _Compression = _Compression()
    ownership: _Ownership = _Ownership()
    burnt: bool = False


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


async def ask_indexer(desk: Desk) -> SecondOpinion:
    """Compare assets at rest with what the nodes' own indexer says, where they have one (DAS, `getAssets`)."""
    asked, missing, after = 0, 0, ""
    differences: list[Difference] = []
    while True:
        async with desk.db.worker() as unit:
            known = await unit.mints.known(after, _AT_ONCE)
        if not known:
            break
        told = await _ask(desk, known)
        if told is None:
            break
        asked, after = asked + len(known), known[-1].asset
        by_id = {one.id: one for one in told if one is not None}
        missing += len([one for one in known if one.asset not in by_id])
        differences += [each for one in known if one.asset in by_id for each in _compare(one, by_id[one.asset])]
    return SecondOpinion(asked=asked, missing=missing, differences=differences[:MOST_SHOWN])


async def _ask(desk: Desk, known: list[KnownAsset]) -> list[_Told | None] | None:
    """Return what the indexer says; None where there is none, or none that answers."""
    params: dict[str, Any] = {"ids": [one.asset for one in known]}
    try:
        raw = await desk.nodes.read("getAssets", params, Raw)
        return msgspec.json.decode(bytes(raw), type=list[_Told | None])
    except ChainAway:
        return None
    except NodeFailed as problem:
        if problem.trouble is Trouble.OTHER:
            return None
        raise
    except msgspec.MsgspecError as exc:
        raise DataDamaged("The indexer's answer has another form.") from exc


def _compare(ours: KnownAsset, theirs: _Told) -> list[Difference]:
    frozen = bool(ours.flags & FROZEN_BY_COLLECTION)
    pairs = {
        "owner": (ours.owner, theirs.ownership.owner),
        "tree": (ours.tree, theirs.compression.tree),
        "leaf": (str(ours.leaf_index), str(theirs.compression.leaf_id)),
        "frozen": (str(frozen), str(theirs.ownership.frozen)),
        "burned": ("False", str(theirs.burnt)),
    }
    return [
        Difference(asset=ours.asset, field=field, ours=one, theirs=other)
        for field, (one, other) in pairs.items()
        if one != other
    ]
