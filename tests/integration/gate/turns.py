"""What tests of a turnstile are made of: outcomes, who is told, and a crowd."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from gate.outcome import Outcome, Took
from gate.turnstile import Happened, Turnstile, TurnstileNews
from shared.admission.verdict import Reason, Verdict, admit
from shared.ids import ScanId, uuid7
from shared.sync.scan import Mode

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)
UNUSED, TURNED = Happened.UNUSED, Happened.TURNED
TOOK = Took(decode=0, verify=0, rule=0, commit=0, total=0)


def outcome(gate_seq: int | None, verdict: Verdict | None = None) -> Outcome:
    """Return an outcome, an admission unless told otherwise."""
    scan = ScanId(uuid7(NOW, os.urandom)) if gate_seq is not None else None
    said = verdict or admit(Reason.OK)
    return Outcome(scan=scan, gate_seq=gate_seq, at=NOW, verdict=said, code_id="00", mode=Mode.OFFLINE, took=TOOK)


class Told:
    """Takes the news and lets a test wait for them."""

    def __init__(self) -> None:
        self.news: list[TurnstileNews] = []
        self._changed = asyncio.Condition()

    async def __call__(self, news: TurnstileNews) -> None:
        """Take a piece of news."""
        async with self._changed:
            self.news.append(news)
            self._changed.notify_all()

    async def until_count(self, count: int) -> None:
        """Wait until so much was told."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.news) >= count)

    async def until(self, *expected: tuple[Happened, int | None]) -> None:
        """Wait until just this was told."""
        await self.until_count(len(expected))
        assert [(one.what, one.gate_seq) for one in self.news] == list(expected)


class Crowd:
    """Outcomes as a test makes them happen."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Outcome | None] = asyncio.Queue()

    def add(self, *outcomes: Outcome | None) -> None:
        """Let them happen; None is the end."""
        for one in outcomes:
            self._queue.put_nowait(one)

    async def follow(self) -> AsyncIterator[Outcome]:
        """Yield what happens."""
        while (one := await self._queue.get()) is not None:
            yield one


@asynccontextmanager
async def at_work(turnstile: Turnstile) -> AsyncIterator[Crowd]:
    """Run a turnstile until its crowd has passed."""
    crowd = Crowd()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(turnstile.run(crowd.follow()))
        yield crowd
        crowd.add(None)
