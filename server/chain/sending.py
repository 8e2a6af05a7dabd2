"""Stored bytes sent, and sent again, until it is certain what became of them.

A transaction under a nonce is over in one of two ways: it landed, or its nonce has another value for good and no node has ever
seen it. Until then nothing else is signed for what it is about; where it must not land any more, its nonce is used up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from solders.pubkey import Pubkey
from solders.signature import Signature

from server.chain.accounts import AccountUnreadable, read_nonce
from server.chain.desk import Desk
from server.chain.ledger import MOST_STATUSES, Account, Status
from server.chain.nodes import Sent
from server.chain.planning import Planner
from server.chain.problems import Trouble
from server.chain.refusals import Refusal, Remedy, read_refusal
from server.services.rows_mint import NonceRow, TxKind, TxRow, TxState

RESEND = timedelta(seconds=2)
_UNFOLLOWED = frozenset({TxKind.CANCEL, TxKind.TREE, TxKind.COLLECTION, TxKind.TABLE})
_FAILED = "failed_on_chain"

_TRIES = {Remedy.CONFLICT: 1, Remedy.FAULT: 2, Remedy.READ_AGAIN: 5}
"""How often an asset is tried after such a refusal; otherwise as the plan says."""

log = structlog.get_logger()


class Sender:
    """Sends, looks what became of it, and settles what is over."""

    def __init__(self, desk: Desk, planner: Planner) -> None:
        self._desk = desk
        self._planner = planner
        self._expired: set[int] = set()
        self._cancelled: set[bytes | None] = set()
        self._contradicted = False

    async def look(self, txs: Sequence[TxRow]) -> list[TxRow]:
        """Note how far transactions are; return those that no node knows.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        self._cancelled = {one.nonce_value for one in txs if one.kind is TxKind.CANCEL}
        if self._contradicted:
            self._desk.nodes.turn()
            self._contradicted = False
        unknown: list[TxRow] = []
        for start in range(0, len(txs), MOST_STATUSES):
            part = txs[start : start + MOST_STATUSES]
            statuses = await self._desk.ledger.statuses([Signature.from_string(one.signature) for one in part])
            for tx, status in zip(part, statuses, strict=True):
                if status is None:
                    unknown.append(tx)
                else:
                    await self._note(tx, status)
        return unknown

    async def send(self, txs: Sequence[TxRow]) -> None:
        """Give transactions to all nodes that were not given lately.

        Raises:
            ChainAway: no node may be asked.
        """
        now = self._desk.clock.now()
        wanted = [one for one in txs if one.sent_at is None or now - one.sent_at >= RESEND]
        if not wanted:
            return
        answers = await asyncio.gather(*(self._desk.nodes.send(one.raw) for one in wanted))
        given = [tx.id for tx, answer in zip(wanted, answers, strict=True) if _is_given(answer)]
        async with self._desk.db.worker() as unit:
            await unit.mints.sent([one.id for one in wanted], given, now)
        for tx, answer in zip(wanted, answers, strict=True):
            await self._weigh(tx, answer)

    async def send_nonce(self, nonce: NonceRow) -> None:
        """Send the making of a nonce account again; forget it once it can land no more.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        answer = await self._desk.nodes.send(nonce.raw)
        if answer.find(Trouble.POOR) is not None:
            self._desk.halt("payer_empty")
        if answer.find(Trouble.EXPIRED) is None:
            return
        passed = await self._desk.ledger.finalized_height() > nonce.last_height
        if passed and await self._desk.ledger.is_absent(Signature.from_string(nonce.signature)):
            async with self._desk.db.worker() as unit:
                await unit.mints.drop_nonce(nonce.address)

    async def settle(self, unknown: Sequence[TxRow]) -> None:
        """Find out which of the transactions nobody knows are over, and have those use up their nonce that must not land.

        Raises:
            ChainAway, NodeFailed: nobody tells.
        """
        for tx in unknown:
            if tx.nonce is None:
                await self._settle_recent(tx)
            elif tx.doubted or tx.id in self._expired:
                await self._settle_nonce(tx, failed=False)

    async def _note(self, tx: TxRow, status: Status) -> None:
        self._expired.discard(tx.id)
        if status.failed:
            await self._failed(tx)
            return
        if status.confirmed and tx.state in {TxState.SIGNED, TxState.SENT}:
            self._desk.resume()
            async with self._desk.db.worker() as unit:
                await unit.mints.confirmed(tx.id, status.slot)
        if status.finalized and (tx.followed or tx.kind in _UNFOLLOWED):
            now = self._desk.clock.now()
            async with self._desk.db.worker() as unit:
                await unit.mints.finalized(tx, now, now + self._desk.plan.burn_after)
            self._desk.state.minted += len(tx.tickets) if tx.kind is TxKind.MINT else 0

    async def _failed(self, tx: TxRow) -> None:
        """A landed transaction that did nothing: over, once its nonce has another value."""
        if not await self._desk.ledger.is_failed(Signature.from_string(tx.signature)):
            # One node's word is not enough to sign anew: it may lie, or be on a branch of its own.
            self._contradicted = True
        elif tx.nonce is None:
            await self._end(tx, failed=True)
        else:
            await self._doubt(tx, None, _FAILED)
            await self._settle_nonce(tx, failed=True)

    async def _settle_recent(self, tx: TxRow) -> None:
        if tx.last_height is None or tx.id not in self._expired:
            return
        passed = await self._desk.ledger.finalized_height() > tx.last_height
        if passed and await self._desk.ledger.is_absent(Signature.from_string(tx.signature)):
            await self._end(tx, failed=False)

    async def _settle_nonce(self, tx: TxRow, *, failed: bool) -> None:
        if not await self._has_moved(tx):
            if tx.doubted and tx.kind is not TxKind.CANCEL and tx.nonce_value not in self._cancelled:
                await self._planner.cancel(tx)
                self._cancelled.add(tx.nonce_value)
            return
        if failed or await self._desk.ledger.is_absent(Signature.from_string(tx.signature)):
            await self._end(tx, failed=failed)

    async def _has_moved(self, tx: TxRow) -> bool:
        """Tell whether a transaction's nonce has another value for good, as all nodes say."""
        told = await self._desk.ledger.accounts(Pubkey.from_string(tx.nonce or ""))
        return bool(told) and all(_holds_other(one, tx.nonce_value) for one in told)

    async def _end(self, tx: TxRow, *, failed: bool) -> None:
        now, remedy = self._desk.clock.now(), Remedy(tx.remedy) if tx.remedy else None
        async with self._desk.db.worker() as unit:
            if remedy is Remedy.NEXT_TREE and tx.tree is not None:
                await unit.mints.tree_full(tx.tree)
            tries = self._desk.plan.most_tries if remedy is None else _TRIES.get(remedy, self._desk.plan.most_tries)
            await unit.mints.over(tx, failed=failed, at=now, retry_at=_retry_at(now, remedy), most_tries=tries)
        self._expired.discard(tx.id)
        log.warning("mint.over", kind=tx.kind, signature=tx.signature, failed=failed, problem=tx.problem)

    async def _weigh(self, tx: TxRow, answer: Sent) -> None:
        """Take what nodes said to a transaction."""
        if answer.taken or answer.find(Trouble.KNOWN) is not None:
            self._desk.resume()
            if not answer.taken:
                # It has landed, and whoever was asked did not know: another may.
                self._contradicted = True
            return
        if answer.find(Trouble.POOR) is not None:
            self._desk.halt("payer_empty")
        elif answer.find(Trouble.EXPIRED) is not None:
            self._expired.add(tx.id)
        elif (refused := answer.find(Trouble.REFUSED)) is not None:
            await self._refused(tx, read_refusal(refused.logs))

    async def _refused(self, tx: TxRow, refusal: Refusal | None) -> None:
        remedy = Remedy.FAULT if refusal is None else refusal.remedy
        told = "refused" if refusal is None else f"refused_{refusal.number}"
        if remedy is Remedy.CONFIGURATION:
            # It stays as it is and is tried again: once the keys are right, it lands.
            self._desk.halt(told)
            return
        await self._doubt(tx, remedy, told)

    async def _doubt(self, tx: TxRow, remedy: Remedy | None, problem: str) -> None:
        if tx.doubted:
            return
        async with self._desk.db.worker() as unit:
            await unit.mints.doubt(tx.id, None if remedy is None else remedy.value, problem)
        log.warning("mint.doubted", kind=tx.kind, signature=tx.signature, problem=problem)


def _holds_other(account: Account | None, value: bytes | None) -> bool:
    try:
        return account is not None and read_nonce(account.data).value != value
    except AccountUnreadable:
        return False


def _is_given(answer: Sent) -> bool:
    return answer.taken > 0 or answer.find(Trouble.KNOWN) is not None


def _retry_at(now: datetime, remedy: Remedy | None) -> datetime:
    return now if remedy is Remedy.NEXT_TREE else now + timedelta(seconds=2)
