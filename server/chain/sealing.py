"""The last step before a transaction is kept: within the spending limits, signed, and described as it is stored."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct
from solders.pubkey import Pubkey

from server.chain.accounts import Nonce
from server.chain.composing import Composed
from server.chain.desk import Desk
from server.chain.ledger import Recent
from server.chain.transactions import DurableNonce, Sealed, seal_nonce, seal_recent
from server.services.rows_mint import NewTx, TxKind
from shared.ids import TenantId, TicketId
from shared.problems import Conflict

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class SpendCapReached(Conflict):
    """A spending limit holds this back: raise it, or wait."""

    code = "chain_spend_cap"


class About(Struct, frozen=True, kw_only=True):
    """Whose a transaction is, what it is for, and what it is about."""

    tenant: TenantId
    kind: TxKind
    tree: str | None
    version: int
    tickets: list[TicketId] = []
    new_name: str | None = None


async def seal(desk: Desk, about: About, composed: Composed, under: DurableNonce | Recent) -> NewTx:
    """Sign a transaction for keeping; nothing is sent.

    Raises:
        SpendCapReached: it would cost more than may be spent now.
        TransactionTooLarge, SettingsInvalid: it cannot be signed so.
    """
    await check_caps(desk, composed.lamports)
    if isinstance(under, Recent):
        sealed = await seal_recent(composed.draft, under, composed.signers)
        return _describe(desk, about, composed, sealed, None)
    sealed = await seal_nonce(composed.draft, under, composed.signers)
    return _describe(desk, about, composed, sealed, under)


async def check_caps(desk: Desk, lamports: int) -> None:
    """Return if so much may be spent now.

    Raises:
        SpendCapReached: otherwise.
    """
    caps, now = desk.plan.caps, desk.clock.now()
    if lamports > caps.tx:
        raise SpendCapReached(f"One transaction would cost {lamports} lamports, {caps.tx} are allowed.")
    async with desk.db.worker() as unit:
        hour, day = await unit.mints.spent_since(now - HOUR), await unit.mints.spent_since(now - DAY)
    if hour + lamports > caps.hour or day + lamports > caps.day:
        raise SpendCapReached(f"{hour} lamports in the last hour and {day} in the last day: more is not allowed.")


def read_durable(address: str, value: bytes, authority: Pubkey) -> DurableNonce:
    """Return a nonce as transactions are signed under it."""
    return DurableNonce(address=Pubkey.from_string(address), nonce=Nonce(authority=authority, value=value))


def _describe(desk: Desk, about: About, composed: Composed, sealed: Sealed, nonce: DurableNonce | None) -> NewTx:
    return NewTx(
        tenant=about.tenant,
        kind=about.kind,
        tree=about.tree,
        version=about.version,
        network=desk.plan.network,
        tickets=about.tickets,
        raw=sealed.raw,
        signature=str(sealed.signature),
        nonce=None if nonce is None else str(nonce.address),
        nonce_value=None if nonce is None else nonce.nonce.value,
        last_height=sealed.last_height,
        lamports=composed.lamports,
        created_at=desk.clock.now(),
        new_name=about.new_name,
    )
