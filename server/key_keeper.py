"""The loop that keeps gates provided with keys: one round a minute for as long as the server runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from server.services.context import Context
from server.services.key_horizon import HorizonDatabase, provide_keys
from server.services.pulse import Beat, no_beat
from shared.problems import TicketTokenError

INTERVAL_S = 60.0

log = structlog.get_logger()


async def run_key_keeper(
    context: Context,
    database: HorizonDatabase,
    look: Callable[[], None],
    beat: Beat = no_beat,
    *,
    interval_s: float = INTERVAL_S,
) -> None:
    """Provide keys and have every link ``look`` whether its gate should have newer ones, until cancelled.

    A round that fails is told in the log and the next one tries again.
    """
    while True:
        beat()
        try:
            await provide_keys(context, database)
            look()
        except TicketTokenError as problem:
            log.warning("keys.horizon_failed", code=problem.code)
        await asyncio.sleep(interval_s)
