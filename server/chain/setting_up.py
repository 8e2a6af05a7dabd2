"""What must be there before anything can be minted: nonce accounts, a collection and a tree for each organiser who wants assets.

Making them is signed under a recent block: who finds that it can land no more makes another. An account too many costs its rent
and does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import (
    CreateAccountParams,
    InitializeNonceAccountParams,
    create_account,
    initialize_nonce_account,
)

from server.chain import instructions, instructions_v1
from server.chain.accounts import AccountUnreadable, read_nonce
from server.chain.collection import Collection, Plugin, PluginWish, create_collection
from server.chain.composing import SIGNATURE_LAMPORTS, Composed
from server.chain.desk import Desk
from server.chain.planning import Ground, shorten
from server.chain.programs import MPL_COMPRESSION, SPL_COMPRESSION, SYSTEM
from server.chain.sealing import About, check_caps, seal
from server.chain.signing import MemorySigner, Signer
from server.chain.transactions import Budget, Draft, seal_recent
from server.services.rows_mint import CollectionRow, NonceRow, TreeRow, TxKind
from shared.ids import TenantId

NONCE_BYTES = 80
FULL_SHARE = 85
_COLLECTION_BYTES = 400
_NONCE_BUDGET, _TREE_BUDGET = Budget(units=20_000), Budget(units=400_000)

log = structlog.get_logger()


class SetUp:
    """Makes what is missing, one thing of a kind at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def read_nonces(self, nonces: Sequence[NonceRow]) -> None:
        """Read the value of nonces that are free and whose value is not known.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        await asyncio.gather(*(self._read_nonce(one) for one in nonces if one.tx_id is None and one.value is None))

    async def _read_nonce(self, row: NonceRow) -> None:
        account = await self._desk.ledger.account(Pubkey.from_string(row.address))
        if account is None or account.owner != SYSTEM:
            return
        try:
            value = read_nonce(account.data).value
        except AccountUnreadable:
            return
        # A node that lags still tells the value that was used up.
        if value != row.spent:
            async with self._desk.db.worker() as unit:
                await unit.mints.nonce_ready(row.address, value)

    async def make_nonce(self) -> None:
        """Sign and keep a new nonce account."""
        own = MemorySigner(Keypair.from_seed(self._desk.random_bytes(32)))
        payer, rent = self._desk.plan.keys.payer, await self._desk.ledger.rent(NONCE_BYTES)
        lamports = rent + 2 * SIGNATURE_LAMPORTS
        await check_caps(self._desk, lamports)
        calls = (
            self._account(own.address, payer.address, (rent, NONCE_BYTES), SYSTEM),
            initialize_nonce_account(InitializeNonceAccountParams(nonce_pubkey=own.address, authority=payer.address)),
        )
        draft = Draft(payer=payer.address, instructions=calls, budget=_NONCE_BUDGET)
        sealed = await seal_recent(draft, await self._desk.ledger.recent(), [payer, own])
        async with self._desk.db.worker() as unit:
            await unit.mints.add_nonce(
                NonceRow(
                    address=str(own.address),
                    state="making",
                    raw=sealed.raw,
                    signature=str(sealed.signature),
                    last_height=sealed.last_height or 0,
                    lamports=lamports,
                    created_at=self._desk.clock.now(),
                    value=None,
                    spent=None,
                    tx_id=None,
                )
            )

    async def prepare(self, tenants: set[TenantId], ground: Ground) -> None:
        """Make what tenants with something to mint lack, where the creator's key is at hand.

        Raises:
            ChainAway, NodeFailed: nobody tells what an account costs.
            SpendCapReached: it costs too much for now.
        """
        creator = self._desk.plan.creator
        for tenant in sorted(tenants):
            if creator is None:
                if not ground.is_ready(tenant, self._desk.plan.version):
                    self._desk.state.problem = "no_tree"
                continue
            if self._desk.plan.version == 2 and tenant not in ground.collections:
                await self.make_collection(tenant, creator)
            if needs_tree([one for one in ground.trees.values() if one.tenant == tenant]):
                await self.make_tree(tenant, creator)

    async def make_collection(self, tenant: TenantId, creator: Signer) -> str:
        """Sign and keep a tenant's collection; return its address."""
        own, keys = MemorySigner(Keypair.from_seed(self._desk.random_bytes(32))), self._desk.plan.keys
        async with self._desk.db.worker() as unit:
            name = shorten(await unit.mints.tenant_name(tenant))
        collection = Collection(
            address=own.address,
            name=name,
            uri=await self._desk.plan.storage.place(tenant),
            plugins=(
                PluginWish(plugin=Plugin.BUBBLEGUM),
                *(
                    PluginWish(plugin=one, authority=keys.operator.address)
                    for one in (Plugin.PERMANENT_TRANSFER, Plugin.PERMANENT_BURN, Plugin.PERMANENT_FREEZE)
                ),
                PluginWish(plugin=Plugin.UPDATE_DELEGATE, authority=keys.minter.address),
            ),
        )
        call = create_collection(collection, keys.payer.address, creator.address)
        composed = self._compose((call,), (keys.payer, own), await self._desk.ledger.rent(_COLLECTION_BYTES))
        about = About(tenant=tenant, kind=TxKind.COLLECTION, tree=None, version=2)
        new = await seal(self._desk, about, composed, await self._desk.ledger.recent())
        row = CollectionRow(tenant=tenant, address=str(own.address), name=name, uri=collection.uri, state="making")
        async with self._desk.db.worker() as unit:
            await unit.mints.add_collection(row)
            await unit.mints.begin(new, [], None)
        log.info("mint.collection", tenant=str(tenant), address=row.address)
        return row.address

    async def make_tree(self, tenant: TenantId, creator: Signer) -> str:
        """Sign and keep a new tree for a tenant; return its address."""
        plan = self._desk.plan
        own, payer, shape = MemorySigner(Keypair.from_seed(self._desk.random_bytes(32))), plan.keys.payer, plan.shape
        kind, program = (instructions_v1, SPL_COMPRESSION) if plan.version == 1 else (instructions, MPL_COMPRESSION)
        rent = await self._desk.ledger.rent(shape.account_bytes)
        signers = instructions.Signers(payer=payer.address, authority=creator.address)
        calls = (
            self._account(own.address, payer.address, (rent, shape.account_bytes), program),
            kind.create_tree(own.address, shape, signers),
            instructions.set_tree_delegate(own.address, creator.address, plan.keys.minter.address),
        )
        composed = self._compose(calls, (payer, own, creator), rent)
        about = About(tenant=tenant, kind=TxKind.TREE, tree=str(own.address), version=plan.version)
        new = await seal(self._desk, about, composed, await self._desk.ledger.recent())
        row = TreeRow(
            tenant=tenant,
            address=str(own.address),
            version=plan.version,
            depth=shape.depth,
            buffer=shape.buffer,
            canopy=shape.canopy,
            state="making",
            assigned=0,
            seq=0,
            last_signature=None,
            problem=None,
        )
        async with self._desk.db.worker() as unit:
            await unit.mints.add_tree(row, self._desk.clock.now())
            await unit.mints.begin(new, [], None)
        log.info("mint.tree", tenant=str(tenant), address=row.address, capacity=shape.capacity)
        return row.address

    def _account(self, own: Pubkey, payer: Pubkey, size: tuple[int, int], owner: Pubkey) -> Instruction:
        lamports, space = size
        wish = CreateAccountParams(from_pubkey=payer, to_pubkey=own, lamports=lamports, space=space, owner=owner)
        return create_account(wish)

    def _compose(self, calls: tuple[Instruction, ...], signers: tuple[Signer, ...], rent: int) -> Composed:
        draft = Draft(payer=self._desk.plan.keys.payer.address, instructions=calls, budget=_TREE_BUDGET)
        distinct = tuple({one.address: one for one in signers}.values())
        return Composed(draft=draft, signers=distinct, lamports=SIGNATURE_LAMPORTS * len(distinct) + rent)


def needs_tree(trees: Sequence[TreeRow]) -> bool:
    """Tell whether a tenant's next tree is to be made: there is none with room to spare, and none on its way."""
    spare = [one for one in trees if one.state == "open" and one.assigned * 100 < FULL_SHARE << one.depth]
    return not spare and not any(one.state == "making" for one in trees)
