"""Looking at dead letters in RabbitMQ, and returning them to the queues they died in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from msgspec import Struct

from server.bus.envelope import identify
from server.bus.rabbit_consumer import KEY_HEADER
from server.bus.rabbit_link import RabbitLink, RabbitPlan, away, naming_losses
from server.bus.rabbit_opening import RABBIT_PROBLEMS
from server.bus.rabbit_publisher import RabbitPublisher
from server.bus.topology import DEAD_LETTERS, REPLAY
from server.services.ports_bus import DeadLetter, Posting

MOST_AT_ONCE = 10_000
"""Dead letters one call looks at: they are held in memory and hidden from other readers meanwhile."""

# Somebody else may have taken letters meanwhile, so this is no wait for ever.
_PUT_BACK_S = 2.0
_PUT_BACK_PAUSE_S = 0.01


class _Death(Struct, frozen=True, rename={"routing_keys": "routing-keys"}):
    """An entry of the header ``x-death``, https://www.rabbitmq.com/docs/dlx#effects; the newest comes first."""

    queue: str
    reason: str
    exchange: str
    routing_keys: list[str]
    time: datetime | None = None


class RabbitDead:
    """The queue of dead letters; one call at a time, because a look hides what it looks at."""

    def __init__(self, plan: RabbitPlan, link: RabbitLink, publisher: RabbitPublisher) -> None:
        self._plan = plan
        self._link = link
        self._publisher = publisher
        self._lock = asyncio.Lock()

    async def list_dead(self, limit: int) -> list[DeadLetter]:
        """Return up to ``limit`` dead letters, oldest first.

        Raises:
            BusAway: the broker is away.
        """
        async with self._look(min(limit, MOST_AT_ONCE)) as messages:
            return [_dead_letter(message) for message in messages]

    async def replay_dead(self, ids: Collection[str] | None) -> int:
        """Return dead letters to the queues they died in and tell how many there were.

        Raises:
            BusAway, BusFull, Unroutable: what was not returned is still a dead letter.
        """
        replayed = 0
        async with self._look(MOST_AT_ONCE) as messages:
            for message in messages:
                letter = _dead_letter(message)
                if not letter.queue or (ids is not None and letter.message_id not in ids):
                    continue
                await self._replay(letter)
                # Only now: between the two a crash leaves it in both places, and its reader knows it by its id.
                await message.ack()
                replayed += 1
        return replayed

    async def _replay(self, letter: DeadLetter) -> None:
        posting = Posting(
            exchange=REPLAY, key=letter.queue, message_id=letter.message_id, body=letter.body, must_route=True
        )
        await self._publisher.post(posting, {KEY_HEADER: letter.key})

    @asynccontextmanager
    async def _look(self, limit: int) -> AsyncIterator[list[AbstractIncomingMessage]]:
        """Hold the first letters; those not acknowledged in the block go back to their places."""
        try:
            with naming_losses():
                async with self._lock, await self._link.open_channel() as channel:
                    queue = await channel.declare_queue(
                        DEAD_LETTERS, passive=True, timeout=self._plan.connect_timeout_s
                    )
                    messages = await self._hold(queue, limit)
                    try:
                        yield messages
                    finally:
                        await self._give_back(channel, queue, messages)
        except RABBIT_PROBLEMS as exc:
            raise away(exc) from exc

    async def _hold(self, queue: AbstractQueue, limit: int) -> list[AbstractIncomingMessage]:
        # No more than there were at first: what dies meanwhile is for the next call.
        there = queue.declaration_result.message_count or 0
        messages: list[AbstractIncomingMessage] = []
        while len(messages) < min(limit, there):
            message = await queue.get(fail=False, timeout=self._plan.connect_timeout_s)
            if message is None:
                break
            messages.append(message)
        return messages

    async def _give_back(
        self, channel: AbstractChannel, queue: AbstractQueue, messages: list[AbstractIncomingMessage]
    ) -> None:
        there = (queue.declaration_result.message_count or 0) - sum(message.processed for message in messages)
        for message in messages:
            if not message.processed:
                await message.nack(requeue=True)
        # The broker answers before it has put them back; a second look at once would find some missing.
        with suppress(TimeoutError):
            async with asyncio.timeout(_PUT_BACK_S):
                while await self._count(channel) < there:
                    await self._plan.pause(_PUT_BACK_PAUSE_S)

    async def _count(self, channel: AbstractChannel) -> int:
        queue = await channel.declare_queue(DEAD_LETTERS, passive=True, timeout=self._plan.connect_timeout_s)
        return queue.declaration_result.message_count or 0


def _dead_letter(message: AbstractIncomingMessage) -> DeadLetter:
    death = _newest_death(message)
    key = message.routing_key or ""
    if death is not None and death.exchange == REPLAY:
        key = str(message.headers.get(KEY_HEADER) or key)
    died = death.time if death is not None else None
    return DeadLetter(
        message_id=identify(message.message_id, message.body),
        queue=death.queue if death is not None else "",
        key=key,
        reason=death.reason if death is not None else "unknown",
        died=died.replace(tzinfo=died.tzinfo or UTC) if died is not None else None,
        body=message.body,
    )


def _newest_death(message: AbstractIncomingMessage) -> _Death | None:
    try:
        deaths = msgspec.convert(message.headers.get("x-death"), list[_Death])
    except msgspec.ValidationError:
        return None
    return deaths[0] if deaths else None
