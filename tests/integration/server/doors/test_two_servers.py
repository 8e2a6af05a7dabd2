"""One gate and two server processes on one database: the newer link is the link, wherever the older one is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from msgspec import Struct

from server.services import link
from server.services.problems_gates import LinkSuperseded
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.sync.feed import TicketEntry
from shared.sync.wire import Ack, Bye, FeedFrame, Ping, Pong, Scans
from tests.conftest import Databases
from tests.integration.server.doors.house import House, Wire, hello, open_house
from tests.integration.server.doors.linked import enter, settle
from tests.integration.server.doors.stage import Stage


class Pair(Struct, frozen=True, kw_only=True, eq=False):
    """Two servers; the event is the first one's."""

    first: House
    second: House


@pytest.fixture
async def pair(database: Databases, clock: ManualClock) -> AsyncIterator[Pair]:
    """Run two servers on one database, with the same keys."""
    ring = KeyRing({"k1": os.urandom(32)})
    async with open_house(database, clock, ring=ring) as first, open_house(database, clock, ring=ring) as second:
        yield Pair(first=first, second=second)


async def tickets_told(wire: Wire, count: int) -> list[int]:
    """Return the positions of the next so many tickets a link tells of."""
    told: list[int] = []
    while len(told) < count:
        frame = await wire.until(FeedFrame)
        told += [entry.seq for entry in frame.entries if isinstance(entry, TicketEntry)]
    return told


async def test_a_link_at_one_server_ends_the_older_one_at_the_other(pair: Pair) -> None:
    stage = pair.first.stage
    gate = await stage.enrol()
    head = await settle(pair.first)
    older, _ = await enter(pair.first, gate, feed_seq=head)
    newer, _ = await enter(pair.second, gate, feed_seq=head)
    assert (await older.until(Bye)).code == "superseded"
    [ticket, _] = await stage.issue(2)
    told = await tickets_told(newer, 2)
    assert told == [head + 1, head + 2]
    assert await older.receive() is None
    await gate.scan(ticket)
    await newer.send(Scans(signed=gate.batch()))
    assert await newer.until(Ack) == Ack(incarnation=gate.incarnation, upto=1)
    await newer.send(Ping(sent_ms=7, backlog=0, feed_seq=told[-1], bundle_version=0))
    assert (await newer.until(Pong)).sent_ms == 7


async def test_a_gate_can_come_back_to_the_server_it_left(pair: Pair) -> None:
    stage = pair.first.stage
    gate, other = await stage.enrol(), await stage.enrol("South")
    head = await settle(pair.first)
    beside, _ = await enter(pair.first, other, feed_seq=head)
    links = [(await enter(house, gate, feed_seq=head))[0] for house in (pair.first, pair.second, pair.first)]
    for older in links[:2]:
        assert (await older.until(Bye)).code == "superseded"
    await stage.issue(1)
    assert await tickets_told(links[2], 1) == [head + 1]
    assert await tickets_told(beside, 1) == [head + 1]


async def test_a_link_whose_server_missed_the_notice_ends_at_its_next_heartbeat(stage: Stage) -> None:
    gate = await stage.enrol()
    first = await link.greet(stage.context, gate.caller, hello(gate))
    second = await link.greet(stage.context, gate.caller, hello(gate))
    with pytest.raises(LinkSuperseded):
        await link.check_up(stage.context, gate.caller, known(first), None)
    assert (await link.check_up(stage.context, gate.caller, known(second), None)).bundle is not None


def known(greeting: link.Greeting) -> link.Known:
    """Return what a server knows of a gate it has just greeted."""
    return link.Known(bundle_version=0, commands=True, number=greeting.number)
