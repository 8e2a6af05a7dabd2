"""The payment provider of a server that is told of payments: by messages over the broker, or by calls of a service."""

from __future__ import annotations

from server.services.payments import Payment
from server.services.ports import Database
from shared.ids import TenantId


class StoredPayments:
    """Knows what was told, tenant by tenant."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def fetch(self, tenant: TenantId, payment_id: str, /) -> Payment | None:
        """Return what was told last of a payment.

        Raises:
            Unavailable: the database is away.
        """
        async with self._db.tenant(tenant) as tx:
            told = await tx.inbox.get_payment(payment_id)
        if told is None:
            return None
        return Payment(id=told.payment_id, amount_cents=told.amount_cents, currency=told.currency, state=told.state)
