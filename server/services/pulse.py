"""Signs of life of what runs beside the requests, so that health can tell a loop that works from one that hangs or ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import Struct

from shared.problems import Unavailable

Beat = Callable[[], None]
"""Called by a loop whenever it gets around."""


def no_beat() -> None:
    """Tell nobody: for a loop that runs alone."""


Monotonic = Callable[[], float]


class WorkerStopped(Unavailable):
    """A part that runs beside the requests is not running."""

    code = "worker_stopped"


class WorkerStuck(Unavailable):
    """A part that runs beside the requests has not come around for too long."""

    code = "worker_stuck"


class Worker(Struct, frozen=True, kw_only=True):
    """One thing that runs beside the requests until the server stops.

    ``silence_s`` is how long it may go without a beat before it counts as stuck; None for one that only waits for others.
    """

    name: str
    run: Callable[[Beat], Awaitable[None]]
    silence_s: float | None


class Pulse:
    """What is known of one worker: whether it runs, and when it last came around."""

    def __init__(self, worker: Worker, monotonic: Monotonic) -> None:
        self.name = worker.name
        self._silence_s = worker.silence_s
        self._monotonic = monotonic
        self._running = False
        self._finishing = False
        self._beaten_s = 0.0
        self.beats = 0

    def start(self) -> None:
        """Say that the worker runs from here on."""
        self._running = True
        self._beaten_s = self._monotonic()

    def finish(self) -> None:
        """Have the worker end when it next comes around, with nothing half done."""
        self._finishing = True

    def beat(self) -> None:
        """Say that the worker came around.

        Raises:
            asyncio.CancelledError: it was asked to finish, and this is the moment.
        """
        if self._finishing:
            raise asyncio.CancelledError
        self.beats += 1
        self._beaten_s = self._monotonic()

    def stop(self) -> None:
        """Say that the worker ended."""
        self._running = False

    async def check(self) -> None:
        """Return if the worker is alive.

        Raises:
            WorkerStopped: it does not run.
            WorkerStuck: it has been silent for too long.
        """
        if not self._running:
            raise WorkerStopped(f"{self.name} is not running: see the log, then start the server again.")
        silent_s = self._monotonic() - self._beaten_s
        if self._silence_s is not None and silent_s > self._silence_s:
            raise WorkerStuck(f"{self.name} has been silent for {silent_s:.0f} s: see the log, then start it again.")


class Pulses:
    """The signs of life of all workers of one server."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._known: dict[str, Pulse] = {}

    def expect(self, worker: Worker) -> Pulse:
        """Know of a worker that is about to run."""
        pulse = self._known[worker.name] = Pulse(worker, self._monotonic)
        return pulse

    def all(self) -> list[Pulse]:
        """Return every worker's."""
        return list(self._known.values())
