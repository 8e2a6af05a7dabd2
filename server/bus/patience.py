"""How long to wait before trying again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Pause = Callable[[float], Awaitable[None]]
"""Waits so many seconds; asyncio.sleep in the program."""

LONGEST_S = 60.0


def retry_delay_s(attempt: int) -> float:
    """Return the seconds to hold a message after its n-th attempt, from 1: 1, 2, 4 and so on, at most a minute.

    Twenty attempts last about a quarter of an hour, the length of a database's failover or a quick repair.
    """
    return min(LONGEST_S, 2.0 ** min(attempt - 1, 10))


def reconnect_delay_s(failures: int) -> float:
    """Return the seconds before the n-th reconnection, from 1: 0.2, 0.4, 0.8 and so on, at most ten."""
    return min(10.0, 0.1 * 2.0 ** min(failures, 10))
