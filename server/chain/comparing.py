"""The comparison with the chain by the clock: a leading worker makes it every hour, and says what came of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog

from server.chain.desk import Desk, MintState
from server.chain.reconciling import reconcile
from server.chain.worker import MintWorker
from shared.problems import TicketTokenError

EVERY = timedelta(hours=1)
_FIRST = timedelta(minutes=5)
"""After a start; a tree's root is compared each minute anyway."""
_AGAIN = timedelta(minutes=1)
LOOK_S = 20.0

log = structlog.get_logger()


class Comparer:
    """Compares when it is time, and keeps what came of it in the desk's state.

    It follows the trees by itself, beside the worker, as `tickettoken nft reconcile` does: a large comparison holds up no mint.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._next: datetime | None = None

    async def when_due(self) -> bool:
        """Compare if it is time; tell whether that was done. A chain that is away is asked again a minute later."""
        now, state = self._desk.clock.now(), self._desk.state
        self._next = self._next or now + _FIRST
        if now < self._next:
            return False
        try:
            found = await reconcile(self._desk, MintWorker(self._desk))
        except TicketTokenError as problem:
            self._next = now + _AGAIN
            log.info("mint.not_compared", code=problem.code)
            return False
        self._next = now + EVERY
        state.faults, state.compared_at = found.faults, now
        tell = log.info if found.is_sound else log.error
        tell(
            "mint.compared",
            faults=found.faults,
            trees={one.tree: one.finding.value for one in found.trees},
            states=found.states,
            elsewhere=found.elsewhere,
            leafless=found.leafless,
            orphans=len(found.orphans),
            indexer_asked=found.opinion.asked,
            indexer_differs=len(found.opinion.differences),
        )
        return True


async def run_comparer(comparer: Comparer, state: MintState, look_s: float = LOOK_S) -> None:
    """Compare by the clock while this process leads, until cancelled."""
    while True:
        await asyncio.sleep(look_s)
        if state.leading:
            await comparer.when_due()
