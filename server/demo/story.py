"""The tour itself: sell, enrol, scan, cut the cable, scan on, plug it in again, and count."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

from msgspec import Struct

from server.demo.cable import Cable
from server.demo.evening import (
    REGULARS,
    Cast,
    cut_off_north,
    cut_off_south,
    first_act_north,
    first_act_south,
)
from server.demo.lane import Guest, Lane, Seen
from server.demo.narrator import Narrator
from server.demo.venue import Venue
from shared.clock import Clock

_FILM_LEAD = timedelta(seconds=5)
"""Codes are made for the moment the film will play, a few seconds after it was ordered."""

_READ_TIMEOUT_S = 45.0
_LINK_TIMEOUT_S = 30.0


class Stage(Struct, frozen=True, kw_only=True):
    """Everything the story happens on."""

    venue: Venue
    cable: Cable
    north: Lane
    south: Lane
    narrator: Narrator
    clock: Clock


class Told(Struct, kw_only=True):
    """What came of it, filled in as the story goes on."""

    problems: list[str]
    snapshot_tickets: int = 0


async def tell(stage: Stage, told: Told, *, screen: bool) -> None:
    """Play all acts; expectations that do not hold are added to ``told.problems``."""
    async with AsyncExitStack() as stack:
        cast = await _sell(stage)
        await _enrol(stage, told, stack, screen=screen)
        await _scan_online(stage, told, cast)
        await _scan_cut_off(stage, told, cast)
        await _reunite(stage)


async def _sell(stage: Stage) -> Cast:
    venue, narrator = stage.venue, stage.narrator
    narrator.act("Tickets are sold")
    with narrator.progress("reserve and pay over REST", venue.places) as bar:
        await venue.sell_out(bar.advance)
    narrator.say(f"{venue.places} tickets sold, each purchase one transaction.")
    regulars = await venue.fetch_phones(REGULARS)
    sender, recipient = await venue.pass_on_ticket()
    narrator.say("One ticket was passed on to a friend: its old codes are dead.")
    stranger = await venue.fetch_strangers_phone()
    (divided,) = await venue.fetch_phones(1)
    return Cast(regulars=tuple(regulars), sender=sender, recipient=recipient, stranger=stranger, divided=divided)


async def _enrol(stage: Stage, told: Told, stack: AsyncExitStack, *, screen: bool) -> None:
    narrator, lanes = stage.narrator, (stage.north, stage.south)
    narrator.act("Two gates are enrolled and load the event")
    for lane in lanes:
        await lane.enrol(await stage.venue.enrolment_code(lane.name))
        stack.push_async_callback(lane.stop)
        narrator.say(f"{lane.name}: made its own keys, traded a one-time code for an identity")
    if screen:
        narrator.say("The first gate's screen opens on this terminal.")
        narrator.hush()
    await stage.north.start(screen=screen)
    await stage.south.start()
    for lane in lanes:
        await lane.wait_for_status("linked and loaded", _LINK_TIMEOUT_S, linked=True, ready=True)
        tickets = int(str(lane.status.get("tickets", 0)))
        told.snapshot_tickets = tickets
        narrator.say(f"{lane.name}: {tickets} tickets and three days of keys on its own disk")
        if tickets < stage.venue.places:
            told.problems.append(f"{lane.name} loaded {tickets} of {stage.venue.places} tickets")


async def _scan_online(stage: Stage, told: Told, cast: Cast) -> None:
    stage.narrator.act("Doors open, the network is up")
    at = stage.clock.now() + _FILM_LEAD
    north, south = first_act_north(cast, at), first_act_south(cast, at)
    await _play(stage, told, north, south, seed=1)


async def _scan_cut_off(stage: Stage, told: Told, cast: Cast) -> None:
    stage.narrator.act("The cable is cut; the doors stay open")
    await stage.cable.cut()
    for lane in (stage.north, stage.south):
        await lane.wait_for_status("offline", _LINK_TIMEOUT_S, linked=False, mode="offline")
    late = await stage.venue.sell_one_more()
    at = stage.clock.now() + _FILM_LEAD
    await _play(stage, told, cut_off_north(cast, at), cut_off_south(cast, late, at), seed=2)


async def _reunite(stage: Stage) -> None:
    stage.narrator.act("The cable is back; the gates hand over their logs")
    await stage.cable.plug_in()
    for lane in (stage.north, stage.south):
        await lane.wait_for_status("everything handed over", _LINK_TIMEOUT_S, linked=True, backlog=0)
        stage.narrator.say(f"{lane.name}: linked again, nothing left to hand over")


async def _play(stage: Stage, told: Told, north: Sequence[Guest], south: Sequence[Guest], seed: int) -> None:
    """Film both queues, wait for every verdict and compare."""
    stage.narrator.say(f"[dim]rendering {len(north)} and {len(south)} people in front of two cameras (1280×720) …[/]")
    await stage.north.film(north, seed)
    await stage.south.film(south, seed + 100)
    queues = ((stage.north, north), (stage.south, south))
    answers = await asyncio.gather(*(lane.wait_for_scans(guests, _READ_TIMEOUT_S) for lane, guests in queues))
    for (lane, guests), seen in zip(queues, answers, strict=True):
        for guest, verdict in zip(guests, seen, strict=True):
            _compare(stage, told, lane, guest, verdict)


def find_fault(gate: str, guest: Guest, seen: Seen | None) -> str | None:
    """Return what is wrong with a gate's answer to a guest, None if it is what must happen."""
    if seen is None:
        return f"{gate}: {guest.who} must get {guest.reason} but was never read"
    if (seen.admitted, seen.reason) != (guest.admitted, guest.reason):
        return f"{gate}: {guest.who} must get {guest.reason} but got {seen.reason}"
    return None


def _compare(stage: Stage, told: Told, lane: Lane, guest: Guest, seen: Seen | None) -> None:
    fault = find_fault(lane.name, guest, seen)
    stage.narrator.show_scan(lane.name, guest.who, seen, as_expected=fault is None)
    if fault is not None:
        told.problems.append(fault)
