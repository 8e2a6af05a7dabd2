"""A gate's scan path over real files, at a clock moved by hand."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct

from gate.admit import AdmitParts, Admitter, Post, Shown
from gate.clockbelief import ClockBelief
from gate.desk import ScanDesk
from gate.identity import is_enrolled
from gate.keystore import load_keys
from gate.knowledge import Knowledge, KnowledgeParts
from gate.lookup import Lookup
from gate.outcome import Outcome
from gate.overrule import Overruler
from gate.pins import PinDesk
from gate.selfcheck import ClockSelfCheck
from gate.store.log import ScanLog, open_log
from gate.store.world import World, open_world
from gate.supervise import Supervision, SupervisionParts
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
    desk: ScanDesk
    staff: Supervision
    told: list[Outcome]
    seal_to: X25519PublicKey

    async def show(self, text: str) -> Outcome:
        """Present a code."""
        return await self.admitter.admit(Shown(text=text, taken_s=self.clock.monotonic()))

    async def show_ticket(self, number: int) -> Outcome:
        """Present the code that a ticket's phone shows now."""
        return await self.show(self.venue.code(self.venue.ticket(number), self.clock.now()))

    def shown_ticket(self, number: int) -> Shown:
        """Return the code that a ticket's phone shows now, as a source gives it."""
        text = self.venue.code(self.venue.ticket(number), self.clock.now())
        return Shown(text=text, taken_s=self.clock.monotonic())

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
    enrolled = await asyncio.to_thread(is_enrolled, directory)
    keys = await asyncio.to_thread(load_keys if enrolled else enrol_by_hand, directory)
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
    admitter, told = Admitter(parts), list[Outcome]()
    desk, staff = staff_of(parts, admitter, knowledge, log, told)
    return Door(
        venue=venue,
        clock=clock,
        log=log,
        world=world,
        knowledge=knowledge,
        parts=parts,
        admitter=admitter,
        desk=desk,
        staff=staff,
        told=told,
        seal_to=keys.seal.public_key(),
    )


def staff_of(
    parts: AdmitParts, admitter: Admitter, knowledge: Knowledge, log: ScanLog, told: list[Outcome]
) -> tuple[ScanDesk, Supervision]:
    """Return a desk and the staff's side of a gate; ``told`` takes every answer."""

    def count(outcome: Outcome) -> None:
        assert outcome.gate_seq is not None
        knowledge.note_scan(outcome.gate_seq, outcome.at, admitted=outcome.verdict.admitted, kind=outcome.kind)

    async def answer(outcome: Outcome) -> None:
        count(outcome)
        told.append(outcome)

    desk = ScanDesk(admitter, answer)
    staff = Supervision(
        SupervisionParts(
            roster=knowledge,
            pins=PinDesk(log, parts.clock),
            overruler=Overruler(parts, admitter.turn, admitter.refused, admitter.ages),
            lookup=Lookup(parts),
            post=parts.post,
            journal=log,
            desk=desk,
            clock=parts.clock,
            answer=answer,
            count=count,
        )
    )
    return desk, staff
