"""What to pay for being taken soon: three quarters of what others paid lately to write the same accounts, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

from solders.pubkey import Pubkey

from server.chain.ledger import Ledger
from server.chain.problems import ChainAway, NodeFailed
from shared.clock import Clock

LEAST = 1_000
_GOOD_S = 10.0
_MOST_RAISES = 8


class Fees:
    """Prices in millionths of a lamport a compute unit, asked for anew every few seconds at most."""

    def __init__(self, ledger: Ledger, clock: Clock, most: int) -> None:
        self._ledger = ledger
        self._clock = clock
        self._most = most
        self._known: dict[tuple[str, ...], tuple[float, int]] = {}

    async def price(self, addresses: Sequence[str], tries: int = 0) -> int:
        """Return the price for writing these accounts at once, half as much again for each try before.

        The busiest of them sets it; it is the lowest when no node tells.
        """
        now, asked = self._clock.now().timestamp(), tuple(addresses)
        at, usual = self._known.get(asked, (0.0, 0))
        if now - at >= _GOOD_S:
            usual = choose_price(await self._paid(asked), self._most)
            self._known[asked] = (now, usual)
        return raise_price(usual, tries, self._most)

    async def _paid(self, addresses: tuple[str, ...]) -> list[int]:
        try:
            return sorted(await self._ledger.priority_fees([Pubkey.from_string(one) for one in addresses]))
        except (ChainAway, NodeFailed):
            return []


def choose_price(paid: list[int], most: int) -> int:
    """Return the third quartile of sorted prices, within bounds."""
    usual = paid[len(paid) * 3 // 4] if paid else LEAST
    return min(max(usual, LEAST), most)


def raise_price(usual: int, tries: int, most: int) -> int:
    """Return what is paid after so many tries: half as much again each time, and never more than ``most``."""
    return min(int(usual * 1.5 ** min(tries, _MOST_RAISES)), most)
