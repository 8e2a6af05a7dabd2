"""Consuming one queue: a channel of its own, messages acknowledged only when handled, a new channel whenever one is lost."""

from __future__ import annotations

import asyncio
from typing import Never

import structlog
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from aiormq.exceptions import ChannelAccessRefused

from server.bus.envelope import identify
from server.bus.handling import ask_in_turn
from server.bus.patience import reconnect_delay_s, retry_delay_s
from server.bus.problems import BusDenied
from server.bus.rabbit_link import RabbitLink, RabbitPlan, naming_losses
from server.bus.rabbit_opening import RABBIT_PROBLEMS
from server.bus.topology import REPLAY
from server.services.ports_bus import Arrived, Handler, Outcome

KEY_HEADER = "tt-key"
"""On a replayed message: the routing key it was first published with."""

_log = structlog.get_logger()


class RabbitConsumer:
    """Reads queues through one connection."""

    def __init__(self, plan: RabbitPlan, link: RabbitLink) -> None:
        self._plan = plan
        self._link = link

    async def consume(self, queue: str, handler: Handler) -> Never:
        """Hand a queue's messages to the handler until cancelled.

        Raises:
            BusDenied: the account lacks a permission.
            TopologyDiffers: the broker's queue is not as this program needs it.
            Internal: there is no such queue in the topology.
        """
        self._plan.topology.queue(queue)
        failures = 0
        while True:
            refused: BaseException | None = None
            try:
                await self._read(queue, handler)
                failures = 0
            except* RABBIT_PROBLEMS as problems:
                failures += 1
                _log.warning("bus.consumer_lost", queue=queue, problem=type(problems.exceptions[0]).__name__)
                # A queue that was deleted is declared anew with the connection.
                await self._link.reset()
                refused = problems.subgroup(ChannelAccessRefused)
            if refused is not None:
                raise BusDenied(f"The broker's account may not read the queue {queue}: grant it.") from refused
            await self._plan.pause(reconnect_delay_s(failures + 1))

    async def _read(self, queue: str, handler: Handler) -> None:
        """Read until the channel or the consumer ends."""
        with naming_losses():
            channel = await self._link.open_channel()
        try:
            with naming_losses():
                await self._read_through(channel, queue, handler)
        finally:
            await _close(channel, self._plan.connect_timeout_s)

    async def _read_through(self, channel: AbstractChannel, queue: str, handler: Handler) -> None:
        ended = asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        hands = asyncio.Semaphore(self._plan.prefetch)

        async def in_turn(arrived: Arrived) -> Outcome:
            return await ask_in_turn(hands, handler, arrived)

        channel.close_callbacks.add(lambda *_: ended.set())
        below = await channel.get_underlay_channel()
        below.on_consumer_cancel_callbacks.add(lambda _: ended.set())
        await channel.set_qos(
            prefetch_count=self._plan.prefetch + self._plan.waiting, timeout=self._plan.connect_timeout_s
        )
        source = await channel.get_queue(queue, ensure=False)
        async with asyncio.TaskGroup() as group:

            async def arrive(message: AbstractIncomingMessage) -> None:
                if not ended.is_set():
                    arrived = read_message(queue, message)
                    task = group.create_task(self._handle(arrived, message, in_turn))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)

            try:
                with naming_losses():
                    await source.consume(arrive, timeout=self._plan.connect_timeout_s)
                _log.info("bus.consuming", queue=queue)
                await ended.wait()
            finally:
                # However this ends, nothing more is begun: what arrives now goes back with the channel.
                ended.set()
            # What is being handled cannot be acknowledged any more and comes again; its transactions roll back.
            for task in tasks:
                task.cancel()
        _log.warning("bus.consumer_ended", queue=queue)

    async def _handle(self, arrived: Arrived, message: AbstractIncomingMessage, handler: Handler) -> None:
        outcome = await handler(arrived)
        if outcome is Outcome.AGAIN:
            await self._plan.pause(retry_delay_s(arrived.attempt))
        try:
            with naming_losses():
                await _settle(message, outcome)
        except RABBIT_PROBLEMS as exc:
            # The broker hands it out again.
            _log.warning("bus.settling_failed", message=arrived.message_id, problem=type(exc).__name__)


async def _settle(message: AbstractIncomingMessage, outcome: Outcome) -> None:
    if outcome is Outcome.DONE:
        await message.ack()
    else:
        await message.reject(requeue=outcome is Outcome.AGAIN)


def read_message(queue: str, message: AbstractIncomingMessage) -> Arrived:
    """Return what a handler needs of a message."""
    returns = message.headers.get("x-delivery-count")
    # Anybody could set the header; only our own replays come through this exchange.
    key = message.headers.get(KEY_HEADER) if message.exchange == REPLAY else None
    return Arrived(
        queue=queue,
        key=str(key or message.routing_key or ""),
        message_id=identify(message.message_id, message.body),
        body=message.body,
        # The first delivery carries 0 in RabbitMQ 3.10 and nothing in 4.0.
        attempt=(returns if isinstance(returns, int) else 0) + 1,
        sender=message.user_id,
    )


async def _close(channel: AbstractChannel, patience_s: float) -> None:
    try:
        async with asyncio.timeout(patience_s):
            await channel.close()
    except RABBIT_PROBLEMS as exc:
        _log.debug("bus.close_failed", problem=type(exc).__name__)
