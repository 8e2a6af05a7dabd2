"""What to pay for being taken soon: three quarters of what others paid lately to write the same accounts, within bounds."""

from __future__ import annotations

from solders.pubkey import Pubkey

from server.chain.ledger import Ledger
from server.chain.problems import ChainAway, NodeFailed
from shared.clock import Clock

LEAST = 1_000
_GOOD_S = 10.0


class Fees:
    """Prices in millionths of a lamport a compute unit, asked for anew every few seconds at most."""

    def __init__(self, ledger: Ledger, clock: Clock, most: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._most = most
        self._known: dict[str, tuple[float, int]] = {}

    async def price(self, address: str) -> int:
        """Return the price for writing an account; the lowest when no node tells."""
        now = self._clock.now().timestamp()
        at, price = self._known.get(address, (0.0, 0))
        if now - at < _GOOD_S:
            return price
        try:
            paid = sorted(await self._ledger.priority_fees([Pubkey.from_string(address)]))
        except (ChainAway, NodeFailed):
            paid = []
        price = choose_price(paid, self._most)
        self._known[address] = (now, price)
        return price


def choose_price(paid: list[int], most: int) -> int:
    """Return the third quartile of sorted prices, within bounds."""
    usual = paid[len(paid) * 3 // 4] if paid else LEAST
    return min(max(usual, LEAST), most)
