"""What every payment provider keeps to, the tests' own included."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from server.payments.demo import DemoPayments
from server.services.payments import PaymentProvider, PaymentState
from shared.ids import TenantId
from tests.integration.server.selling.stage import Till

TENANT = TenantId(UUID(int=7))

Paid = tuple[PaymentProvider, str]


def paid_at_till() -> Paid:
    """Return the tests' till with a payment of 45.00 EUR."""
    till = Till()
    return till, till.take(4500)


def paid_in_demo() -> Paid:
    """Return the demonstration's provider with a payment of 45.00 EUR."""
    return DemoPayments(), "demo_4500_EUR_0123456789abcdef"


@pytest.mark.parametrize("make", [paid_at_till, paid_in_demo])
async def test_a_payment_that_was_made_is_told_in_full(make: Callable[[], Paid]) -> None:
    provider, reference = make()
    payment = await provider.fetch(TENANT, reference)
    assert payment is not None
    assert (payment.id, payment.amount_cents, payment.currency, payment.state) == (
        reference,
        4500,
        "EUR",
        PaymentState.COMPLETED,
    )
    assert await provider.fetch(TENANT, reference) == payment


@pytest.mark.parametrize("make", [paid_at_till, paid_in_demo])
@pytest.mark.parametrize("reference", ["", "unknown", "demo_", "till-0", "x" * 200])
async def test_a_payment_nobody_made_is_none(make: Callable[[], Paid], reference: str) -> None:
    provider, _ = make()
    assert await provider.fetch(TENANT, reference) is None
