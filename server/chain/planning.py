"""What is to be done next, signed and written down before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from msgspec import Struct
from msgspec.structs import replace
from solders.pubkey import Pubkey

from server.chain.composing import (
    SYMBOL,
    Change,
    Composed,
    Renaming,
    Target,
    Wanted,
    compose_change,
    compose_mints,
    compose_nothing,
    data_hash,
)
from server.chain.desk import Desk
from server.chain.fees import Fees
from server.chain.forest import Forest
from server.chain.metadata import NAME_BYTES, Metadata, MetadataChange
from server.chain.programs import find_tree_config
from server.chain.sealing import About, SpendCapReached, read_durable, seal
from server.chain.signing import MemorySigner
from server.chain.storage import StorageAway
from server.chain.tabling import Tables
from server.chain.transactions import DurableNonce
from server.chain.units import Alike, Units
from server.domain.nft import AssetState
from server.services.ports_mint import Overtaken
from server.services.rows_mint import CollectionRow, DueAsset, LeafRow, NonceRow, PlannedAsset, TreeRow, TxKind, TxRow
from shared.ids import TenantId, TicketId

_MOST_MINTS = 12

log = structlog.get_logger()

_UNDER_WAY = {
    TxKind.MINT: AssetState.ASSIGNED,
    TxKind.TRANSFER: AssetState.TRANSFERRING,
    TxKind.UPDATE: AssetState.UPDATING,
    TxKind.FREEZE: AssetState.FREEZING,
    TxKind.THAW: AssetState.TRANSFERRING,
    TxKind.BURN: AssetState.BURNING,
}


_CANCELLING = 2
"""Raises of the price for using up a nonce: whatever held up the first transaction is not to hold up this one."""

_TOLD = frozenset({TxKind.FREEZE, TxKind.THAW, TxKind.UPDATE})
"""After these the metadata says something else; wherever it was put, it is put again."""


class Ground(Struct, kw_only=True):
    """Where assets may go: all trees by address, all collections by tenant."""

    trees: dict[str, TreeRow]
    collections: dict[TenantId, CollectionRow]

    def tree_for(self, tenant: TenantId) -> TreeRow | None:
        """Return an open tree of a tenant that has room."""
        mine = (one for one in self.trees.values() if one.tenant == tenant and one.state == "open" and one.room > 0)
        return next(mine, None)

    def collection_of(self, tree: TreeRow) -> str | None:
        """Return what a tree's assets belong to; version 1 knows nothing of the kind."""
        found = self.collections.get(tree.tenant)
        return None if found is None or tree.version == 1 else found.address

    def is_ready(self, tenant: TenantId, version: int) -> bool:
        """Tell whether a tenant's mints have somewhere to go."""
        found = self.collections.get(tenant)
        return self.tree_for(tenant) is not None and (version == 1 or (found is not None and found.state == "open"))


class _What(Struct, frozen=True):
    """What a transaction does where; an update gives ``new_name``."""

    tree: TreeRow
    kind: TxKind
    new_name: str | None = None


class Planner:
    """Signs as many transactions as there are free nonces."""

    def __init__(self, desk: Desk, forest: Forest, fees: Fees) -> None:
        self._desk = desk
        self._forest = forest
        self._fees = fees
        self._units = Units(desk)
        self._tables = Tables(desk)

    async def plan(self, due: Sequence[DueAsset], nonces: Sequence[NonceRow], ground: Ground) -> int:
        """Sign and keep transactions for what is due; return how many."""
        waiting, signed = list(due), 0
        tenants = {one.tenant for one in due if one.action is TxKind.MINT}
        trees = [
            one for one in ground.trees.values() if one.tenant in tenants and ground.is_ready(one.tenant, one.version)
        ]
        await self._tables.prepare(trees, {one.address: ground.collection_of(one) for one in trees})
        try:
            for nonce in nonces:
                if nonce.state != "ready" or nonce.tx_id is not None or nonce.value is None:
                    continue
                taken = await self._one(waiting, self._durable(nonce.address, nonce.value), ground)
                if not taken:
                    break
                signed += 1
                waiting = [one for one in waiting if one.ticket not in taken]
        except (SpendCapReached, StorageAway) as problem:
            self._desk.halt(problem.code)
        except Overtaken:
            log.info("mint.overtaken")
        return signed

    async def cancel(self, doubted: TxRow) -> None:
        """Sign the use of a doubted transaction's nonce for nothing, so that one of the two lands and the other cannot."""
        if doubted.nonce is None or doubted.nonce_value is None:
            return
        composed = compose_nothing(self._desk.plan.keys, await self._fees.price([doubted.nonce], _CANCELLING))
        about = About(tenant=doubted.tenant, kind=TxKind.CANCEL, tree=doubted.tree, version=self._desk.plan.version)
        new = await seal(self._desk, about, composed, self._durable(doubted.nonce, doubted.nonce_value))
        try:
            async with self._desk.db.worker() as unit:
                await unit.mints.begin(new, [], None)
        except Overtaken:
            log.info("mint.overtaken")
            return
        log.info("mint.cancelling", signature=doubted.signature, problem=doubted.problem)

    def _durable(self, address: str, value: bytes) -> DurableNonce:
        return read_durable(address, value, self._desk.plan.keys.payer.address)

    async def _one(self, waiting: list[DueAsset], nonce: DurableNonce, ground: Ground) -> set[TicketId]:
        """Sign one transaction and return which tickets it is about; none if nothing that waits can be done now."""
        for due in waiting:
            if due.action is not TxKind.MINT:
                if await self._change(due, nonce, ground):
                    return {due.ticket}
            elif ground.is_ready(due.tenant, self._desk.plan.version):
                same = [one for one in waiting if one.tenant == due.tenant and one.action is TxKind.MINT]
                return await self._mint(same, nonce, ground)
        return set()

    async def _mint(self, due: list[DueAsset], nonce: DurableNonce, ground: Ground) -> set[TicketId]:
        tree = ground.tree_for(due[0].tenant)
        if tree is None:
            return set()
        due = due[: min(_MOST_MINTS, tree.room)]
        collection = ground.collection_of(tree)
        described = [self._describe(one, collection) for one in due]
        address = self._desk.plan.wallets.address
        wanted = [
            Wanted(owner=address(one.tenant, one.wish_owner), metadata=metadata)
            for one, metadata in zip(due, described, strict=True)
        ]
        price = await self._fees.price(_written(tree, collection), max(one.tries for one in due))
        table = await self._tables.of(tree, collection)
        target = Target(tree=Pubkey.from_string(tree.address), version=tree.version, table=table)
        composed = compose_mints(self._desk.plan.keys, target, wanted, price)
        count = len(composed.draft.instructions)
        composed = await self._units.settle(composed, _alike(tree, TxKind.MINT, composed))
        for one in due[:count]:
            await self._desk.plan.storage.place(one.token)
        planned = [
            _plan(one, metadata, data_hash(metadata, tree.version))
            for one, metadata in zip(due[:count], described[:count], strict=True)
        ]
        await self._keep(composed, nonce, _What(tree, TxKind.MINT), planned)
        ground.trees[tree.address] = replace(tree, assigned=tree.assigned + count)
        return {one.ticket for one in planned}

    def _describe(self, due: DueAsset, collection: str | None) -> Metadata:
        """Return what is minted; a second try says what the first did, so that both are known by one hash."""
        return Metadata(
            name=due.name or shorten(due.event_name),
            symbol=SYMBOL,
            uri=due.uri or self._desk.plan.storage.address(due.token),
            collection=None if collection is None else Pubkey.from_string(collection),
        )

    async def _change(self, due: DueAsset, nonce: DurableNonce, ground: Ground) -> bool:
        tree, plan = ground.trees.get(due.tree or ""), self._desk.plan
        if tree is None or due.leaf_index is None or due.name is None or due.uri is None:
            return False
        async with self._desk.db.worker() as unit:
            leaf = await unit.mints.leaf(tree.address, due.leaf_index)
        if leaf is None:
            return False
        collection = ground.collection_of(tree)
        renaming = await self._rename(due, tree, leaf, collection) if due.action is TxKind.UPDATE else None
        if due.action is TxKind.UPDATE and renaming is None:
            return False
        moves = due.action is TxKind.TRANSFER
        change = Change(
            kind=due.action,
            place=await self._forest.place(tree, leaf, collection),
            holder=MemorySigner(plan.wallets.keypair(due.tenant, due.held_by)),
            new_owner=plan.wallets.address(due.tenant, due.wish_owner) if moves else None,
            renaming=renaming,
        )
        if due.action in _TOLD:
            await plan.storage.place(due.token)
        price = await self._fees.price(_written(tree, None), due.tries)
        composed = compose_change(plan.keys, change, price)
        composed = await self._units.settle(composed, _alike(tree, due.action, composed))
        planned = PlannedAsset(
            ticket=due.ticket,
            held_by=due.wish_owner if moves else due.held_by,
            name=due.name,
            uri=due.uri,
            data_hash=leaf.data_hash,
        )
        what = _What(tree, due.action, None if renaming is None else due.wish_name)
        await self._keep(composed, nonce, what, [planned])
        return True

    async def _rename(self, due: DueAsset, tree: TreeRow, leaf: LeafRow, collection: str | None) -> Renaming | None:
        """Return what an asset says and is to say; None, and it is set aside, where it says what we did not write."""
        current = self._describe(due, collection)
        if data_hash(current, tree.version) == leaf.data_hash:
            return Renaming(current=current, change=MetadataChange(name=due.wish_name))
        async with self._desk.db.worker() as unit:
            await unit.mints.give_up(due.ticket, "metadata_not_ours")
        log.warning("mint.metadata_not_ours", asset=leaf.asset)
        return None

    async def _keep(self, composed: Composed, nonce: DurableNonce, what: _What, planned: list[PlannedAsset]) -> None:
        tree, kind = what.tree, what.kind
        about = About(
            tenant=tree.tenant,
            kind=kind,
            tree=tree.address,
            version=tree.version,
            tickets=[one.ticket for one in planned],
            new_name=what.new_name,
        )
        new = await seal(self._desk, about, composed, nonce)
        async with self._desk.db.worker() as unit:
            await unit.mints.begin(new, planned, _UNDER_WAY[kind])
        log.info("mint.signed", kind=kind, assets=len(planned), signature=new.signature)


def _written(tree: TreeRow, collection: str | None) -> list[str]:
    """Return the accounts that others may be writing as well; all mints of a collection write it."""
    config = str(find_tree_config(Pubkey.from_string(tree.address)))
    return [tree.address, config, *([] if collection is None else [collection])]


def _alike(tree: TreeRow, kind: TxKind, composed: Composed) -> Alike:
    draft = composed.draft
    return Alike(kind, tree.version, tree.depth, len(draft.instructions), bool(draft.tables))


def shorten(name: str) -> str:
    """Return as much of a name as an asset's may have, cut between letters."""
    return name.encode()[:NAME_BYTES].decode(errors="ignore").strip() or "Ticket"


def _plan(due: DueAsset, metadata: Metadata, told: bytes) -> PlannedAsset:
    return PlannedAsset(ticket=due.ticket, held_by=due.wish_owner, name=metadata.name, uri=metadata.uri, data_hash=told)
