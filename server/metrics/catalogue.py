"""Every metric there is: its name, kind, labels and meaning. docs/reference/metrics.md is compared with this table.

Labels are closed sets: route templates, roles, names of workers, states. Never a tenant, an event, a ticket, a person or an
address; so the number of series does not grow with the business, and whoever may read metrics learns nobody's business.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

PREFIX = "tickettoken_"


class Kind(StrEnum):
    """What may happen to a value: only grow, go both ways, or be spread over buckets."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Spec(Struct, frozen=True):
    """One metric; ``name`` is without the prefix all share."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


_HTTP_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

OF_PROCESS = (
    Spec("build_info", Kind.GAUGE, ("version", "share"), "Always 1; says what runs here."),
    Spec("draining", Kind.GAUGE, (), "1 while this process asks to be sent no more requests."),
    Spec("http_requests_total", Kind.COUNTER, ("method", "route", "status"), "Requests answered."),
    Spec("http_request_seconds", Kind.HISTOGRAM, ("route",), "How long answers took; links of gates not.", _HTTP_S),
    Spec("http_in_flight", Kind.GAUGE, (), "Requests being answered now, links of gates included."),
    Spec(
        "database_connections",
        Kind.GAUGE,
        ("role", "state"),
        "Connections to PostgreSQL: busy, idle, and most allowed.",
    ),
    Spec("worker_up", Kind.GAUGE, ("worker",), "1 while a part that runs beside the requests is alive."),
    Spec("worker_rounds_total", Kind.COUNTER, ("worker",), "How often such a part came around."),
    Spec("relay_leading", Kind.GAUGE, (), "1 in the one process that gives changes their place in the feeds."),
    Spec("relay_moved_total", Kind.COUNTER, (), "Entries this process has moved into feeds."),
    Spec("publisher_leading", Kind.GAUGE, (), "1 in the one process that sends messages."),
    Spec("publisher_sent_total", Kind.COUNTER, (), "Messages this process sent and the broker confirmed."),
    Spec("inbox_messages_total", Kind.COUNTER, ("outcome",), "Messages from other programs: taken or refused."),
    Spec("broker_up", Kind.GAUGE, (), "0 when messages are neither sent nor taken; 1 also without any broker."),
    Spec("gate_links", Kind.GAUGE, (), "Gates linked to this process by WebSocket."),
    Spec("scan_records_total", Kind.COUNTER, ("way",), "Records of gates' logs stored, by the way they came."),
    Spec("scan_batches_total", Kind.COUNTER, ("way",), "Batches of gates' logs answered, repeated ones included."),
    Spec("ephemeral_fallbacks_total", Kind.COUNTER, ("what",), "What was done without Redis because it was away."),
    Spec("mint_leading", Kind.GAUGE, (), "1 in the one process that mints, moves and burns tickets' assets."),
    Spec("mint_halted", Kind.GAUGE, (), "1 while something holds all of that up; the health page says what."),
    Spec("mint_in_flight", Kind.GAUGE, (), "Transactions signed and not yet over."),
    Spec("minted_total", Kind.COUNTER, (), "Assets this process minted for good."),
    Spec("chain_nodes", Kind.GAUGE, ("state",), "Nodes that are asked, and those left alone for a while."),
    Spec("chain_faults", Kind.GAUGE, (), "What the last comparison with the chain found for a person; -1: none yet."),
    Spec("swept_total", Kind.COUNTER, ("what",), "What housekeeping ended or removed."),
)
"""Known to every process of itself."""

OF_DATABASE = (
    Spec("figures_up", Kind.GAUGE, (), "1 if the figures below could be read for this answer; else they are old."),
    Spec("outbox_entries", Kind.GAUGE, (), "Changes waiting for their place in a feed."),
    Spec("outbox_oldest_seconds", Kind.GAUGE, (), "How long the oldest of them has waited: the relay's lag."),
    Spec("feed_entries", Kind.GAUGE, (), "Entries ever numbered, over all feeds."),
    Spec("facts_waiting", Kind.GAUGE, (), "Messages waiting for the broker."),
    Spec("facts_oldest_seconds", Kind.GAUGE, (), "How long the oldest of them has waited."),
    Spec("facts_parked", Kind.GAUGE, (), "Messages given up, waiting for a person."),
    Spec("messages_refused", Kind.GAUGE, (), "Messages from others that could have no effect, still remembered."),
    Spec(
        "gates", Kind.GAUGE, ("state",), "Gates of events not over, by whether they were heard of in the last minute."
    ),
    Spec("gates_backlog_records", Kind.GAUGE, (), "Records those gates said they have not handed over."),
    Spec("gates_backlog_records_max", Kind.GAUGE, (), "The same of the one that has most."),
    Spec("gates_scans_per_minute", Kind.GAUGE, (), "What the gates heard of decide together in a minute."),
    Spec("gates_by_mode", Kind.GAUGE, ("mode",), "Gates heard of in the last minute by what they say of themselves."),
    Spec("conflicts_open", Kind.GAUGE, ("severity",), "Conflicts nobody has settled."),
    Spec("reservations_pending", Kind.GAUGE, (), "Reservations that hold places."),
    Spec("reservations_overdue", Kind.GAUGE, (), "Those whose time is over and whose places are not free yet."),
    Spec("nft_assets", Kind.GAUGE, ("state",), "Tickets' assets on a chain, by how far they are."),
    Spec("nft_oldest_seconds", Kind.GAUGE, (), "How long the oldest wish to mint, move or burn one has waited."),
    Spec("key_horizon_seconds", Kind.GAUGE, (), "How far ahead keys reach at the event that has least; -1: no event."),
)
"""Read from the database when somebody asks, by processes that do background work: take the maximum over processes."""

OF_BROKER = (
    Spec("queues_up", Kind.GAUGE, (), "1 if the queues below could be counted for this answer; else they are old."),
    Spec("queue_messages", Kind.GAUGE, ("queue",), "Messages in RabbitMQ that wait for this program, or are dead."),
)
"""Asked of RabbitMQ by processes that do background work; nothing is told of queues without one."""

CATALOGUE = (*OF_PROCESS, *OF_DATABASE, *OF_BROKER)

OF_LIBRARY = (
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_virtual_memory_bytes",
)
"""What prometheus_client itself tells of a process on Linux."""
