"""The whole server with a real broker beside it, and gates that have accounts there."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlsplit

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel
from msgspec import Struct

from gate.sync.broker_address import read_broker_address
from gate.sync.broker_channel import BrokerTarget
from gate.sync.link_amqp import AmqpDialler, AmqpLink, BrokerSelf
from gate.sync.problems import GateRefused
from server.gate_broker import GateBrokerPlan
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.ids import EventId
from shared.settings import Secret
from shared.sync.access import BrokerAccess, open_access
from shared.sync.wire import GateFrame, ServerFrame
from tests.conftest import Databases
from tests.integration.server.doors.house import House, hello, open_house
from tests.integration.server.doors.paper_gate import PaperGate
from tests.integration.server.doors.stage import Stage
from tests.services.plugin import VirtualHost

PATIENCE_S = 20.0
RING = KeyRing({"k1": bytes(range(32))})
FrameT = TypeVar("FrameT")


class _QueueState(Struct):
    messages: int = 1


class Exchange(Struct, frozen=True, kw_only=True, eq=False):
    """A server whose gates may use the broker."""

    house: House
    vhost: VirtualHost

    async def access(self, gate: PaperGate) -> BrokerAccess:
        """Return a new account for a gate, as it asks for one."""
        status, answer = await self.house.ask("POST", "/gate/v1/broker", self.house.gate(gate))
        assert status == 200, answer
        assert isinstance(answer, dict)
        return open_access(base64.urlsafe_b64decode(answer["broker"] + "=="), gate.id, gate.seal)

    async def dial_once(self, gate: PaperGate, access: BrokerAccess) -> Line:
        """Connect a gate, without a word yet."""
        who = BrokerSelf(tenant=gate.row.tenant, event=gate.row.event, gate=gate.id)
        return Line(await AmqpDialler(target_of(access), who).connect())

    async def dial(self, gate: PaperGate, access: BrokerAccess | None = None) -> Line:
        """Connect a gate whose account is made a moment after it was granted."""
        access = access or await self.access(gate)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self.dial_once(gate, access)
                except GateRefused:
                    await asyncio.sleep(0)

    async def settled(self, gate: PaperGate) -> None:
        """Wait until the broker has been told of a gate's account as it stands."""

        async def told() -> bool:
            async with self.house.parts.database.worker() as unit:
                return all(not row.due for row in await unit.broker.accounts() if row.gate == gate.id)

        await until(told)

    async def streaming(self, gate: PaperGate) -> None:
        """Wait until the stream of a gate's event has begun."""
        await self._begun(gate.row.event)

    async def streaming_of(self, stage: Stage) -> None:
        """Wait until an event's stream has begun and reaches as far as its feed."""
        await self._begun(stage.event)

        async def reached() -> bool:
            async with self.house.parts.database.worker() as unit:
                return not await unit.broker.due_streams(stage.clock.now())

        await until(reached)

    async def _begun(self, event: EventId) -> None:
        async def begun() -> bool:
            async with self.house.parts.database.worker() as unit:
                rows = [row for row in await unit.broker.streams() if row.event == event]
            return bool(rows) and rows[0].begun_seq is not None

        await until(begun)

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[AbstractChannel]:
        """Open a channel that may do everything."""
        connection = await aio_pika.connect(self.vhost.admin_url)
        try:
            yield await connection.channel(on_return_raises=True)
        finally:
            await connection.close()

    async def until_queue_empty(self, queue: str) -> None:
        """Wait until nothing waits in a queue, nor is being handled."""

        async def empty() -> bool:
            state = await self._ask_queue(queue)
            return state is not None and state.messages == 0

        await until(empty)

    async def until_queue_gone(self, queue: str) -> None:
        """Wait until there is no such queue."""

        async def gone() -> bool:
            return await self._ask_queue(queue) is None

        await until(gone)

    async def _ask_queue(self, queue: str) -> _QueueState | None:
        path = f"{self.vhost.api_url}/api/queues/{self.vhost.name}/{queue}"
        async with self.house.client.get(path) as answer:
            return None if answer.status == 404 else msgspec.json.decode(await answer.read(), type=_QueueState)

    async def link(self, gate: PaperGate) -> Line:
        """Connect a gate and introduce it."""
        line = await self.dial(gate)
        await line.send(hello(gate))
        return line


class Line:
    """One link, seen from the gate."""

    def __init__(self, link: AmqpLink) -> None:
        self.link = link
        self._frames = link.frames()

    async def send(self, frame: GateFrame) -> None:
        """Send a frame."""
        await self.link.send(frame)

    async def introduce(self, gate: PaperGate) -> None:
        """Say who the gate is."""
        await self.send(hello(gate))

    async def receive(self) -> ServerFrame | None:
        """Return the next frame, None at the end."""
        async with asyncio.timeout(PATIENCE_S):
            return await anext(self._frames, None)

    async def until(self, kind: type[FrameT]) -> FrameT:
        """Return the next frame of a kind, passing over others."""
        while True:
            frame = await self.receive()
            assert frame is not None, f"the link ended before a {kind.__name__}"
            if isinstance(frame, kind):
                return frame


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask until something holds, within twenty seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():  # noqa: ASYNC110 - neither database nor broker tells when it is done
            await asyncio.sleep(0)


def target_of(access: BrokerAccess) -> BrokerTarget:
    """Return where a gate with this account connects to."""
    return BrokerTarget(
        address=read_broker_address(access.address, allow_plain=False),
        account=access.account,
        password=access.password,
        authority=access.authority,
    )


def plan_of(vhost: VirtualHost, gates_port: int | None = None) -> GateBrokerPlan:
    """Return how server and gates reach a test's virtual host; gates through another port if one is given."""
    parts = urlsplit(vhost.url)
    return GateBrokerPlan(
        url=Secret(vhost.url),
        management_url=Secret(vhost.api_url),
        address=f"amqp://{parts.hostname}:{gates_port or parts.port}{parts.path}",
        inspect_every_s=2.0,
    )


@asynccontextmanager
async def open_exchange(
    database: Databases, clock: ManualClock, vhost: VirtualHost, gates_port: int | None = None
) -> AsyncIterator[Exchange]:
    """Run the whole server with the broker."""
    async with open_house(database, clock, ring=RING, gate_broker=plan_of(vhost, gates_port)) as house:
        yield Exchange(house=house, vhost=vhost)
