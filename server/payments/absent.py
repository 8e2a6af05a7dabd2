"""The payment provider of a server that was given none: nothing can be bought."""

from __future__ import annotations

from typing import NoReturn

from server.services.problems import PaymentsAway
from shared.ids import TenantId


class NoPayments:
    """Refuses every question."""

    async def fetch(self, _: TenantId, payment_id: str, /) -> NoReturn:
        """Say that payments are not set up.

        Raises:
            PaymentsAway: always.
        """
        raise PaymentsAway(f"This server takes no payments ({len(payment_id)} characters of reference were sent).")
