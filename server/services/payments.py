"""The port behind which payments happen: the server only ever asks whether one is good."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from shared.ids import TenantId


class PaymentState(StrEnum):
    """How a payment stands."""

    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"


class Payment(Struct, frozen=True, kw_only=True):
    """A payment as the provider knows it."""

    id: str
    amount_cents: int
    currency: str
    state: PaymentState


class PaymentProvider(Protocol):
    """Whoever takes the money."""

    async def fetch(self, tenant: TenantId, payment_id: str, /) -> Payment | None:
        """Return a payment to a tenant, None if the provider knows none of this id.

        Raises:
            Unavailable: the provider does not answer.
        """
        ...
