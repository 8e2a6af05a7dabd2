"""Every exchange, queue and binding this program needs, as data: declared from here, compared with the broker from here.

Messages are published to named exchanges only. The default one reaches every queue of the virtual host past all permissions
on topics, so no account gets to write there.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from shared.problems import Internal

EVENTS = "ticket.events"
FOREIGN_EVENTS = "tickettoken_events"
DEAD = "ticket.dead"
REPLAY = "ticket.replay"

INBOX = "ticket.inbox"
DEAD_LETTERS = "ticket.dead-letters"

DELIVERIES = 20
"""How often a message is handed out again before it is dead."""

_INBOX_MESSAGES = 100_000
_INBOX_BYTES = 1024**3
_DEAD_MESSAGES = 1_000_000
_DEAD_BYTES = 4 * 1024**3
# Looking at a dead letter counts as a delivery, and no number of looks may end it.
_UNLIMITED = 2**31 - 1

Argument = tuple[str, str | int]


class Exchange(Struct, frozen=True, kw_only=True):
    """A durable exchange."""

    name: str
    kind: Literal["topic", "direct", "fanout"] = "topic"

    def __post_init__(self) -> None:
        """Refuse the default exchange."""
        if not self.name:
            raise Internal("An exchange has a name: the default exchange is not for this program.")


class Queue(Struct, frozen=True, kw_only=True):
    """A durable queue and its arguments, https://www.rabbitmq.com/docs/quorum-queues."""

    name: str
    arguments: tuple[Argument, ...]

    def argument(self, name: str) -> str | int | None:
        """Return one argument, None if it is not set."""
        return dict(self.arguments).get(name)


class Binding(Struct, frozen=True, kw_only=True):
    """Which messages of an exchange go to a queue."""

    exchange: str
    queue: str
    key: str


class Topology(Struct, frozen=True, kw_only=True):
    """Exchanges, queues and bindings that belong together."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]
    bindings: tuple[Binding, ...]

    def queue(self, name: str) -> Queue:
        """Return a queue by its name.

        Raises:
            Internal: there is none.
        """
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise Internal(f"There is no queue {name} in the topology.")


def working_queue(
    name: str, *, most_messages: int = _INBOX_MESSAGES, most_bytes: int = _INBOX_BYTES, deliveries: int = DELIVERIES
) -> Queue:
    """Return a queue whose messages survive the loss of a node and end as dead letters, never as nothing.

    A full queue refuses messages, which the publisher is told; dropping them is not among the choices.
    """
    return Queue(
        name=name,
        arguments=(
            ("x-queue-type", "quorum"),
            ("x-delivery-limit", deliveries),
            ("x-max-length", most_messages),
            ("x-max-length-bytes", most_bytes),
            ("x-overflow", "reject-publish"),
            ("x-dead-letter-exchange", DEAD),
            ("x-dead-letter-strategy", "at-least-once"),
        ),
    )


TICKETS = Topology(
    exchanges=(
        Exchange(name=EVENTS),
        Exchange(name=FOREIGN_EVENTS),
        Exchange(name=DEAD),
        Exchange(name=REPLAY, kind="direct"),
    ),
    queues=(
        working_queue(INBOX),
        Queue(
            name=DEAD_LETTERS,
            arguments=(
                ("x-queue-type", "quorum"),
                ("x-delivery-limit", _UNLIMITED),
                ("x-max-length", _DEAD_MESSAGES),
                ("x-max-length-bytes", _DEAD_BYTES),
                ("x-overflow", "reject-publish"),
            ),
        ),
    ),
    bindings=(
        Binding(exchange=FOREIGN_EVENTS, queue=INBOX, key="payment.completed"),
        Binding(exchange=FOREIGN_EVENTS, queue=INBOX, key="payment.failed"),
        Binding(exchange=FOREIGN_EVENTS, queue=INBOX, key="order.cancelled"),
        Binding(exchange=REPLAY, queue=INBOX, key=INBOX),
        Binding(exchange=DEAD, queue=DEAD_LETTERS, key="#"),
    ),
)


def with_deliveries(topology: Topology, deliveries: int) -> Topology:
    """Return the topology with another number of attempts for its working queues."""
    queues = tuple(_limited(queue, deliveries) for queue in topology.queues)
    return Topology(exchanges=topology.exchanges, queues=queues, bindings=topology.bindings)


def matches(pattern: str, key: str) -> bool:
    """Tell whether a topic pattern takes a routing key: ``*`` is one word, ``#`` any number (AMQP 0-9-1, section 3.1.3.3)."""
    return _words_match(pattern.split("."), key.split("."))


def _words_match(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_words_match(pattern[1:], words[start:]) for start in range(len(words) + 1))
    return bool(words) and pattern[0] in {"*", words[0]} and _words_match(pattern[1:], words[1:])


def _limited(queue: Queue, deliveries: int) -> Queue:
    if queue.argument("x-dead-letter-exchange") is None:
        return queue
    arguments = tuple((name, deliveries if name == "x-delivery-limit" else value) for name, value in queue.arguments)
    return Queue(name=queue.name, arguments=arguments)
