"""Opening and closing a connection so that none is left half made.

A library object that is dropped unclosed tries to close itself when it is collected, in whichever thread that happens.
"""

from __future__ import annotations

import asyncio

import aio_pika
import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS
from yarl import URL

RABBIT_PROBLEMS = (*CONNECTION_EXCEPTIONS, TimeoutError)
"""What aio-pika may raise while the broker, the network or a channel fails."""

_log = structlog.get_logger()


async def open_connection(address: URL, within_s: float) -> AbstractConnection:
    """Return a connection; what the library raises, this raises, and nothing is left of the attempt."""
    connection = aio_pika.Connection(address)
    try:
        await connection.connect(timeout=within_s)
    except BaseException:
        await connection.close()
        raise
    return connection


async def close_connection(connection: AbstractConnection, within_s: float) -> None:
    """Close a connection that may be broken already; closing twice is fine."""
    try:
        async with asyncio.timeout(within_s):
            await connection.close()
    except RABBIT_PROBLEMS as exc:
        _log.debug("bus.close_failed", problem=type(exc).__name__)
    finally:
        # The first attempt let go of the transport; this one only notes that the connection is closed.
        await connection.close()
