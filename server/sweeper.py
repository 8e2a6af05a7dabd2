"""The housekeeping loop: one round a minute for as long as the server runs."""

from __future__ import annotations

import asyncio

import structlog

from server.services.context import Context
from server.services.sweep import MaintenanceDatabase, sweep
from shared.problems import TicketTokenError

INTERVAL_S = 60.0

log = structlog.get_logger()


async def run_sweeper(context: Context, database: MaintenanceDatabase, *, interval_s: float = INTERVAL_S) -> None:
    """Sweep until cancelled; a round that fails is told in the log and the next one tries again."""
    while True:
        try:
            swept = await sweep(context, database)
            if swept.events:
                log.info("sweep.released", events=swept.events)
        except TicketTokenError as problem:
            log.warning("sweep.failed", code=problem.code)
        await asyncio.sleep(interval_s)
