"""Looking at a broker as this program's account does: does it answer, is it new enough, does it let us, what lies there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import ChannelAccessRefused, ChannelNotFoundEntity
from msgspec import Struct
from yarl import URL

from server.bus.gate_topology import SCANS, WORDS
from server.bus.odd_properties import bear_odd_properties
from server.bus.problems import BrokerTooOld, BusDenied
from server.bus.rabbit import check_address
from server.bus.rabbit_link import RabbitLink, RabbitPlan, away, naming_losses
from server.bus.rabbit_opening import RABBIT_PROBLEMS, close_connection, open_connection
from server.bus.topology import DEAD_LETTERS, EVENTS, INBOX, REPLAY
from shared.settings import Secret

OLDEST = (3, 10)
"""The first with dead letters that are not lost on their way, https://www.rabbitmq.com/docs/quorum-queues#dead-lettering."""

_TIMEOUT_S = 10.0

_Attempt = Callable[[AbstractChannel, str], Awaitable[None]]


class Depths(Struct, frozen=True, kw_only=True):
    """How many messages lie where."""

    inbox: int
    dead: int


async def check_version(url: Secret) -> str:
    """Return the broker's product and version if this program can work with it.

    Raises:
        BusAway: it does not answer, or not to this account.
        BrokerTooOld: it is older than 3.10.
    """
    async with _connected(url) as connection:
        transport = connection.transport
        return judge_version(dict(transport.connection.server_properties) if transport is not None else {})


def judge_version(told: Mapping[str, object]) -> str:
    """Return product and version out of what a broker says of itself; of one that says nothing the best is believed.

    Raises:
        BrokerTooOld: it is older than 3.10.
    """
    version = _text(told.get("version"))
    numbers = [int(part) for part in version.split(".")[:2] if part.isdecimal()]
    if len(numbers) == len(OLDEST) and tuple(numbers) < OLDEST:
        raise BrokerTooOld(f"This is RabbitMQ {version}: it takes 3.10 or later, which lose no dead letter.")
    return f"{_text(told.get('product'))} {version}".strip()


async def check_declared(plan: RabbitPlan) -> None:
    """Return if everything this program needs is there, or could be made, in the form it needs.

    Raises:
        BusAway: the broker does not answer.
        BusDenied: the account may not declare it.
        TopologyDiffers: something of that name has another form.
    """
    link = RabbitLink(plan, "doctor")
    try:
        with naming_losses():
            async with asyncio.timeout(_TIMEOUT_S):
                channel = await link.open_channel()
                await channel.close()
    except RABBIT_PROBLEMS as exc:
        raise away(exc) from exc
    finally:
        await link.reset()


async def check_permissions(url: Secret) -> Sequence[str]:
    """Return what the account was seen to be allowed: writing to our exchanges and reading our queues.

    Nothing is published: what is written is taken back in the same transaction. A message waiting in a queue may count one more
    delivery for it.

    Raises:
        BusAway: the broker does not answer.
        BusDenied: one of them is refused; the message names it.
    """
    seen = []
    async with _connected(url) as connection:
        for exchange in (EVENTS, REPLAY):
            await _permitted(connection, f"write to the exchange {exchange}", _try_writing, exchange)
            seen.append(f"write {exchange}")
        for queue in (INBOX, DEAD_LETTERS):
            await _permitted(connection, f"read the queue {queue}", _try_reading, queue)
            seen.append(f"read {queue}")
    return seen


async def count_messages(url: Secret) -> Depths:
    """Return how many messages wait for this program, and how many are dead.

    Raises:
        BusAway: the broker does not answer, or lacks the queues.
    """
    async with _connected(url) as connection, connection.channel() as channel:
        inbox = await channel.declare_queue(INBOX, passive=True, timeout=_TIMEOUT_S)
        dead = await channel.declare_queue(DEAD_LETTERS, passive=True, timeout=_TIMEOUT_S)
        return Depths(
            inbox=inbox.declaration_result.message_count or 0, dead=dead.declaration_result.message_count or 0
        )


async def count_queues(url: Secret) -> dict[str, int]:
    """Return how many messages lie in each of this program's queues that is there, by a name of ours.

    Raises:
        BusAway: the broker does not answer.
    """
    named = {"inbox": INBOX, "dead_letters": DEAD_LETTERS, "gate_scans": SCANS, "gate_words": WORDS}
    async with _connected(url) as connection:
        found = {name: await _count_queue(connection, queue) for name, queue in named.items()}
    return {name: number for name, number in found.items() if number is not None}


async def _count_queue(connection: AbstractConnection, name: str) -> int | None:
    # Of a queue that is not there the broker closes the channel: each is asked for on one of its own.
    try:
        async with connection.channel() as channel:
            queue = await channel.declare_queue(name, passive=True, timeout=_TIMEOUT_S)
            return queue.declaration_result.message_count or 0
    except ChannelNotFoundEntity:
        return None


@asynccontextmanager
async def _connected(url: Secret) -> AsyncIterator[AbstractConnection]:
    check_address(url)
    bear_odd_properties()
    try:
        with naming_losses():
            async with asyncio.timeout(_TIMEOUT_S):
                address = URL(url.value).update_query(name="tickettoken doctor")
                connection = await open_connection(address, _TIMEOUT_S)
                try:
                    yield connection
                finally:
                    await close_connection(connection, _TIMEOUT_S)
    except RABBIT_PROBLEMS as exc:
        raise away(exc) from exc


async def _permitted(connection: AbstractConnection, what: str, attempt: _Attempt, name: str) -> None:
    try:
        async with connection.channel(publisher_confirms=False) as channel:
            await attempt(channel, name)
    except ChannelAccessRefused as exc:
        raise BusDenied(
            f"The broker's account may not {what}: grant it with `rabbitmqctl set_permissions` and start the server again."
        ) from exc


async def _try_writing(channel: AbstractChannel, exchange: str) -> None:
    target = await channel.get_exchange(exchange, ensure=False)
    below = await channel.get_underlay_channel()
    await below.tx_select()
    await target.publish(Message(b""), "doctor.check", mandatory=False)
    await below.tx_rollback()


async def _try_reading(channel: AbstractChannel, queue: str) -> None:
    await channel.set_qos(prefetch_count=1, timeout=_TIMEOUT_S)
    source = await channel.get_queue(queue, ensure=False)
    tag = await source.consume(_look_away, timeout=_TIMEOUT_S)
    await source.cancel(tag, timeout=_TIMEOUT_S)


async def _look_away(_: object) -> None:
    """Leave a message unanswered: it goes back when the channel closes."""


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value or "")
