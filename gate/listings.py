"""That somebody took something out of a gate, the list of who is inside or its log: put on record by the gate itself.

Only the agent may write its log. Whoever takes something out leaves a mark in the data directory before; the agent turns it into
a record, which the server gets like any other, and takes the mark away. A crash between the two makes two records of one taking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

import structlog

from gate.files import write_private
from shared.admission.override import StaffAction
from shared.problems import Unavailable

_NAMES = MappingProxyType({StaffAction.LISTED_INSIDE: "listing", StaffAction.EXPORTED_LOG: "export"})
MARK_PATTERNS = tuple(f".{name}-*" for name in _NAMES.values())
UNFINISHED_PATTERNS = tuple(f".{pattern}" for pattern in MARK_PATTERNS)

_LOOK_EVERY_S = 2.0
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


def leave_mark(directory: Path, action: StaffAction) -> None:
    """Note durably that a list or the log is being taken out.

    Raises:
        Unavailable: the data directory cannot be written.
    """
    write_private(directory / f".{_NAMES[action]}-{uuid4().hex}", b"")


class Listings:
    """Puts the marks of a data directory on record, once the gate knows its event."""

    def __init__(
        self, directory: Path, ready: Callable[[], bool], note: Callable[[StaffAction], Awaitable[None]]
    ) -> None:
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
        for action, name in _NAMES.items():
            for mark in await asyncio.to_thread(_find, self._directory, name):
                await self._note(action)
                await asyncio.to_thread(_remove, mark)


def _find(directory: Path, name: str) -> list[Path]:
    return sorted(directory.glob(f".{name}-*"))


def _remove(mark: Path) -> None:
    try:
        mark.unlink(missing_ok=True)
    except OSError as exc:
        raise Unavailable(f"{mark} cannot be removed ({exc.strerror}): check its owner.") from exc
