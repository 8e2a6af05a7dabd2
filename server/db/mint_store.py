"""What the mint worker writes down, in PostgreSQL: transactions, nonces and assets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from server.db.driver import Connection, read_row
from server.db.reconcile_store import ReconcileStore
from server.db.statements import load_statements
from server.db.tree_store import TreeStore
from server.domain.nft import AssetState
from server.services.ports_mint import Overtaken
from server.services.rows_mint import (
    DeadAsset,
    DueAsset,
    NewTx,
    NonceRow,
    PlannedAsset,
    TxKind,
    TxRow,
    UntoldTicket,
)
from shared.ids import EventId, TenantId, TicketId

_SQL = load_statements("mint.sql")


class MintStore(TreeStore, ReconcileStore):
    """Implements ``server.services.ports_mint.MintBook``."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)

    async def due(self, now: datetime, limit: int) -> list[DueAsset]:
        """Return assets that something is to be done about."""
        return [read_row(row, DueAsset) for row in await self._connection.fetch(_SQL["due"], now, limit)]

    async def begin(self, tx: NewTx, planned: Sequence[PlannedAsset], state: AssetState | None) -> int:
        """Keep a transaction and bind what it is about."""
        number: int | None = await self._connection.fetchval(
            _SQL["add_tx"],
            tx.tenant,
            tx.kind,
            tx.tree,
            tx.tickets,
            tx.raw,
            tx.signature,
            tx.nonce,
            tx.nonce_value,
            tx.last_height,
            tx.lamports,
            tx.created_at,
            tx.new_name,
        )
        if number is None:
            raise Overtaken("Another worker signed the very same: it is kept once.")
        if tx.nonce is not None and tx.kind is not TxKind.CANCEL:
            await self._expect(1, "take_nonce", tx.nonce, number, tx.nonce_value)
        if tx.kind is TxKind.MINT:
            await self._expect(1, "count_mints", tx.tenant, tx.tree, len(planned))
        if planned:
            await self._bind(tx, number, planned, state)
        return number

    async def _bind(self, tx: NewTx, number: int, planned: Sequence[PlannedAsset], state: AssetState | None) -> None:
        await self._expect(
            len(planned),
            "bind_assets",
            tx.tenant,
            number,
            state,
            tx.tree,
            tx.version,
            tx.network,
            [one.ticket for one in planned],
            [one.held_by for one in planned],
            [one.name for one in planned],
            [one.uri for one in planned],
            [one.data_hash for one in planned],
            tx.kind,
        )

    async def open_txs(self) -> list[TxRow]:
        """Return transactions that are not over."""
        return [read_row(row, TxRow) for row in await self._connection.fetch(_SQL["open_txs"])]

    async def sent(self, tried: Collection[int], given: Collection[int], now: datetime) -> None:
        """Note that transactions were tried to be sent, and which of them a node took."""
        await self._connection.execute(_SQL["sent"], list(tried), list(given), now)
        await self._connection.execute(_SQL["assets_sent"], list(given))

    async def confirmed(self, tx: int, slot: int) -> None:
        """Note that a transaction has landed and succeeded."""
        await self._connection.execute(_SQL["confirmed"], tx, slot)
        await self._connection.execute(_SQL["free_nonce"], tx)

    async def doubt(self, tx: int, remedy: str | None, problem: str) -> None:
        """Note that a transaction was refused or failed."""
        await self._connection.execute(_SQL["doubt"], tx, remedy, problem)

    async def finalized(self, tx: TxRow, now: datetime, burn_after: datetime) -> None:
        """Note that a transaction can never be taken back."""
        if await self._changed("finalized", tx.id, now) == 0:
            return
        await self._connection.execute(_SQL["free_nonce"], tx.id)
        await self._connection.execute(_SQL["assets_finalized"], tx.id, burn_after)
        if tx.kind is TxKind.TREE:
            await self._connection.execute(_SQL["open_tree"], tx.tenant, tx.tree)
        if tx.kind is TxKind.COLLECTION:
            await self._connection.execute(_SQL["open_collection"], tx.tenant)
        if tx.kind is TxKind.TABLE:
            await self._connection.execute(_SQL["open_table"], tx.tenant, tx.tree)

    async def over(self, tx: TxRow, *, failed: bool, at: datetime, retry_at: datetime, most_tries: int) -> None:
        """Note that a transaction did nothing and never will."""
        if await self._changed("over", tx.id, failed, at) == 0:
            return
        await self._connection.execute(_SQL["free_nonce"], tx.id)
        await self._connection.execute(_SQL["assets_over"], tx.id, retry_at, most_tries, tx.problem)
        if tx.kind is TxKind.MINT:
            await self._connection.execute(_SQL["uncount_mints"], tx.tree, len(tx.tickets))
        if tx.kind is TxKind.TREE:
            await self._connection.execute(_SQL["drop_tree"], tx.tenant, tx.tree)
        if tx.kind is TxKind.COLLECTION:
            await self._connection.execute(_SQL["drop_collection"], tx.tenant)
        if tx.kind is TxKind.TABLE:
            await self._connection.execute(_SQL["drop_table"], tx.tenant, tx.tree)

    async def spent_since(self, moment: datetime) -> int:
        """Return the lamports of all transactions signed since then, but for those that never landed."""
        return int(await self._connection.fetchval(_SQL["spent_since"], moment))

    async def untold(self, limit: int) -> list[UntoldTicket]:
        """Return tickets that waited for their mint and have it."""
        return [read_row(row, UntoldTicket) for row in await self._connection.fetch(_SQL["untold"], limit)]

    async def told(self, tickets: Sequence[UntoldTicket]) -> None:
        """Note that tickets were told of their mint."""
        await self._connection.execute(_SQL["told"], [one.tenant for one in tickets], [one.ticket for one in tickets])

    async def nonces(self) -> list[NonceRow]:
        """Return all durable nonces."""
        return [read_row(row, NonceRow) for row in await self._connection.fetch(_SQL["nonces"])]

    async def add_nonce(self, nonce: NonceRow) -> None:
        """Keep a nonce account that is about to be made."""
        await self._connection.execute(
            _SQL["add_nonce"],
            nonce.address,
            nonce.raw,
            nonce.signature,
            nonce.last_height,
            nonce.lamports,
            nonce.created_at,
        )

    async def nonce_ready(self, address: str, value: bytes) -> None:
        """Keep what a free nonce's account holds."""
        await self._connection.execute(_SQL["nonce_ready"], address, value)

    async def drop_nonce(self, address: str) -> None:
        """Forget an account that was never made."""
        await self._connection.execute(_SQL["drop_nonce"], address)

    async def dead(self, limit: int) -> list[DeadAsset]:
        """Return assets that were given up."""
        return [read_row(row, DeadAsset) for row in await self._connection.fetch(_SQL["dead"], limit, None, None)]

    async def given_up(self, tenant: TenantId, event: EventId, limit: int) -> list[DeadAsset]:
        """Return what was given up of an event."""
        return [read_row(row, DeadAsset) for row in await self._connection.fetch(_SQL["dead"], limit, tenant, event)]

    async def revive(self, tickets: Collection[object] | None) -> int:
        """Try assets again that were given up."""
        return await self._changed("revive", None if tickets is None else list(tickets), None, None)

    async def retry(self, tenant: TenantId, event: EventId, tickets: Sequence[TicketId] | None) -> int:
        """Try again what was given up of an event."""
        return await self._changed("revive", None if tickets is None else list(tickets), tenant, event)
