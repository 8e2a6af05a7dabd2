"""Where presented codes queue up and are decided one after the other, and where the answers go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import structlog

from gate.admit import Shown
from gate.outcome import Outcome
from shared.problems import TicketTokenError

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_WAITING = 16
"""Codes that may wait: when full, the oldest of a live camera is dropped, a film or script has to wait."""

_UNSEEN = 64
"""Answers a slow screen may be behind; the oldest are dropped, since a screen shows the newest."""


ItemT = TypeVar("ItemT")


class Decider(Protocol):
    """Whoever decides and records."""

    async def admit(self, shown: Shown) -> Outcome:
        """Return the decided and recorded outcome, or raise a TicketTokenError."""
        ...


class Audience:
    """Everybody who follows the outcomes; ends for all of them together, with the fault that ended the gate if any."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Outcome | None]] = set()
        self._ended = False
        self._fault: TicketTokenError | None = None

    def publish(self, outcome: Outcome) -> None:
        """Give an outcome to everybody; never waits."""
        for queue in self._queues:
            _put_newest(queue, outcome)

    def end(self, fault: TicketTokenError | None) -> None:
        """Tell everybody that nothing more comes."""
        if not self._ended:
            self._ended, self._fault = True, fault
        for queue in self._queues:
            _put_newest(queue, None)

    async def follow(self) -> AsyncIterator[Outcome]:
        """Yield every outcome from now on.

        Raises:
            TicketTokenError: what ended the gate.
        """
        queue: asyncio.Queue[Outcome | None] = asyncio.Queue(maxsize=_UNSEEN)
        self._queues.add(queue)
        try:
            while not (self._ended and queue.empty()):
                outcome = await queue.get()
                if outcome is None:
                    break
                yield outcome
        finally:
            self._queues.discard(queue)
        if self._fault is not None:
            raise self._fault


class ScanDesk:
    """A bounded queue in front of the one who decides.

    While the lane is not ``open``, or the organiser has it ``held``, codes are dropped; while there is an ``onlooker``, it gets
    them and nobody decides.
    """

    def __init__(self, decider: Decider, answer: Callable[[Outcome], Awaitable[None]]) -> None:
        self._decider = decider
        self._answer = answer
        self._queue: asyncio.Queue[Shown | None] = asyncio.Queue(maxsize=_WAITING)
        self.open = True
        self.held = False
        self.onlooker: Callable[[str], None] | None = None

    async def put(self, shown: Shown) -> None:
        """Queue a code, waiting for room; while the lane is closed, nobody looks at it."""
        if self._is_wanted(shown):
            await self._queue.put(shown)

    def offer(self, shown: Shown) -> None:
        """Queue a code; when full, the oldest one is dropped, since that person has moved on."""
        if self._is_wanted(shown) and _put_newest(self._queue, shown):
            _log.warning("scan.dropped", waiting=self._queue.qsize())

    def _is_wanted(self, shown: Shown) -> bool:
        if self.held:
            return False
        if self.open and self.onlooker is not None:
            self.onlooker(shown.text)
            return False
        return self.open

    async def finish(self) -> None:
        """Let ``work`` end once everything before this is decided."""
        await self._queue.put(None)

    async def work(self) -> None:
        """Decide what is queued until ``finish``.

        Raises:
            TicketTokenError: a record could not be made durable; nobody was let in by it.
        """
        while (shown := await self._queue.get()) is not None:
            if not self.held:
                await self._answer(await self._decider.admit(shown))
            self._queue.task_done()
        self._queue.task_done()

    async def settle(self) -> None:
        """Wait until everything queued so far is decided and answered."""
        await self._queue.join()


def _put_newest(queue: asyncio.Queue[ItemT], item: ItemT) -> bool:
    """Put an item in; return True when an older one had to go for it."""
    full = queue.full()
    if full:
        queue.get_nowait()
        queue.task_done()
    queue.put_nowait(item)
    return full
