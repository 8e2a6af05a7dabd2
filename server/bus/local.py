"""The bus inside one process, for the embedded default: the same topology, attempts and dead letters, in memory.

What it holds ends with the process. That loses no truth: events wait in the outbox until they are taken, and no other program
publishes into this process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Never

import structlog
from msgspec.structs import replace

from server.bus.envelope import encode_envelope
from server.bus.handling import ask_in_turn
from server.bus.local_queue import Death, Letter, LocalQueue
from server.bus.patience import Pause, retry_delay_s
from server.bus.problems import BusFull, Unroutable
from server.bus.topology import DEAD_LETTERS, EVENTS, TICKETS, Binding, Topology, matches
from server.services.ports_bus import Arrived, DeadLetter, Envelope, Handler, Outcome, Posting
from shared.clock import Clock

PREFETCH = 10
WAITING = 30

_log = structlog.get_logger()


class LocalBus:
    """Exchanges are rules, queues are lists; a message is taken when it lies in every queue it is for."""

    def __init__(self, clock: Clock, *, topology: Topology = TICKETS, pause: Pause = asyncio.sleep) -> None:
        self._clock = clock
        self._pause = pause
        self._topology = topology
        self._kinds = {exchange.name: exchange.kind for exchange in topology.exchanges}
        self._queues = {queue.name: LocalQueue(queue) for queue in topology.queues}

    async def check(self) -> None:
        """Return: this bus is where the program is."""

    async def post(self, posting: Posting) -> None:
        """Put a message into the queues it is for.

        Raises:
            Unroutable: there is no such exchange, or no queue takes the message although one must.
            BusFull: one of the queues has no room; none got the message.
        """
        letter = Letter(message_id=posting.message_id, key=posting.key, body=posting.body)
        self._route(posting.exchange, letter, must_route=posting.must_route)

    async def publish(self, envelope: Envelope) -> None:
        """Post a domain event to whoever has asked for such events, possibly nobody.

        Raises:
            BusFull: a queue has no room.
        """
        body = encode_envelope(envelope)
        await self.post(Posting(exchange=EVENTS, key=envelope.event, message_id=str(envelope.id), body=body))

    async def consume(self, queue: str, handler: Handler) -> Never:
        """Hand a queue's messages to the handler, up to ten at a time, until cancelled.

        Raises:
            Internal: there is no such queue in the topology.
        """
        source = self._queues[self._topology.queue(queue).name]
        hands, room = asyncio.Semaphore(PREFETCH), asyncio.Semaphore(PREFETCH + WAITING)
        async with asyncio.TaskGroup() as group:
            while True:
                await room.acquire()
                letter = await source.take()
                task = group.create_task(self._handle(source, letter, lambda one: ask_in_turn(hands, handler, one)))
                task.add_done_callback(lambda _: room.release())

    async def list_dead(self, limit: int) -> list[DeadLetter]:
        """Return up to ``limit`` dead letters, oldest first."""
        return [_dead_letter(letter) for letter in self._queues[DEAD_LETTERS].look()[:limit]]

    async def replay_dead(self, ids: Collection[str] | None) -> int:
        """Return dead letters to the queues they died in and tell how many there were.

        Raises:
            BusFull: a queue has no room; what was not returned is still a dead letter.
        """
        replayed = 0
        for letter in self._queues[DEAD_LETTERS].look():
            if letter.death is None or (ids is not None and letter.message_id not in ids):
                continue
            home = self._queues[letter.death.queue]
            home.check_room()
            home.put(replace(letter, returns=0, death=None))
            self._queues[DEAD_LETTERS].remove(letter)
            replayed += 1
        return replayed

    async def _handle(self, source: LocalQueue, letter: Letter, handler: Handler) -> None:
        attempt = letter.returns + 1
        arrived = Arrived(
            queue=source.name, key=letter.key, message_id=letter.message_id, body=letter.body, attempt=attempt
        )
        outcome = None
        try:
            outcome = await handler(arrived)
            if outcome is Outcome.AGAIN:
                await self._pause(retry_delay_s(attempt))
        finally:
            # With no outcome the consumer died; a message comes back from that as from a failed attempt.
            if outcome is Outcome.DEAD:
                self._bury(source, letter, "rejected")
            elif outcome is not Outcome.DONE:
                self._return(source, letter)

    def _return(self, source: LocalQueue, letter: Letter) -> None:
        if letter.returns >= source.deliveries:
            self._bury(source, letter, "delivery_limit")
        else:
            source.put_back(replace(letter, returns=letter.returns + 1))

    def _bury(self, source: LocalQueue, letter: Letter, reason: str) -> None:
        death = Death(queue=source.name, reason=reason, at=self._clock.now())
        try:
            self._route(str(source.dead_exchange), replace(letter, death=death), must_route=True)
        except BusFull:
            # It stays where it is, as in a broker, until dead letters were replayed.
            source.put(letter)
            _log.warning("bus.dead_letters_full", queue=source.name, message=letter.message_id)

    def _route(self, exchange: str, letter: Letter, *, must_route: bool) -> None:
        if exchange not in self._kinds:
            raise Unroutable(f"There is no exchange {exchange}: see the topology for those there are.")
        takers = {binding.queue for binding in self._topology.bindings if self._takes(binding, exchange, letter.key)}
        if must_route and not takers:
            raise Unroutable(f"No queue takes {letter.key} from {exchange}: a binding is missing.")
        for name in takers:
            self._queues[name].check_room()
        for name in takers:
            self._queues[name].put(letter)

    def _takes(self, binding: Binding, exchange: str, key: str) -> bool:
        if binding.exchange != exchange:
            return False
        kind = self._kinds[exchange]
        return kind == "fanout" or (matches(binding.key, key) if kind == "topic" else binding.key == key)


def _dead_letter(letter: Letter) -> DeadLetter:
    death = letter.death
    return DeadLetter(
        message_id=letter.message_id,
        queue=death.queue if death else "",
        key=letter.key,
        reason=death.reason if death else "unknown",
        died=death.at if death else None,
        body=letter.body,
    )
