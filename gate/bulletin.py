"""Tells those who follow the gate when its condition changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from gate.outcome import GateStatus
from gate.watch import Watch
from shared.clock import Clock

_LOOK_EVERY_S = 0.5
_COUNT_EVERY_S = 1.0

Teller = Callable[[str, GateStatus], Awaitable[None]]
"""Told what happened and the gate's condition then."""


class Observed(Protocol):
    """The gate as far as it is looked at."""

    @property
    def ready(self) -> bool:
        """Whether the gate can decide."""
        ...

    def status(self) -> GateStatus:
        """Return the present condition."""
        ...

    async def refresh(self) -> None:
        """Count what is too slow to count each time."""
        ...


class Condition(Struct, frozen=True, kw_only=True):
    """The part of a status whose changes are told."""

    linked: bool
    mode: str
    ready: bool
    camera_alive: bool
    backlog: int
    held: bool = False
    message: str | None = None


class Bulletin:
    """Looks whenever something may have changed, and tells what did."""

    def __init__(self, gate: Observed, watch: Watch, clock: Clock, tell: Teller) -> None:
        self._gate = gate
        self._watch = watch
        self._clock = clock
        self._tell = tell
        self._before = self._look_now()
        self._counted_s = clock.monotonic()

    async def keep_telling(self) -> None:
        """Tell changes until cancelled."""
        while True:
            await self._watch.next(_LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Tell what changed since the last look."""
        after = self._look_now()
        changes = name_changes(self._before, after)
        # A backlog that comes and goes with each scan is no news; one that was told of is.
        self._before = after if changes or after.backlog > self._before.backlog else self._before
        for what in changes:
            await self.announce(what)
        if self._clock.monotonic() - self._counted_s >= _COUNT_EVERY_S:
            self._counted_s = self._clock.monotonic()
            await self._gate.refresh()

    async def announce(self, what: str) -> None:
        """Tell that something happened."""
        await self._gate.refresh()
        await self._tell(what, self._gate.status())

    def _look_now(self) -> Condition:
        status = self._gate.status()
        return Condition(
            linked=status.linked,
            mode=status.mode.value,
            ready=self._gate.ready,
            camera_alive=status.camera_alive,
            backlog=status.backlog,
            held=status.held is not None,
            message=str(status.notices[-1].command) if status.notices else None,
        )


def name_changes(before: Condition, after: Condition) -> list[str]:
    """Return what happened between two conditions, the most important first."""
    changes: list[str] = []
    if before.linked != after.linked:
        changes.append("link_up" if after.linked else "link_down")
    if before.ready != after.ready:
        changes.append("ready")
    if before.mode != after.mode:
        changes.append("mode")
    if before.camera_alive != after.camera_alive:
        changes.append("camera")
    if before.held != after.held:
        changes.append("held" if after.held else "resumed")
    if after.message not in {None, before.message}:
        changes.append("message")
    if before.backlog and not after.backlog:
        changes.append("drained")
    return changes
