"""What runs beside the requests, each until the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from server.db.relay_session import open_relay_session
from server.key_keeper import run_key_keeper
from server.parts import Parts
from server.services.relay import run_relay
from server.sweeper import run_sweeper


def background_work(parts: Parts) -> list[Coroutine[Any, Any, None]]:
    """Return what runs beside the requests."""
    return [
        run_relay(lambda: open_relay_session(parts.database), parts.relay),
        parts.hub.run(parts.database.listen),
        run_sweeper(parts.context, parts.database),
        run_key_keeper(parts.context, parts.database, parts.hub.check_all),
    ]


@asynccontextmanager
async def run_background(work: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run all of it beside the block; the first that fails ends the block with its problem."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as problems:
        # What ended the server is told by itself; a second failure on the way out is only its echo.
        raise problems.exceptions[0] from None
