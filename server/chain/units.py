"""How many compute units to ask for: what a node says that the transaction would use, and some to spare.

They are paid for, used or not, and the block's room is counted by what is asked for; too few, and the transaction fails and is
paid all the same. What a mint uses differs by the leaf it comes to lie in, so the next ones of the same kind are alike, not equal.
"""

from __future__ import annotations

import structlog
from msgspec import Struct

from server.chain.composing import Composed, budgeted
from server.chain.desk import Desk
from server.chain.problems import ChainAway, NodeFailed
from server.chain.transactions import unsigned
from shared.problems import DataDamaged

_GOOD_S = 60.0
_NONCE_UNITS = 150
_SPARE_UNITS = 4_500
"""For each call: finding an address takes 1,500 more for each try, and another leaf's address may take some."""

log = structlog.get_logger()


class Alike(Struct, frozen=True):
    """Transactions that use about the same: of a kind, in trees of a depth, with so many calls."""

    kind: str
    version: int
    depth: int
    calls: int
    table: bool


class Units:
    """Limits as simulated lately."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[Alike, tuple[float, int]] = {}

    async def settle(self, composed: Composed, alike: Alike) -> Composed:
        """Return a transaction with the limit that a simulation asks for; as it was where no node simulates it.

        A node that lies can at worst halve or double what was measured with the programs themselves.
        """
        now = self._desk.clock.now().timestamp()
        at, units = self._known.get(alike, (0.0, 0))
        if now - at < _GOOD_S:
            return budgeted(composed, units)
        found = await self._simulate(composed)
        if found is None:
            return composed
        measured = composed.draft.budget.units
        units = choose_units(found, alike.calls, measured)
        self._known[alike] = (now, units)
        return budgeted(composed, units)

    async def _simulate(self, composed: Composed) -> int | None:
        try:
            done = await self._desk.ledger.simulate(unsigned(composed.draft))
        except (ChainAway, NodeFailed, DataDamaged) as problem:
            log.info("mint.not_simulated", code=problem.code)
            return None
        if done.failed or not done.units:
            # Whoever sends it is told why, and what to do about it.
            log.info("mint.simulation_failed", failed=done.failed)
            return None
        return done.units


def choose_units(simulated: int, calls: int, measured: int) -> int:
    """Return a limit: a fifth more than simulated, and what another leaf may take; between half and double what was measured."""
    wanted = simulated * 6 // 5 + _NONCE_UNITS + _SPARE_UNITS * calls
    return min(max(wanted, measured // 2), measured * 2)
