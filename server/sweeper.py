"""The housekeeping loop: one round a minute for as long as the server runs."""

from __future__ import annotations

import asyncio

import structlog

from server.services.context import Context
from server.services.people import erase_due
from server.services.pulse import Beat, no_beat
from server.services.sweep import MaintenanceDatabase, sweep
from shared.problems import TicketTokenError

INTERVAL_S = 60.0

log = structlog.get_logger()


async def run_sweeper(
    context: Context, database: MaintenanceDatabase, beat: Beat = no_beat, *, interval_s: float = INTERVAL_S
) -> None:
    """Sweep until cancelled; a round that fails is told in the log and the next one tries again."""
    while True:
        beat()
        try:
            swept = await sweep(context, database)
            context.counts.swept("events", swept.events)
            context.counts.swept("transfers", swept.transfers)
            context.counts.swept("feed_entries", swept.trimmed)
            if swept.events or swept.transfers or swept.trimmed or swept.returned:
                log.info(
                    "sweep.done",
                    events=swept.events,
                    transfers=swept.transfers,
                    trimmed=swept.trimmed,
                    returned=swept.returned,
                )
            if context.keep_people is not None:
                context.counts.swept("people_of_events", await erase_due(context, database, context.keep_people))
        except TicketTokenError as problem:
            log.warning("sweep.failed", code=problem.code)
        await asyncio.sleep(interval_s)
