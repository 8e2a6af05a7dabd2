"""A payment provider for demonstrations: whoever names the right amount has paid. It must be asked for by name."""

from __future__ import annotations

import re

from server.services.payments import Payment, PaymentState
from shared.ids import TenantId

_PAYMENT = re.compile(r"demo_(\d{1,12})_([A-Z]{3})_[A-Za-z0-9]{8,64}")


class DemoPayments:
    """Knows every payment of the form ``demo_<cents>_<currency>_<random>`` as completed."""

    async def fetch(self, _: TenantId, payment_id: str, /) -> Payment | None:
        """Return what the id itself says."""
        parts = _PAYMENT.fullmatch(payment_id)
        if parts is None:
            return None
        return Payment(id=payment_id, amount_cents=int(parts[1]), currency=parts[2], state=PaymentState.COMPLETED)
