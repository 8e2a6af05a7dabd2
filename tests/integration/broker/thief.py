"""Somebody with a gate's broker account who tries what a gate must not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit

import aio_pika
import aiohttp
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq.exceptions import AMQPError
from yarl import URL

from shared.sync.access import BrokerAccess

PATIENCE_S = 30.0

Attempt = Callable[[AbstractChannel], Awaitable[object]]


class Thief:
    """One connection with a stolen account; each attempt has a channel of its own, since a refusal ends it."""

    def __init__(self, connection: AbstractConnection, access: BrokerAccess) -> None:
        self._connection = connection
        self._access = access
        self.lost = asyncio.Event()
        connection.close_callbacks.add(lambda *_: self.lost.set())

    async def tries(self, attempt: Attempt) -> str:
        """Return what came of an attempt: ``done``, or the name of what the broker answered."""
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await attempt(channel)
        except (AMQPError, ConnectionError) as exc:
            return type(exc).__name__
        finally:
            if not channel.is_closed:
                await channel.close()
        return "done"

    async def pours(self, exchange: str, messages: Sequence[tuple[str, bytes]]) -> str:
        """Publish many messages, each under its key, and wait for no answer to any; return like ``tries``."""

        async def attempt(_: AbstractChannel) -> None:
            async with self._connection.channel(publisher_confirms=False) as channel:
                target = await channel.get_exchange(exchange, ensure=False)
                for key, body in messages:
                    await target.publish(Message(body, user_id=self._access.account), key, mandatory=False)

        return await self.tries(attempt)


@asynccontextmanager
async def breaking_in(access: BrokerAccess) -> AsyncIterator[Thief]:
    """Connect with a stolen account."""
    url = URL(access.address).with_user(access.account).with_password(access.password.value)
    connection = await aio_pika.connect(url)
    try:
        yield Thief(connection, access)
    finally:
        await connection.close()


def publishing(exchange: str, key: str, user_id: str | None = None) -> Attempt:
    """Return the attempt to publish somewhere."""

    async def attempt(channel: AbstractChannel) -> None:
        target = channel.default_exchange if exchange == "" else await channel.get_exchange(exchange, ensure=False)
        await target.publish(Message(b"x", user_id=user_id), key, mandatory=True)

    return attempt


def consuming(queue: str, **arguments: str) -> Attempt:
    """Return the attempt to consume a queue."""

    async def attempt(channel: AbstractChannel) -> None:
        await channel.set_qos(prefetch_count=1)

        async def take(_: object) -> None:
            return None

        source = await channel.get_queue(queue, ensure=False)
        await source.consume(take, arguments=dict(arguments), timeout=PATIENCE_S)

    return attempt


def getting(queue: str) -> Attempt:
    """Return the attempt to fetch one message out of a queue."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).get(fail=False, timeout=PATIENCE_S)

    return attempt


def declaring(queue: str) -> Attempt:
    """Return the attempt to make a queue."""
    return lambda channel: channel.declare_queue(queue, durable=True)


def declaring_exchange(name: str) -> Attempt:
    """Return the attempt to make an exchange."""
    return lambda channel: channel.declare_exchange(name, "fanout", durable=True)


def binding(queue: str, exchange: str, key: str) -> Attempt:
    """Return the attempt to have messages copied into a queue."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).bind(exchange, key)

    return attempt


def unbinding(queue: str, exchange: str, key: str) -> Attempt:
    """Return the attempt to keep messages from a queue."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).unbind(exchange, key)

    return attempt


def forwarding(source: str, target: str) -> Attempt:
    """Return the attempt to have one exchange's messages copied to another."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_exchange(target, ensure=False)).bind(
            await channel.get_exchange(source, ensure=False), "#"
        )

    return attempt


def cutting(source: str, target: str) -> Attempt:
    """Return the attempt to end such a copying."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_exchange(target, ensure=False)).unbind(
            await channel.get_exchange(source, ensure=False), "#"
        )

    return attempt


def purging(queue: str) -> Attempt:
    """Return the attempt to empty a queue."""

    async def attempt(channel: AbstractChannel) -> None:
        await (await channel.get_queue(queue, ensure=False)).purge()

    return attempt


def deleting(queue: str) -> Attempt:
    """Return the attempt to delete a queue."""
    return lambda channel: channel.queue_delete(queue)


def deleting_exchange(exchange: str) -> Attempt:
    """Return the attempt to delete an exchange."""
    return lambda channel: channel.exchange_delete(exchange)


async def ask_management(api_url: str, access: BrokerAccess, method: str, path: str, vhost: str) -> int:
    """Return with which status the management API answers a stolen account."""
    parts = urlsplit(api_url)
    headers = {"Authorization": aiohttp.encode_basic_auth(access.account, access.password.value)}
    url = f"http://{parts.hostname}:{parts.port}/api/{path.format(vhost=quote(vhost, safe=''), me=access.account)}"
    async with aiohttp.ClientSession(headers=headers) as session, session.request(method, url, json={}) as answer:
        return answer.status
