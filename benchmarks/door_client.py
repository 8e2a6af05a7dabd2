"""A crowd at the doors as a process of its own: so many connections, each asking again as soon as it is answered.

Reads what to ask from standard input as JSON and writes how it went to standard output.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import aiohttp
import msgspec
from msgspec import Struct


class Ask(Struct, frozen=True):
    """One call, and the statuses it may have."""

    path: str
    body: dict[str, str]
    statuses: list[int]


class Plan(Struct, frozen=True, kw_only=True):
    """What to ask of whom, and over how many connections."""

    url: str
    token: str
    connections: int
    asks: list[Ask]


class Outcome(Struct, frozen=True, kw_only=True):
    """How long each call took in milliseconds, and all of them in seconds."""

    took_ms: list[float]
    all_s: float


async def play(plan: Plan) -> Outcome:
    """Make the calls.

    Raises:
        SystemExit: one was answered otherwise than it may be.
    """
    took_ms: list[float] = []
    waiting = iter(plan.asks)
    connector = aiohttp.TCPConnector(limit=plan.connections)
    async with aiohttp.ClientSession(plan.url, connector=connector) as session:

        async def one() -> None:
            for ask in waiting:
                begun = time.perf_counter()
                headers = {"Authorization": f"Bearer {plan.token}", "Idempotency-Key": os.urandom(16).hex()}
                async with session.post(ask.path, json=ask.body, headers=headers) as answer:
                    said = await answer.read()
                took_ms.append((time.perf_counter() - begun) * 1000)
                if answer.status not in ask.statuses:
                    raise SystemExit(f"{ask.path}: {answer.status} {said[:200]!r}")

        begun = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(plan.connections):
                group.create_task(one())
    return Outcome(took_ms=took_ms, all_s=time.perf_counter() - begun)


def main() -> None:
    """Run from the command line."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(play(plan))))


if __name__ == "__main__":
    main()
