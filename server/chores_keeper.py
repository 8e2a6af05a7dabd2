"""The loop that does organisers' long work: at once while there is any, else it looks every second."""

from __future__ import annotations

import asyncio

import structlog

from server.services.chores import do_chores
from server.services.context import Context
from server.services.ports_organiser import ChoreDatabase
from server.services.pulse import Beat, no_beat
from shared.problems import TicketTokenError

INTERVAL_S = 1.0

log = structlog.get_logger()


async def run_chores(
    context: Context, database: ChoreDatabase, beat: Beat = no_beat, *, interval_s: float = INTERVAL_S
) -> None:
    """Work until cancelled; a round that fails is told in the log and the next one tries again."""
    while True:
        beat()
        busy = False
        try:
            busy = await do_chores(context, database)
        except TicketTokenError as problem:
            log.warning("chores.round_failed", code=problem.code)
        await asyncio.sleep(0 if busy else interval_s)
