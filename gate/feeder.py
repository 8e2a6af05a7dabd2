"""The way from the threads that read codes into the loop that decides."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from gate.admit import Shown
from gate.desk import ScanDesk
from gate.sources import SourceEvents

_LOOK_EVERY_S = 0.2


class Feeder:
    """Takes a source's events in its own threads and brings them to the loop it was made in."""

    def __init__(self, desk: ScanDesk, on_fault: Callable[[Exception], None]) -> None:
        self._desk = desk
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._closed = threading.Event()
        self.live = True
        self.ended = asyncio.Event()

    def events(self) -> SourceEvents:
        """Return what to give to the source."""
        return SourceEvents(on_shown=self._show, on_fault=self._fail, on_end=self._end)

    def close(self) -> None:
        """Let go of a thread that waits for room."""
        self._closed.set()

    def _show(self, shown: Shown) -> None:
        if self.live:
            self._loop.call_soon_threadsafe(self._desk.offer, shown)
            return
        waiting = asyncio.run_coroutine_threadsafe(self._desk.put(shown), self._loop)
        while not waiting.done() and not self._closed.is_set():
            try:
                waiting.result(_LOOK_EVERY_S)
            except TimeoutError:
                continue
        if not waiting.done():
            waiting.cancel()

    def _fail(self, fault: Exception) -> None:
        self._loop.call_soon_threadsafe(self._on_fault, fault)

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self.ended.set)
