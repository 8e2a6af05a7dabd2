"""Opening the way after an admission: one opening after the other, beside the scanning and never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import structlog
from msgspec import Struct

from gate.openings import Opening, Openings
from gate.outcome import Outcome
from gate.ports import RecordKind
from shared.clock import Clock
from shared.ids import ScanId
from shared.problems import TicketTokenError, Unavailable

_log: structlog.stdlib.BoundLogger = structlog.get_logger()
_HEARD = 16


class TurnstileStuck(Unavailable):
    """The turnstile could not be told to open."""

    code = "turnstile_stuck"


class Happened(StrEnum):
    """What became of an opening."""

    OPENED = "opened"
    STUCK = "stuck"
    TURNED = "turned"
    UNUSED = "unused"
    TAKEN_BACK = "taken_back"
    DOUBTED = "doubted"


class TurnstileNews(Struct, frozen=True, kw_only=True):
    """What became of the opening for a record of the log; ``gate_seq`` is None where nobody knows which it was.

    ``unused``: it opened and nobody went through, and the admission stands. ``taken_back``: the same, and it was taken back.
    ``doubted``: the same again and again, which no turnstile says that works; the admission stands.
    """

    what: Happened
    at: datetime
    gate_seq: int | None
    message: str = ""


NewsSink = Callable[[TurnstileNews], Awaitable[None]]
TakeBack = Callable[[ScanId], Awaitable[bool]]
"""Takes an admission back that nobody used; says whether that was done. May raise a TicketTokenError."""


class Barrier(Protocol):
    """Whatever opens the way."""

    async def open(self, gate_seq: int) -> None:
        """Open once, for the record of this number.

        Raises:
            TurnstileStuck: it did not, or did not in time.
        """
        ...

    async def close(self) -> None:
        """Let go of the device."""
        ...


class Turnstile:
    """Opens for every admission on record, in order; what fails is told, and the next one is tried anew.

    A repeat of an answer opens nothing: it may be the same person's second glance. Without ``take_back`` an admission that
    nobody used stands, and the staff is told.
    """

    def __init__(self, barrier: Barrier, clock: Clock, tell: NewsSink, take_back: TakeBack | None = None) -> None:
        self._barrier = barrier
        self._clock = clock
        self._tell = tell
        self._take_back = take_back
        self._openings = Openings()
        self._heard: asyncio.Queue[tuple[Happened, int | None]] = asyncio.Queue(maxsize=_HEARD)

    async def run(self, outcomes: AsyncIterator[Outcome]) -> None:
        """Open for the outcomes until there are no more; the gate keeps 64 for a turnstile that is slow."""
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(self._listen())
            try:
                async for outcome in outcomes:
                    if opens(outcome) and outcome.gate_seq is not None and outcome.scan is not None:
                        await self._open(outcome.gate_seq, outcome.scan)
            except TicketTokenError as problem:
                # What ended the gate, told by the one who runs it.
                _log.info("turnstile.ended", code=problem.code)
            finally:
                listening.cancel()
                await self._barrier.close()

    def hear(self, what: Happened, gate_seq: int | None) -> None:
        """Take what the device says of an opening; a device that talks faster than it can be told is not listened to."""
        _log.info("turnstile.heard", what=what.value, gate_seq=gate_seq)
        if self._heard.full():
            _log.warning("turnstile.babbles")
            return
        self._heard.put_nowait((what, gate_seq))

    async def _listen(self) -> None:
        while True:
            what, gate_seq = await self._heard.get()
            if what is Happened.TURNED:
                opening = self._openings.turned(gate_seq)
                await self._announce(what, gate_seq if opening is None else opening.gate_seq)
            else:
                await self._settle_unused(gate_seq)

    async def _settle_unused(self, named: int | None) -> None:
        opening = self._openings.unused(named, self._clock.monotonic())
        if opening is None:
            await self._announce(Happened.UNUSED, named)
            return
        what = Happened.UNUSED
        if self._take_back is not None and self._openings.is_doubtful:
            what = Happened.DOUBTED
        elif self._take_back is not None and opening.certain:
            what = await self._undo(opening, self._take_back)
        await self._announce(what, opening.gate_seq)

    async def _undo(self, opening: Opening, take_back: TakeBack) -> Happened:
        try:
            # Once begun it is done: the end of a night must not leave a record that nobody counted.
            done = await asyncio.shield(take_back(opening.scan))
        except TicketTokenError as problem:
            _log.error("turnstile.not_taken_back", gate_seq=opening.gate_seq, code=problem.code, message=str(problem))
            return Happened.UNUSED
        return Happened.TAKEN_BACK if done else Happened.UNUSED

    async def _open(self, gate_seq: int, scan: ScanId) -> None:
        self._openings.add(gate_seq, scan, self._clock.monotonic())
        try:
            await self._barrier.open(gate_seq)
        except TurnstileStuck as problem:
            self._openings.forget(gate_seq)
            _log.error("turnstile.stuck", gate_seq=gate_seq, message=str(problem))
            await self._announce(Happened.STUCK, gate_seq, str(problem))
            return
        await self._announce(Happened.OPENED, gate_seq)

    async def _announce(self, what: Happened, gate_seq: int | None, message: str = "") -> None:
        try:
            await self._tell(TurnstileNews(what=what, at=self._clock.now(), gate_seq=gate_seq, message=message))
        except TicketTokenError as problem:
            # The scan's own line meets the same trouble, and ends the gate with it.
            _log.error("turnstile.untold", code=problem.code, message=str(problem))


def opens(outcome: Outcome) -> bool:
    """Say whether somebody may pass now who could not before: an admission or an exit that is on record."""
    return outcome.verdict.admitted and outcome.gate_seq is not None and outcome.kind is RecordKind.SCAN
