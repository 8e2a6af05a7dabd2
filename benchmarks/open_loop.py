"""Calls that begin when their time has come, whether or not the ones before are answered: a crowd does not wait in line."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from benchmarks.report import Row

Call = Callable[[int], Awaitable[None]]


async def run_open_loop(call: Call, count: int, per_second: float) -> list[float]:
    """Return how long each call took, in milliseconds from the moment it was due; a late start counts as waiting."""
    taken: list[float] = []
    begun = time.perf_counter()

    async def one(number: int) -> None:
        due = begun + number / per_second
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await call(number)
        taken.append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(number))
    return taken


def three_rows(what: str, values: list[float]) -> list[Row]:
    """Return median with the 99th percentile, and the 95th."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return [
        Row(what=f"{what}, ms", median=statistics.median(values), p99=cuts[98], count=len(values)),
        Row(what=f"{what}, p95, ms", median=cuts[94], count=len(values)),
    ]
