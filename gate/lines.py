"""Codes as lines of text from standard input: hand scanners, scripts, tests."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from shared.problems import Internal

_READ_SIZE = 65536
_LONGEST_LINE = 4096
STOP_WITHIN_S = 2.0


class LineEvents(Struct, frozen=True, kw_only=True):
    """Whom the reader tells, from its own thread; ``on_end`` and ``on_fault`` are called at most once and last."""

    on_text: Callable[[str], None]
    on_fault: Callable[[Exception], None]
    on_end: Callable[[], None]


class LineStatus(Struct, frozen=True, kw_only=True):
    """How the reader is doing, in a camera's terms."""

    fps: float
    camera_alive: bool


class LineSource:
    """Reads one file descriptor line by line until its end; can be stopped while it waits."""

    def __init__(self, descriptor: int, events: LineEvents) -> None:
        self._descriptor = descriptor
        self._events = events
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="lines", daemon=True)

    def start(self) -> None:
        """Start reading."""
        if self._thread.ident is not None:
            raise Internal("A line source was started twice: make a new one for each run.")
        self._thread.start()

    def stop(self) -> bool:
        """Stop and wait up to two seconds; return False when the reader is still busy."""
        os.write(self._wake_write, b"x")
        if self._thread.ident is not None:
            self._thread.join(STOP_WITHIN_S)
        if self._thread.is_alive():
            return False
        os.close(self._wake_read)
        os.close(self._wake_write)
        return True

    def status(self) -> LineStatus:
        """Return whether it reads."""
        return LineStatus(fps=0.0, camera_alive=self._thread.is_alive())

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:  # noqa: ARG002 - a screen asks every source
        """Return None: there is nothing to see."""
        return None

    def _run(self) -> None:
        try:
            stopped = self._read_all()
        except Exception as exc:  # noqa: BLE001 - the end of a thread: whatever went wrong is handed on, not lost
            self._events.on_fault(exc)
            return
        if not stopped:
            self._events.on_end()

    def _read_all(self) -> bool:
        """Read to the end; return True when stopped before it."""
        rest = b""
        while True:
            ready, _, _ = select.select([self._descriptor, self._wake_read], [], [])
            if self._wake_read in ready:
                return True
            part = os.read(self._descriptor, _READ_SIZE)
            rest += part
            *lines, rest = rest.split(b"\n") if part else [rest, b""]
            for text in _clean(lines):
                self._events.on_text(text)
            if not part:
                return False
            rest = rest[: _LONGEST_LINE + 1]  # what is longer is no code; enough is kept to see that


def _clean(lines: list[bytes]) -> Iterator[str]:
    for line in lines:
        # Blanks stay: a code may begin with one.
        text = line.decode("utf-8", "replace").strip("\r\n\t")
        if text.strip():
            yield text
