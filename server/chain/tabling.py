"""Which trees have a lookup table, made beside the minting and used once it is certain what lies in it.

A table costs about as much as it saves in 4,000 mints, so only larger trees get one. Without it fewer mints go into a
transaction, and that is all: whatever is wrong with a table, minting goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from solders.address_lookup_table_account import ID as LOOKUP_TABLES
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.pubkey import Pubkey

from server.chain.accounts import AccountUnreadable
from server.chain.composing import SIGNATURE_LAMPORTS, Composed
from server.chain.desk import Desk
from server.chain.problems import ChainAway, NodeFailed
from server.chain.sealing import About, SpendCapReached, seal
from server.chain.tables import TableWish, make_table, read_table, shared_accounts, table_bytes
from server.chain.transactions import Budget, Draft
from server.services.ports_mint import Overtaken
from server.services.rows_mint import TableRow, TreeRow, TxKind

WORTH_IT = 8_192
"""Places that a tree must have for a table to be made."""

_BUDGET = Budget(units=30_000)

log = structlog.get_logger()


class Tables:
    """The tables of all trees."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: dict[str, TableRow] = {}
        self._sure: dict[str, AddressLookupTableAccount] = {}
        self._bad: set[str] = set()

    async def prepare(self, trees: Sequence[TreeRow], collections: dict[str, str | None]) -> None:
        """Make what large trees lack; ``collections`` by the tree's address."""
        async with self._desk.db.worker() as unit:
            self._rows = {one.tree: one for one in await unit.mints.tables()}
        for tree in trees:
            if tree.state != "open" or 1 << tree.depth < WORTH_IT or tree.address in self._rows:
                continue
            try:
                await self._make(tree, collections.get(tree.address))
            except (ChainAway, NodeFailed, SpendCapReached, Overtaken) as problem:
                log.info("mint.no_table", tree=tree.address, code=problem.code)

    async def of(self, tree: TreeRow, collection: str | None) -> AddressLookupTableAccount | None:
        """Return a tree's table if there is one that can be used."""
        row = self._rows.get(tree.address)
        if row is None or row.state != "open" or row.address in self._bad:
            return None
        if row.address not in self._sure:
            found = await self._read(row, _shared(tree, collection))
            if found is None:
                return None
            self._sure[row.address] = found
        return self._sure[row.address]

    async def _make(self, tree: TreeRow, collection: str | None) -> None:
        payer, ledger = self._desk.plan.keys.payer, self._desk.ledger
        addresses = _shared(tree, collection)
        wish = TableWish(owner=payer.address, slot=await ledger.slot(), addresses=addresses)
        rent = await ledger.rent(table_bytes(len(addresses)))
        draft = Draft(payer=payer.address, instructions=make_table(wish), budget=_BUDGET)
        composed = Composed(draft=draft, signers=(payer,), lamports=rent + SIGNATURE_LAMPORTS)
        about = About(tenant=tree.tenant, kind=TxKind.TABLE, tree=tree.address, version=tree.version)
        new = await seal(self._desk, about, composed, await ledger.recent())
        row = TableRow(tenant=tree.tenant, tree=tree.address, address=str(wish.address), state="making")
        async with self._desk.db.worker() as unit:
            await unit.mints.add_table(row)
            await unit.mints.begin(new, [], None)
        self._rows[tree.address] = row
        log.info("mint.table", tree=tree.address, address=row.address)

    async def _read(self, row: TableRow, wanted: tuple[Pubkey, ...]) -> AddressLookupTableAccount | None:
        """Return a table as the chain has it, if it is what we made."""
        address = Pubkey.from_string(row.address)
        try:
            account = await self._desk.ledger.account(address, finalized=True)
        except (ChainAway, NodeFailed):
            return None
        try:
            found = None if account is None else read_table(address, account.data)
        except AccountUnreadable:
            found = None
        if account is None or found is None or account.owner != LOOKUP_TABLES or tuple(found.addresses) != wanted:
            self._bad.add(row.address)
            log.error("mint.table_unusable", tree=row.tree, address=row.address)
            return None
        return found


def _shared(tree: TreeRow, collection: str | None) -> tuple[Pubkey, ...]:
    named = None if collection is None else Pubkey.from_string(collection)
    return shared_accounts(Pubkey.from_string(tree.address), tree.version, named)
