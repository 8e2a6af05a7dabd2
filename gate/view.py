"""The running gate as a screen sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.admit import Shown
from gate.clockbelief import ClockBelief
from gate.desk import Audience, ScanDesk
from gate.identity import Identity
from gate.knowledge import Knowledge
from gate.outcome import GateStatus, Outcome
from gate.sources import Source
from gate.sync.driver import SyncDriver
from gate.sync.engine import SyncEngine
from shared.clock import Clock, unix_ms


class ViewParts(Struct, frozen=True, kw_only=True, eq=False):
    """What a view shows."""

    identity: Identity
    knowledge: Knowledge
    engine: SyncEngine
    belief: ClockBelief
    audience: Audience
    desk: ScanDesk
    driver: SyncDriver
    clock: Clock


class AgentView:
    """Implements ``GateView`` over the parts of a running gate."""

    def __init__(self, parts: ViewParts) -> None:
        self._parts = parts
        self.source: Source | None = None

    @property
    def ready(self) -> bool:
        """Whether the gate can decide."""
        return self._parts.knowledge.ready

    async def refresh(self) -> None:
        """Count the tickets again if some came."""
        await self._parts.knowledge.recount_tickets()

    def outcomes(self) -> AsyncIterator[Outcome]:
        """Yield every outcome from now on; ends when the gate stops, with the problem that stopped it if any."""
        return self._parts.audience.follow()

    def status(self) -> GateStatus:
        """Return the present condition, without asking the disk."""
        knowledge, engine = self._parts.knowledge, self._parts.engine
        source = self.source.status() if self.source is not None else None
        return GateStatus(
            gate_name=self._parts.identity.name,
            event_name=knowledge.event_name,
            mode=engine.mode,
            linked=engine.linked,
            data_age_s=self._data_age_s(),
            backlog=self._parts.driver.backlog,
            keys_until=knowledge.keys_until,
            clock_offset_s=self._parts.belief.offset_s(),
            camera_alive=source is not None and source.camera_alive,
            camera_fps=source.fps if source is not None else 0.0,
            tickets=knowledge.tickets,
            counts=knowledge.counts(),
        )

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """Return the newest camera picture, or None when there is none."""
        return self.source.thumbnail(width, height) if self.source is not None else None

    async def submit(self, text: str) -> None:
        """Queue a code that was typed or read by a hand scanner."""
        await self._parts.desk.put(Shown(text=text, taken_s=self._parts.clock.monotonic()))

    def _data_age_s(self) -> float | None:
        confirmed_ms = self._parts.knowledge.confirmed_ms
        if confirmed_ms is None:
            return None
        return max(0.0, (unix_ms(self._parts.clock.now()) - confirmed_ms) / 1000)
