"""Several server processes, of which one numbers what all of them did; it is killed again and again, and no number is missing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from shared.clock import ManualClock
from shared.ids import GateId, uuid7
from shared.sync.feed import FEED_START, GateEntry, extend_mark
from tests.acceptance.server.program import LONG_S, Program, listening, ready
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_stage

WRITERS, KILLS = 4, 2


class Feed:
    """One event's feed, looked at whenever a relay says that it has grown."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._grown = asyncio.Event()

    def hear(self, *_: object) -> None:
        """Note that it has grown."""
        self._grown.set()

    async def until(self, count: int) -> None:
        """Return once it has so many entries."""
        async with asyncio.timeout(LONG_S):
            while True:
                self._grown.clear()
                if await self._connection.fetchval("SELECT count(*) FROM feed") >= count:
                    return
                await self._grown.wait()

    async def grow(self) -> None:
        """Return once it has twenty entries more."""
        await self.until(await self._connection.fetchval("SELECT count(*) FROM feed") + 20)

    async def read(self) -> tuple[list[int], list[bytes]]:
        """Return all numbers and marks in their order."""
        rows = await self._connection.fetch("SELECT seq, mark FROM feed ORDER BY seq")
        return [row["seq"] for row in rows], [row["mark"] for row in rows]


@asynccontextmanager
async def feed_of(database: Databases) -> AsyncIterator[Feed]:
    connection = await asyncpg.connect(database.worker_dsn)
    feed = Feed(connection)
    await connection.add_listener("feed", feed.hear)
    try:
        yield feed
    finally:
        await connection.close()


async def write(stage: Stage, writer: int, done: asyncio.Event) -> int:
    """Queue one entry after the other, each in a transaction of its own, until told to stop; return how many."""
    number = 0
    while not done.is_set():
        async with stage.db.tenant(stage.tenant) as tx:
            name = f"{writer} {number}"
            entry = GateEntry(seq=0, gate=GateId(uuid7(stage.clock.now(), number.to_bytes)), name=name)
            await tx.outbox.append(stage.event, [entry])
        number += 1
    return number


async def test_no_number_is_missing_or_given_twice_while_leaders_are_killed(
    database: Databases, clock: ManualClock
) -> None:
    environ = environ_of(database)
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(open_stage(database, clock))
        feed = await stack.enter_async_context(feed_of(database))
        leader = await worker(stack, environ)
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            writers = [group.create_task(write(stage, number, done)) for number in range(WRITERS)]
            for _ in range(KILLS):
                standby = await worker(stack, environ)
                await feed.grow()
                leader.process.send_signal(signal.SIGKILL)
                await leader.process.communicate()
                # the standby has taken over when the feed grows again: nobody else is left to number it
                await feed.grow()
                leader = standby
            done.set()
        counts = [task.result() for task in writers]
        await feed.until(sum(counts) + 1)
        numbers, marks = await feed.read()
        entries = await stage.feed()
    assert numbers == list(range(1, sum(counts) + 2))
    for writer, count in enumerate(counts):
        mine = [entry.name for entry in entries if isinstance(entry, GateEntry) and entry.name.startswith(f"{writer} ")]
        assert mine == [f"{writer} {number}" for number in range(count)]
    mark = FEED_START
    for entry, stored in zip(entries, marks, strict=True):
        mark = extend_mark(mark, [entry])
        assert mark == stored


async def worker(stack: AsyncExitStack, environ: dict[str, str]) -> Program:
    """Start a process that relays if it may."""
    program = await stack.enter_async_context(listening("work", **environ))
    await ready(program.base_url)
    return program
