"""That somebody wrote a list of who is inside: noted beside a gate that may be running, and put on record by the gate itself.

Only the agent may write its log. Whoever makes a list leaves a mark in the data directory before; the agent turns it into a
record, which the server gets like any other, and takes the mark away. A crash between the two makes two records of one list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import structlog

from gate.files import write_private
from shared.problems import Unavailable

MARK_PATTERN = ".listing-*"
UNFINISHED_PATTERN = "..listing-*"

_LOOK_EVERY_S = 2.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def leave_mark(directory: Path) -> None:
    """Note durably that a list is being made.

    Raises:
        Unavailable: the data directory cannot be written.
    """
    write_private(directory / f".listing-{uuid4().hex}", b"")


class Listings:
    """Puts the marks of a data directory on record, once the gate knows its event."""

    def __init__(self, directory: Path, ready: Callable[[], bool], note: Callable[[], Awaitable[None]]) -> None:
        self._directory = directory
        self._ready = ready
        self._note = note

    async def keep_recording(self) -> None:
        """Look for marks until cancelled; a disk that takes nothing is tried again.

        Raises:
            TicketTokenError: the log cannot be used any more.
        """
        while True:
            try:
                await self.record()
            except Unavailable as problem:
                _log.warning("listing.not_recorded", code=problem.code, message=str(problem))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def record(self) -> None:
        """Put every mark on record that is there now."""
        if not self._ready():
            return
        for mark in await asyncio.to_thread(lambda: sorted(self._directory.glob(MARK_PATTERN))):
            await self._note()
            await asyncio.to_thread(_remove, mark)


def _remove(mark: Path) -> None:
    try:
        mark.unlink(missing_ok=True)
    except OSError as exc:
        raise Unavailable(f"{mark} cannot be removed ({exc.strerror}): check its owner.") from exc
