"""The bus in RabbitMQ 3.10 or later: one connection to publish, one to consume, so that neither slows the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Never
from urllib.parse import urlsplit

from server.bus.envelope import encode_envelope
from server.bus.rabbit_consumer import RabbitConsumer
from server.bus.rabbit_dead import RabbitDead
from server.bus.rabbit_link import RabbitLink, RabbitPlan
from server.bus.rabbit_publisher import RabbitPublisher
from server.bus.tls import make_context, read_tls_files
from server.bus.topology import EVENTS
from server.services.ports_bus import DeadLetter, Envelope, Handler, Posting
from shared.problems import SettingsInvalid
from shared.settings import Secret


class RabbitBus:
    """Publishes with confirms, consumes with acknowledgements, and keeps what cannot be handled."""

    def __init__(self, plan: RabbitPlan, outward: RabbitLink, inward: RabbitLink) -> None:
        self._publisher = RabbitPublisher(plan, outward, "publish")
        self._consumer = RabbitConsumer(plan, inward)
        self._dead = RabbitDead(plan, inward, RabbitPublisher(plan, outward, "replay"))

    async def check(self) -> None:
        """Return if messages can be posted now; connects if it has to.

        Raises:
            BusAway: the broker does not answer.
            BusDenied, TopologyDiffers: it does not have what this program needs, or not for this account.
        """
        await self._publisher.check()

    async def post(self, posting: Posting) -> None:
        """Return once the broker has taken the message; it may have taken it twice.

        Raises:
            Unroutable, BusFull, BusDenied, BusAway: it was not taken.
        """
        await self._publisher.post(posting)

    async def publish(self, envelope: Envelope) -> None:
        """Post a domain event to whoever has asked for such events, possibly nobody.

        Raises:
            BusFull, BusDenied, BusAway: it was not taken.
        """
        body = encode_envelope(envelope)
        posting = Posting(
            exchange=EVENTS,
            key=envelope.event,
            message_id=str(envelope.id),
            body=body,
            trace=envelope.correlation_id,
        )
        await self.post(posting)

    async def consume(self, queue: str, handler: Handler) -> Never:
        """Hand a queue's messages to the handler until cancelled.

        Raises:
            BusDenied: the account lacks a permission.
            TopologyDiffers: the broker's queue is not as this program needs it.
        """
        await self._consumer.consume(queue, handler)

    async def list_dead(self, limit: int) -> list[DeadLetter]:
        """Return up to ``limit`` dead letters, oldest first.

        Raises:
            BusAway: the broker is away.
        """
        return await self._dead.list_dead(limit)

    async def replay_dead(self, ids: Collection[str] | None) -> int:
        """Return dead letters to the queues they died in and tell how many there were.

        Raises:
            BusAway, BusFull, Unroutable: what was not returned is still a dead letter.
        """
        return await self._dead.replay_dead(ids)


def check_address(url: Secret) -> None:
    """Return if this can be a broker's address.

    Raises:
        SettingsInvalid: it cannot.
    """
    try:
        parts = urlsplit(url.value)
        # Reading the port finds out whether it is a number.
        usable = parts.scheme in {"amqp", "amqps"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SettingsInvalid("RABBITMQ_URL is amqp://user:password@host:port/vhost, or amqps:// for TLS.")
    read_tls_files(url, "RABBITMQ_URL")


@asynccontextmanager
async def open_rabbit(plan: RabbitPlan) -> AsyncIterator[RabbitBus]:
    """Open the bus for the length of a block; it connects when it is first used, and again when it has to.

    Raises:
        SettingsInvalid: its address cannot be one, or names certificates that cannot be used.
    """
    check_address(plan.url)
    # Each connection reads them anew, so that they can be renewed; what is wrong from the beginning is told now.
    await asyncio.to_thread(make_context, plan.url, "RABBITMQ_URL")
    for library in ("aio_pika", "aiormq"):
        # Lost connections are our own events; the libraries would add a traceback to each.
        logging.getLogger(library).setLevel(logging.CRITICAL)
    outward, inward = RabbitLink(plan, "publishing"), RabbitLink(plan, "consuming")
    try:
        yield RabbitBus(plan, outward, inward)
    finally:
        await outward.reset()
        await inward.reset()
