"""The server of the simulation behind a real broker: what gates send goes through its queues, the feed through its streams.

The network still loses, delays and repeats what is between a gate and the broker; the broker and its links are real. After each
step everything the broker holds for somebody who listens is brought to its end, so that a seed's evening is the same again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from random import Random

from gate.sync.broker_address import read_broker_address
from gate.sync.broker_channel import BrokerTarget
from gate.sync.link_amqp import BrokerSelf
from gate.sync.problems import ServerAway
from server.bus.gate_office import open_office
from server.bus.gate_topology import GATES, SCANS, WORDS, joined
from server.bus.rabbit import RabbitBus, open_rabbit
from server.bus.rabbit_link import RabbitPlan
from server.bus.topology import TICKETS
from server.services.broker_access import BrokerOffer, offer_account
from server.services.broker_keeper import BrokerKeeper
from server.services.feed_press import FeedPress, PressParts
from server.services.gate_mail import GateMail
from server.services.ports_bus import Arrived, Outcome, Posting
from shared.settings import Secret
from shared.sync.access import BrokerAccess, open_access
from shared.sync.broker import DOWN, FEED, Letter, StreamFrame, encode_message
from shared.sync.wire import FeedFrame, decode_gate_frame, encode_frame
from tests.integration.broker.stage import plan_of
from tests.services.plugin import VirtualHost
from tests.simulation.broker_line import MARKS_FROM, Line, make_letter_mark, open_line
from tests.simulation.hall import Hall, Post, ServerDied
from tests.simulation.network import Wire
from tests.simulation.server_side import SimServer
from tests.simulation.truth import Truth

_PATIENCE_S = 30.0
_Answer = Callable[[Arrived], Awaitable[Outcome]]


class BrokerServer(SimServer):
    """A server process whose gates are linked over a broker; both the links and the queues outlive it."""

    vhost: VirtualHost

    def __init__(self, hall: Hall, posts: list[Post], truth: Truth, rng: Random) -> None:
        super().__init__(hall, posts, truth, rng)
        self._lines: dict[Wire, Line] = {}
        self._access: list[BrokerAccess] = []
        self._tools, self._process = AsyncExitStack(), AsyncExitStack()
        self._readers: list[asyncio.Task[None]] = []
        self._tool: RabbitBus | None = None
        self._press: FeedPress | None = None
        self._mark = 0
        self._under_way = 0
        self._changed = asyncio.Condition()

    async def receive(self, wire: Wire, data: bytes) -> None:
        """A gate's frame came as far as the broker, which keeps it, whether or not a server is there."""
        if not wire.open:
            return
        if self._tool is None:
            await self._set_up()
        line = await self._line(wire)
        self._under_way += 1
        try:
            await line.send(decode_gate_frame(data))
        except ServerAway:
            self._under_way -= 1
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
        await self._tools.aclose()
        await super().close()

    async def _start(self) -> None:
        await super()._start()
        self._news = True
        await self._begin_process()
        await self._come_to_rest()
        for wire, line in list(self._lines.items()):
            await self._bring_letters(wire, line)

    async def _set_up(self) -> None:
        """Give every gate its account and the event its stream, as a server does, and begin to read."""
        address = plan_of(self.vhost).address
        async with self.hall.db.tenant(self.hall.tenant) as tx:
            for post in self.posts:
                sealed = await offer_account(tx, BrokerOffer(address=address), post.row, os.urandom)
                self._access.append(open_access(sealed, post.row.id, post.keys.seal))
        async with open_office(Secret(self.vhost.api_url), self.vhost.name) as office:
            await office.prepare()
            await BrokerKeeper(office, self.hall.db, self.hall.clock).run_once()
        self._tool = await self._tools.enter_async_context(open_rabbit(self._plan()))
        await self._begin_process()

    def _plan(self) -> RabbitPlan:
        return RabbitPlan(url=Secret(self.vhost.url), topology=joined(TICKETS, GATES), prefetch=1, waiting=0)

    async def _begin_process(self) -> None:
        bus = await self._process.enter_async_context(open_rabbit(self._plan()))
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
        await self._process.aclose()
        self._process = AsyncExitStack()

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
                self._under_way -= 1
            self._changed.notify_all()

    async def _come_to_rest(self) -> None:
        """Wait until the server has handled everything, or died of it."""
        if not self.up:
            return
        async with asyncio.timeout(_PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: self._under_way == 0 or not self.up)
        if not self.up:
            await self.die()

    async def _tell_gates(self) -> None:
        if not self.up or self._press is None or not self._news:
            return
        self._news = False
        try:
            await self._press.run_once()
        except ServerDied:
            await self.die()
            return
        followers = {wire: line for wire, line in self._lines.items() if line.following and wire.open}
        await self._bring_feed(followers)

    async def _bring_letters(self, wire: Wire, line: Line) -> None:
        """Hand a gate everything that lies in its queue, and the feed if it has just begun to follow it."""
        followed = line.following
        mark = self._next_mark([line])
        letter = Letter(session=line.session, frame=make_letter_mark(mark))
        await self._post(DOWN, f"{self.hall.tenant}.{self.posts[wire.gate].row.id}", letter)
        await self._hand_over(wire, line, mark)
        if line.following and not followed:
            await self._bring_feed({wire: line})

    async def _bring_feed(self, followers: dict[Wire, Line]) -> None:
        if not followers:
            return
        mark = self._next_mark(list(followers.values()))
        frame = FeedFrame(event=self.hall.event.id, after=MARKS_FROM + mark, entries=[])
        await self._post(FEED, f"{self.hall.tenant}.{self.hall.event.id}", frame)
        for wire, line in followers.items():
            await self._hand_over(wire, line, mark)

    async def _hand_over(self, wire: Wire, line: Line, mark: int) -> None:
        for frame in await line.collect(mark):
            self._send_bytes(wire, encode_frame(frame))

    async def _post(self, exchange: str, key: str, message: Letter | StreamFrame) -> None:
        assert self._tool is not None
        body = encode_message(message)
        await self._tool.post(Posting(exchange=exchange, key=key, message_id=f"mark {self._mark}", body=body))

    def _next_mark(self, lines: list[Line]) -> int:
        self._mark += 1
        for line in lines:
            line.expect(self._mark)
        return self._mark

    async def _line(self, wire: Wire) -> Line:
        """Return the link of a connection; an earlier one of the same gate ends first."""
        if wire in self._lines:
            return self._lines[wire]
        for other in [one for one in self._lines if one.gate == wire.gate or not one.open]:
            await self._lines.pop(other).close()
        access, row = self._access[wire.gate], self.posts[wire.gate].row
        target = BrokerTarget(
            address=read_broker_address(access.address, allow_plain=False),
            account=access.account,
            password=access.password,
        )
        line = await open_line(target, BrokerSelf(tenant=row.tenant, event=row.event, gate=row.id))
        self._lines[wire] = line
        return line
