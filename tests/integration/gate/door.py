"""A gate's scan path over real files, at a clock moved by hand."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import UUID

from msgspec import Struct

from gate.admit import AdmitParts, Admitter, Post, Shown
from gate.clockbelief import ClockBelief
from gate.knowledge import Knowledge, KnowledgeParts
from gate.outcome import Outcome
from gate.selfcheck import ClockSelfCheck
from gate.store.log import ScanLog, open_log
from gate.store.world import World, open_world
from gate.trust import OrganiserTrust
from shared.admission.verdict import Direction
from shared.clock import ManualClock
from shared.ids import IncarnationId
from shared.sync.feed import FeedEntry
from shared.sync.scan import ScanRecord, decode_record
from tests.integration.gate.venue import (
    Venue,
    enrol_by_hand,
    identity,
    stock,
)


class Door(Struct, frozen=True, kw_only=True, eq=False):
    """A gate's scan path over real files, at a clock moved by hand."""

    venue: Venue
    clock: ManualClock
    log: ScanLog
    world: World
    knowledge: Knowledge
    parts: AdmitParts
    admitter: Admitter

    async def show(self, text: str) -> Outcome:
        """Present a code."""
        return await self.admitter.admit(Shown(text=text, taken_s=self.clock.monotonic()))

    async def show_ticket(self, number: int) -> Outcome:
        """Present the code that a ticket's phone shows now."""
        return await self.show(self.venue.code(self.venue.ticket(number), self.clock.now()))

    async def records(self) -> list[ScanRecord]:
        """Return everything recorded."""
        return [decode_record(logged.body) for logged in await self.log.read_between(0, 1000)]

    async def close(self) -> None:
        """Close the files."""
        await self.log.close()
        await self.world.close()

    async def learn(self, *entries: FeedEntry) -> None:
        """Take in feed entries."""
        await self.world.apply(entries, entries[-1].seq)
        await self.knowledge.on_feed(list(entries))


async def open_door(directory: Path, venue: Venue, tickets: int, clock: ManualClock) -> Door:
    """Return a gate with a number of tickets, over an existing directory if there is one."""
    keys = await asyncio.to_thread(enrol_by_hand, directory)
    await stock(directory, venue, keys, tickets)
    log, world = await open_log(directory, IncarnationId(UUID(int=7))), await open_world(directory)
    who = identity()
    trust = OrganiserTrust(directory, who)
    knowledge = Knowledge(KnowledgeParts(identity=who, trust=trust, keys=keys, log=log, world=world, clock=clock))
    await knowledge.load()
    parts = AdmitParts(
        post=Post(gate=who.gate, name=who.name, direction=Direction.ENTRY, zones=0, products=()),
        journal=log,
        tickets=world,
        surroundings=knowledge,
        belief=ClockBelief(ClockSelfCheck(), clock),
        clock=clock,
        random_bytes=os.urandom,
    )
    return Door(
        venue=venue, clock=clock, log=log, world=world, knowledge=knowledge, parts=parts, admitter=Admitter(parts)
    )
