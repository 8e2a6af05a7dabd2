"""The running gate as a screen sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from gate.admit import Post
from gate.clockbelief import ClockBelief
from gate.desk import Audience, ScanDesk
from gate.hand import HandSource
from gate.identity import Identity
from gate.knowledge import Knowledge
from gate.obedience import Obedience
from gate.outcome import AreaHere, GateInfo, GateStatus, Outcome
from gate.sources import Source
from gate.staff import Staff
from gate.sync.driver import SyncDriver
from gate.sync.engine import SyncEngine
from shared.clock import Clock
from shared.ids import CommandId, GateId


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
    staff: Staff
    obedience: Obedience
    post: Post
    software: str


class AgentView:
    """Implements ``GateView`` over the parts of a running gate."""

    def __init__(self, parts: ViewParts) -> None:
        self._parts = parts
        self.source: Source | None = None
        self._hand: HandSource | None = None
        self._handed = asyncio.Event()

    @property
    def staff(self) -> Staff:
        """What the staff may do."""
        return self._parts.staff

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
            gate_name=self._parts.post.name,
            event_name=knowledge.event_name,
            mode=engine.mode,
            linked=engine.linked,
            data_age_s=knowledge.data_age_s(),
            backlog=self._parts.driver.backlog,
            keys_until=knowledge.keys_until,
            clock_offset_s=self._parts.belief.offset_s(),
            camera_alive=source is not None and source.camera_alive,
            camera_fps=source.fps if source is not None else 0.0,
            tickets=knowledge.tickets,
            counts=knowledge.counts(),
            inside=knowledge.standing().inside,
            way=self._parts.driver.way,
            hindrance=self._parts.driver.hindrance,
            held=self._parts.obedience.held,
            notices=self._parts.obedience.notices,
            revoked=knowledge.revoked,
        )

    def info(self) -> GateInfo:
        """Return what the gate is and knows."""
        identity, knowledge, engine = self._parts.identity, self._parts.knowledge, self._parts.engine
        post = self._parts.post
        standing = knowledge.standing()
        return GateInfo(
            gate=identity.gate,
            server=identity.server,
            software=self._parts.software,
            direction=post.direction,
            zones=post.zones,
            products=post.products,
            policy=knowledge.briefing.policy if knowledge.ready else None,
            inside=standing.inside,
            behind=standing.behind,
            feed_seq=knowledge.feed_seq,
            logged=self._parts.driver.backlog + engine.acked,
            acked=engine.acked,
            bundle_version=knowledge.bundle_version,
            unsure_ms=self._parts.belief.unsure_ms(),
            role=post.role,
            areas=self._areas(standing.bodies or {}) if knowledge.ready else (),
        )

    def _areas(self, bodies: Mapping[GateId, int]) -> tuple[AreaHere, ...]:
        briefing, here = self._parts.knowledge.briefing, self._parts.post.gate
        names = {**briefing.gates, here: self._parts.post.name}
        return tuple(
            AreaHere(
                gates=tuple(names.get(gate, "?") for gate in area.gates),
                inside=max(0, sum(bodies.get(gate, 0) for gate in area.gates)),
                capacity=area.capacity,
            )
            for area in briefing.policy.area_limits
            if here in area.gates
        )

    def watch_codes(self, take: Callable[[str], None] | None) -> None:
        """Give the codes that sources read to somebody who only looks at them; None lets them be decided again."""
        self._parts.desk.onlooker = take

    def thumbnail(self, width: int, height: int) -> NDArray[np.uint8] | None:
        """Return the newest camera picture, or None when there is none."""
        return self.source.thumbnail(width, height) if self.source is not None else None

    async def confirm_notice(self, notice: CommandId) -> None:
        """Note that somebody has read a notice."""
        await self._parts.obedience.confirm(notice)

    def take_hand(self, hand: HandSource) -> None:
        """Have what is typed come in by this source from now on."""
        self._hand = hand
        self._handed.set()

    async def submit(self, text: str) -> None:
        """Show the gate a code or number that came from the keyboard, by the way every source shows it; waits for the gate.

        Raises:
            Unavailable: the gate is stopping.
        """
        await self._handed.wait()
        if self._hand is not None:
            await self._hand.give(text)
