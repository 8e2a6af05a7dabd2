"""Asking a handler about one message: its time is limited, and whatever it raises means "try again"."""

from __future__ import annotations

import asyncio

import structlog

from server.services.ports_bus import Arrived, Handler, Outcome
from shared.problems import TicketTokenError

HANDLER_TIMEOUT_S = 60.0

_log = structlog.get_logger()


async def ask_in_turn(hands: asyncio.Semaphore, handler: Handler, arrived: Arrived) -> Outcome:
    """Return what became of the message, once there was a hand free for it; one that waits for another attempt needs none."""
    async with hands:
        return await ask(handler, arrived)


async def ask(handler: Handler, arrived: Arrived) -> Outcome:
    """Return what became of the message."""
    try:
        async with asyncio.timeout(HANDLER_TIMEOUT_S):
            return await handler(arrived)
    except (TicketTokenError, TimeoutError) as problem:
        code = problem.code if isinstance(problem, TicketTokenError) else "timeout"
        _log.warning("bus.handling_failed", queue=arrived.queue, message=arrived.message_id, code=code)
    except Exception as exc:  # noqa: BLE001 - see below
        # A fault in one handler must not end the consumer of all messages; the delivery limit ends the loop.
        _log.error(
            "bus.handler_broken",
            queue=arrived.queue,
            message=arrived.message_id,
            problem=type(exc).__name__,
            at=_places(exc),
        )
    return Outcome.AGAIN


def _places(exc: Exception) -> list[str]:
    """Return where an exception passed: a full traceback would read source files in the event loop and show values."""
    places, trace = [], exc.__traceback__
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places
