"""The server of the simulation behind a real broker: what gates send goes through its queues, the feed through its streams.

The network still loses, delays and repeats what is between a gate and the broker; besides, the cables of gates that are cut off
are real connections that break, and the broker's process can be killed. After each step everything the broker holds for
somebody who listens is brought to its end, so that a seed's evening is the same again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Never

from msgspec import Struct

from gate.sync.problems import ServerAway
from server.bus.gate_office import open_office
from server.bus.gate_topology import GATES, SCANS, WORDS, joined
from server.bus.problems import BusAway
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.services.broker_keeper import BrokerKeeper
from server.services.feed_press import FeedPress, PressParts
from server.services.gate_mail import GateMail
from server.services.ports_bus import Arrived, Outcome
from shared.problems import TicketTokenError
from shared.settings import Secret
from shared.sync.wire import ServerFrame, decode_gate_frame, encode_frame
from tests.simulation.broker_line import Line
from tests.simulation.cables import Cables
from tests.simulation.hall import Hall, Post, ServerDied
from tests.simulation.lanes import Lane
from tests.simulation.mains import Mains
from tests.simulation.network import Network, Wire
from tests.simulation.noted_bus import NotedBus, Notes
from tests.simulation.server_side import SimServer, ToGate
from tests.simulation.timeline import Timeline
from tests.simulation.truth import Truth

_PATIENCE_S = 60.0
_CUT_FROM_MS, _CUT_TO_MS = 15_000, 75_000
_OUTAGE_MS = 3_000, 25_000
_Answer = Callable[[Arrived], Awaitable[Outcome]]


class Venue(Struct, frozen=True, kw_only=True, eq=False):
    """Where an evening over the broker is played; with ``mains`` the broker is killed once."""

    lane: Lane
    mains: Mains | None = None


class BrokerServer(SimServer):
    """A server process whose gates are linked over a broker; both the links and the queues outlive it."""

    def __init__(self, parts: tuple[Hall, list[Post], Truth, Random], venue: Venue) -> None:
        super().__init__(*parts)
        self._venue = venue
        self._cables = Cables(venue.lane.vhost, self.hall, self.posts)
        self._lines: dict[Wire, Line] = {}
        self._notes = Notes()
        self._readers: list[asyncio.Task[Never]] = []
        self._bus: NotedBus | None = None
        self._press: FeedPress | None = None
        self._under_way = 0
        self._changed = asyncio.Condition()
        self._lit = asyncio.Event()
        self._lit.set()

    def join(self, timeline: Timeline, network: Network, to_gate: ToGate) -> None:
        """Take the means to be reached and to answer; plan the broker's end, where it has one."""
        super().join(timeline, network, to_gate)
        network.watch(self._cables.part, self._cables.mend)
        if self._venue.mains is not None:
            timeline.after(self._rng.randrange(_CUT_FROM_MS, _CUT_TO_MS), self._lose_broker)

    async def receive(self, wire: Wire, data: bytes) -> None:
        """A gate's frame came as far as the broker, which keeps it, whether or not a server is there."""
        if not wire.open:
            return
        if not self._cables.laid:
            await self._set_up()
        try:
            line = await self._line(wire)
            self._under_way += 1
            await line.send(decode_gate_frame(data))
        except TicketTokenError as problem:
            self._under_way = max(0, self._under_way - 1)
            self.truth.tally(f"link {problem.code}")
            self._hang_up(wire)
            return
        await self._come_to_rest()
        await self._bring_letters(wire, line)

    async def die(self) -> None:
        """End the process: what it had in hand goes back to its queue, and the gates' links stay."""
        self.truth.tally("server crash")
        self.up = False
        await self._end_process()
        self._timeline.after(self._rng.randrange(1000, 12_000), self._start)

    async def close(self) -> None:
        """Let go of everything."""
        for line in self._lines.values():
            await line.close()
        await self._end_process()
        await self._cables.close()
        await super().close()

    async def _start(self) -> None:
        await super()._start()
        self._news = True
        if self._lit.is_set():
            await self._begin_process()
            await self._catch_up()

    async def _catch_up(self) -> None:
        """Take what waited for a server, and bring the gates what they were answered."""
        await self._come_to_rest()
        for wire, line in list(self._lines.items()):
            if self._cables.hold(wire.gate, line):
                await self._bring_letters(wire, line)

    async def _set_up(self) -> None:
        """Give every gate its account and the event its stream, as a server does, and begin to read."""
        await self._cables.lay()
        await self._keep_broker()
        if self.up:
            await self._begin_process()

    async def _keep_broker(self) -> int:
        """Bring the broker in line with the database; return how many shared queues had to be made again."""
        vhost = self._venue.lane.vhost
        async with open_office(Secret(vhost.api_url), vhost.name) as office, asyncio.timeout(_PATIENCE_S):
            keeper = BrokerKeeper(office, self.hall.db, self.hall.clock)
            while True:
                try:
                    repairs = await keeper.inspect()
                    await keeper.run_once()
                except BusAway:
                    # It has just started, and does not know its own queues yet: the program tries again as well.
                    continue
                return repairs.remade

    async def _lose_broker(self) -> None:
        """Have the broker's process killed; everybody's connection ends with it."""
        assert self._venue.mains is not None
        self.truth.tally("broker killed")
        self._lit.clear()
        self._cables.darken()
        await self._venue.mains.cut()
        for wire, line in self._lines.items():
            await line.until_ended()
            self._hang_up(wire)
        self._timeline.after(self._rng.randrange(*_OUTAGE_MS), self._regain_broker)

    async def _regain_broker(self) -> None:
        """Have it back: queues and streams that it cannot start any more are made anew by the server's own care."""
        assert self._venue.mains is not None
        await self._venue.mains.restore()
        if await self._keep_broker():
            self.truth.tally("queue made again")
            self._under_way = 0
        self._cables.lighten()
        self._notes.fed_to = 0
        self._news = True
        self._lit.set()
        if self.up and not self._readers:
            await self._begin_process()
        await self._catch_up()

    async def _pause(self, _: float) -> None:
        """Wait before trying the broker again: until there is one."""
        await self._lit.wait()
        await asyncio.sleep(0)

    async def _begin_process(self) -> None:
        plan = RabbitPlan(
            url=Secret(self._venue.lane.vhost.url),
            topology=joined(TICKETS, GATES),
            prefetch=1,
            waiting=0,
            pause=self._pause,
        )
        bus = self._bus = NotedBus(plan, self._notes)
        mail = GateMail(self.context, bus)
        parts = PressParts(context=self.context, book=self.hall.db, bus=bus, snapshots=self._snapshots)
        self._press = FeedPress(parts)
        for queue, answer in ((SCANS, mail.on_scans), (WORDS, mail.on_word)):
            self._readers.append(asyncio.create_task(bus.consume(queue, self._counting(answer))))

    async def _end_process(self) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        if self._bus is not None:
            await self._bus.close()

    def _counting(self, answer: _Answer) -> _Answer:
        async def handle(arrived: Arrived) -> Outcome:
            try:
                outcome = await answer(arrived)
            except ServerDied:
                await self._note(died=True)
                # A process that is dead says nothing more, neither yes nor no.
                await asyncio.Event().wait()
                raise
            await self._note(died=False)
            return outcome

        return handle

    async def _note(self, *, died: bool) -> None:
        self.relay_due = True
        async with self._changed:
            if died:
                self.up = False
            else:
                # What the broker could not note as done when it was killed comes once more.
                self._under_way = max(0, self._under_way - 1)
            self._changed.notify_all()

    async def _come_to_rest(self) -> None:
        """Wait until the server has handled everything, or died of it."""
        if not self.up or not self._lit.is_set():
            return
        async with asyncio.timeout(_PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self._under_way == 0 or not self.up)
        if not self.up:
            await self.die()

    async def _tell_gates(self) -> None:
        if not (self.up and self._news and self._lit.is_set()) or self._press is None:
            return
        self._news = False
        try:
            await self._press.run_once()
        except ServerDied:
            await self.die()
            return
        for wire, line in self._lines.items():
            if line.following and wire.open and self._cables.hold(wire.gate, line):
                await self._bring_feed(wire, line)

    async def _bring_letters(self, wire: Wire, line: Line) -> None:
        """Hand a gate everything that was written to it, and the feed if it has just begun to follow it."""
        followed = line.following
        self._hand_over(wire, await line.letters(self._notes.letters[line.session]))
        if line.following and not followed:
            await self._bring_feed(wire, line)

    async def _bring_feed(self, wire: Wire, line: Line) -> None:
        self._hand_over(wire, await line.feed(self._notes.fed_to))
        if line.stalled:
            self.truth.tally("stream stalled")
            self._hang_up(wire)

    def _hand_over(self, wire: Wire, frames: list[ServerFrame]) -> None:
        for frame in frames:
            self._send_bytes(wire, encode_frame(frame))

    async def _line(self, wire: Wire) -> Line:
        """Return the link of a connection; an earlier one of the same gate ends first."""
        found = self._lines.get(wire)
        if found is not None:
            if self._cables.hold(wire.gate, found):
                return found
            raise ServerAway("The connection broke.")
        for other in [one for one in self._lines if one.gate == wire.gate or not one.open]:
            await self._lines.pop(other).close()
        line = self._lines[wire] = await self._cables.dial(wire.gate)
        return line
