"""What gates use in the broker, as data: what all share, a queue for each, a stream for each event, and each one's rights."""

from __future__ import annotations

import re

from msgspec import Struct

from server.bus.topology import REPLAY, Binding, Exchange, Queue, Topology, working_queue
from shared.ids import EventId, GateId, TenantId
from shared.sync.broker import DOWN, FEED, SCANS_KEY, UP, WORDS_KEY, name_key, name_queue, name_stream

SCANS = "ticket.gates.scans"
WORDS = "ticket.gates.words"

_MOST_BATCHES = 100_000
_MOST_WORDS = 10_000
_WORD_MS = 20_000
"""A gate that got no answer in this time has begun anew."""

_MOST_SCAN_BYTES = 2 * 1024**3
_MOST_WORD_BYTES = 64 * 1024**2
_MOST_LETTERS = 1_000
_MOST_LETTER_BYTES = 64 * 1024**2
_LETTER_MS = 3_600_000
_STREAM_AGE = "7D"
_STREAM_BYTES = 2 * 1024**3
_SEGMENT_BYTES = 32 * 1024**2
"""Retention ends whole segments, so they are small beside the stream."""

NOTHING = "^$"

GATES = Topology(
    exchanges=(Exchange(name=UP), Exchange(name=DOWN, kind="direct"), Exchange(name=FEED, kind="direct")),
    queues=(
        working_queue(SCANS, most_messages=_MOST_BATCHES, most_bytes=_MOST_SCAN_BYTES),
        Queue(
            name=WORDS,
            arguments=(
                ("x-queue-type", "quorum"),
                ("x-max-length", _MOST_WORDS),
                ("x-max-length-bytes", _MOST_WORD_BYTES),
                ("x-overflow", "reject-publish"),
                ("x-message-ttl", _WORD_MS),
                ("x-delivery-limit", 3),
            ),
        ),
    ),
    bindings=(
        Binding(exchange=UP, queue=SCANS, key=f"{SCANS_KEY}.#"),
        Binding(exchange=UP, queue=WORDS, key=f"{WORDS_KEY}.#"),
        Binding(exchange=REPLAY, queue=SCANS, key=SCANS),
    ),
)
"""What all gates share; it needs the exchanges of `topology.TICKETS` beside it."""


class Rights(Struct, frozen=True, kw_only=True):
    """What an account may do, as the broker's regular expressions; https://www.rabbitmq.com/docs/access-control."""

    configure: str
    write: str
    read: str


def gate_queue(tenant: TenantId, gate: GateId) -> Queue:
    """Return a gate's own queue: bounded, the oldest dropped, since a gate that was away asks anew anyway."""
    return Queue(
        name=name_queue(tenant, gate),
        arguments=(
            ("x-queue-type", "classic"),
            ("x-max-length", _MOST_LETTERS),
            ("x-max-length-bytes", _MOST_LETTER_BYTES),
            ("x-overflow", "drop-head"),
            ("x-message-ttl", _LETTER_MS),
        ),
    )


def event_stream(tenant: TenantId, event: EventId, edition: int = 0) -> Queue:
    """Return an event's stream, https://www.rabbitmq.com/docs/streams."""
    return Queue(
        name=name_stream(tenant, event, edition),
        arguments=(
            ("x-queue-type", "stream"),
            ("x-max-age", _STREAM_AGE),
            ("x-max-length-bytes", _STREAM_BYTES),
            ("x-stream-max-segment-size-bytes", _SEGMENT_BYTES),
        ),
    )


def gate_binding(tenant: TenantId, gate: GateId) -> Binding:
    """Return how letters come into a gate's queue."""
    return Binding(exchange=DOWN, queue=name_queue(tenant, gate), key=f"{tenant}.{gate}")


def stream_binding(tenant: TenantId, event: EventId, edition: int = 0) -> Binding:
    """Return how the feed comes into an event's stream."""
    return Binding(exchange=FEED, queue=name_stream(tenant, event, edition), key=f"{tenant}.{event}")


def gate_rights(tenant: TenantId, gate: GateId, event: EventId, edition: int = 0) -> Rights:
    """Return what a gate's account may touch: one exchange to write to, its queue and its event's stream to read."""
    readable = (name_queue(tenant, gate), name_stream(tenant, event, edition))
    return Rights(configure=NOTHING, write=f"^{re.escape(UP)}$", read=f"^({'|'.join(map(_escape, readable))})$")


def gate_keys(tenant: TenantId, gate: GateId) -> str:
    """Return the pattern of keys under which a gate may publish."""
    return f"^({'|'.join(_escape(name_key(kind, tenant, gate)) for kind in (WORDS_KEY, SCANS_KEY))})$"


def joined(*topologies: Topology) -> Topology:
    """Return topologies as one."""
    return Topology(
        exchanges=tuple(one for topology in topologies for one in topology.exchanges),
        queues=tuple(one for topology in topologies for one in topology.queues),
        bindings=tuple(one for topology in topologies for one in topology.bindings),
    )


def _escape(name: str) -> str:
    # A hyphen means itself outside brackets; escaped it would be an unknown escape to other readers of these patterns.
    return name.replace(".", r"\.")
