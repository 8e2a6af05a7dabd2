"""One connection to RabbitMQ that is made when it is needed and made again when it is lost, with a channel per role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed
from aiormq.exceptions import ChannelAccessRefused
from msgspec import Struct
from yarl import URL

from server.bus.odd_properties import bear_odd_properties
from server.bus.patience import Pause
from server.bus.problems import BusAway, BusDenied, TopologyDiffers
from server.bus.rabbit_opening import RABBIT_PROBLEMS, close_connection, open_connection
from server.bus.tls import describe_refusal
from server.bus.topology import TICKETS, Topology
from shared.settings import Secret

Meter = Callable[[str], None]

_log = structlog.get_logger()


@contextmanager
def naming_losses() -> Iterator[None]:
    """Give the loss of a connection a name: aiormq ends what was under way on it with a bare ``Exception`` at times."""
    try:
        yield
    except Exception as exc:
        if type(exc) is Exception:
            raise ConnectionResetError("the connection was closed") from exc
        raise


class RabbitPlan(Struct, frozen=True, kw_only=True):
    """How to reach RabbitMQ and how long to wait for it."""

    url: Secret
    topology: Topology = TICKETS
    connect_timeout_s: float = 5.0
    confirm_timeout_s: float = 5.0
    """For one try of one message, connecting included."""
    tries: int = 4
    heartbeat_s: int = 15
    most_unconfirmed: int = 256
    """How many messages may wait for their confirmation at once; further ones wait for their turn."""
    prefetch: int = 10
    """How many messages of a queue are handled at once."""
    waiting: int = 30
    """How many more may be held, such as those that failed and wait for their next attempt: they keep nobody from being handled."""
    pause: Pause = asyncio.sleep

    @property
    def vhost(self) -> str:
        """The virtual host its address names."""
        return unquote(urlsplit(self.url.value).path[1:]) or "/"


class RabbitLink:
    """A connection and its channels; the topology is declared whenever the connection is made."""

    def __init__(self, plan: RabbitPlan, purpose: str) -> None:
        self._plan = plan
        self._purpose = purpose
        self._lock = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._channels: dict[str, AbstractChannel] = {}

    async def channel(self, role: str) -> AbstractChannel:
        """Return the role's channel with publisher confirms; an unroutable message raises on it.

        Raises:
            BusDenied: the account may not declare what this program needs.
            TopologyDiffers: the broker has it in another form.
        """
        async with self._lock:
            found = self._channels.get(role)
            if found is not None and not found.is_closed:
                return found
            channel = await self._open(confirms=True)
            self._channels[role] = channel
            return channel

    async def open_channel(self, *, confirms: bool = False) -> AbstractChannel:
        """Return a new channel that the caller closes; the same problems as `channel`."""
        async with self._lock:
            return await self._open(confirms=confirms)

    async def reset(self) -> None:
        """Close the connection, if there is one; the next use makes a new one."""
        async with self._lock:
            connection, self._connection = self._connection, None
            self._channels.clear()
        if connection is not None:
            await close_connection(connection, self._plan.connect_timeout_s)

    async def drop(self, channel: AbstractChannel) -> None:
        """Close the connection if this channel is still of the present one: somebody else may have been quicker."""
        if channel in self._channels.values():
            await self.reset()

    async def _open(self, *, confirms: bool) -> AbstractChannel:
        connection = await self._connected()
        channel = connection.channel(publisher_confirms=confirms, on_return_raises=confirms)
        try:
            await channel.initialize(timeout=self._plan.connect_timeout_s)
        except RABBIT_PROBLEMS:
            # A connection that has just died may not know it yet.
            self._connection = None
            await close_connection(connection, self._plan.connect_timeout_s)
            raise
        return channel

    async def _connected(self) -> AbstractConnection:
        if self._connection is not None and not self._connection.is_closed:
            return self._connection
        self._channels.clear()
        bear_odd_properties()
        address = URL(self._plan.url.value).update_query(
            name=f"tickettoken {self._purpose}", heartbeat=self._plan.heartbeat_s
        )
        connection = await open_connection(address, self._plan.connect_timeout_s)
        try:
            await self._declare(connection)
        except BaseException:
            await close_connection(connection, self._plan.connect_timeout_s)
            raise
        self._connection = connection
        _log.info("bus.connected", purpose=self._purpose)
        return connection

    async def _declare(self, connection: AbstractConnection) -> None:
        topology, patience_s = self._plan.topology, self._plan.connect_timeout_s
        try:
            async with asyncio.timeout(patience_s * 2), connection.channel(publisher_confirms=False) as channel:
                for exchange in topology.exchanges:
                    await channel.declare_exchange(exchange.name, exchange.kind, durable=True)
                for queue in topology.queues:
                    await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
                for binding in topology.bindings:
                    queue_there = await channel.get_queue(binding.queue, ensure=False)
                    await queue_there.bind(binding.exchange, binding.key)
        except ChannelPreconditionFailed as exc:
            raise TopologyDiffers(
                f"The broker has another form of what we need ({exc}): run `tickettoken doctor`."
            ) from exc
        except ChannelAccessRefused as exc:
            raise BusDenied(
                f"The broker's account lacks a permission ({exc}): grant it, then start this again."
            ) from exc


def away(exc: BaseException) -> BusAway:
    """Return the problem that says RabbitMQ is away."""
    refusal = describe_refusal(exc)
    if refusal is not None:
        return BusAway(f"RabbitMQ cannot be used: {refusal} (RABBITMQ_URL).")
    said = type(exc).__name__ if isinstance(exc, RuntimeError) or not str(exc) else str(exc)
    return BusAway(f"RabbitMQ is away ({said}): see that it runs and RABBITMQ_URL is right.")
