"""What the tests of the buses share: a topology with ears, handlers that note what arrives, and messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

from msgspec import Struct

from server.bus.topology import (
    EVENTS,
    FOREIGN_EVENTS,
    INBOX,
    TICKETS,
    Binding,
    Topology,
    with_deliveries,
    working_queue,
)
from server.services.ports_bus import Arrived, Bus, Outcome, Posting

T = TypeVar("T")

DELIVERIES = 3
SPY = "ticket.spy"
SMALL = "ticket.small"
LISTENING = Topology(
    exchanges=TICKETS.exchanges,
    queues=(*TICKETS.queues, working_queue(SPY), working_queue(SMALL, most_messages=2)),
    bindings=(
        *TICKETS.bindings,
        Binding(exchange=EVENTS, queue=SPY, key="ticket.#"),
        Binding(exchange=FOREIGN_EVENTS, queue=SMALL, key="small"),
    ),
)
TOPOLOGY = with_deliveries(LISTENING, DELIVERIES)


class Rig(Struct, frozen=True):
    """A bus and the seconds it would have waited."""

    bus: Bus
    waited_s: list[float]


class Inbox:
    """A handler that notes what arrives and answers as it is told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.arrived: list[Arrived] = []
        self._outcomes = list(outcomes)
        self._changed = asyncio.Condition()

    async def __call__(self, arrived: Arrived) -> Outcome:
        """Note a message; the last outcome holds for all that follow."""
        async with self._changed:
            self.arrived.append(arrived)
            self._changed.notify_all()
        return self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]

    async def ids(self) -> set[str]:
        """Return the ids of what has arrived so far."""
        return {one.message_id for one in self.arrived}

    async def have(self, count: int) -> list[Arrived]:
        """Wait until so many messages have arrived, within twenty seconds."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: len(self.arrived) >= count)
        return self.arrived


@asynccontextmanager
async def consuming(
    bus: Bus, handler: Callable[[Arrived], Awaitable[Outcome]], queue: str = INBOX
) -> AsyncIterator[None]:
    """Consume a queue inside a block."""
    task = asyncio.create_task(bus.consume(queue, handler))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(question: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
    """Ask until the answer is right, within twenty seconds."""
    async with asyncio.timeout(20):
        while not holds(answer := await question()):  # noqa: ASYNC110 - the broker tells nobody when it is done
            await asyncio.sleep(0)
    return answer


def payment(message_id: str, key: str = "payment.completed", *, must_route: bool = False) -> Posting:
    """Return a message as the payment service sends it."""
    return Posting(
        exchange=FOREIGN_EVENTS,
        key=key,
        message_id=message_id,
        body=b'{"id":"%s"}' % message_id.encode(),
        must_route=must_route,
    )


async def post_many(bus: Bus, key: str, count: int) -> None:
    """Post messages one after the other."""
    for number in range(count):
        await bus.post(payment(f"m{number}", key))
