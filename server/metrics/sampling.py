"""Bringing the meters up to date when somebody asks: what this process knows of itself, and how the installation stands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import structlog

from server.metrics.meters import Meters
from server.services.inbox import InboxState
from server.services.ports_metrics import FigureDatabase, Figures
from server.services.publisher import PublisherState
from server.services.pulse import Pulses
from server.services.relay import RelayState
from shared.clock import Clock
from shared.problems import TicketTokenError

Sampler = Callable[[Meters], Awaitable[None]]
"""Sets the meters of one part; must not raise and must not take longer than a few seconds."""

QueueCount = Callable[[], Awaitable[Mapping[str, int]]]
"""Returns how many messages lie in which queue, or raises a TicketTokenError."""

FIGURES_KEPT_S = 5.0
QUEUES_KEPT_S = 10.0
_FIGURES_TIMEOUT_S = 5.0

log = structlog.get_logger()


async def sample_workers(meters: Meters, pulses: Pulses) -> None:
    """Note which parts that run beside the requests are alive, and how often they came around."""
    for pulse in pulses.all():
        try:
            await pulse.check()
        except TicketTokenError:
            alive = 0
        else:
            alive = 1
        meters.set("worker_up", alive, pulse.name)
        meters.follow("worker_rounds_total", pulse.beats, pulse.name)


def sample_messages(meters: Meters, relay: RelayState, publisher: PublisherState, inbox: InboxState) -> None:
    """Note what moves between database, gates and broker."""
    meters.set("relay_leading", relay.leading)
    meters.follow("relay_moved_total", relay.moved)
    meters.set("publisher_leading", publisher.leading)
    meters.follow("publisher_sent_total", publisher.published)
    meters.follow("inbox_messages_total", inbox.taken, "taken")
    meters.follow("inbox_messages_total", inbox.refused, "refused")
    meters.set("broker_up", publisher.problem is None and inbox.problem is None)


class QueueSampler:
    """Counts messages in the broker's queues, at most every few seconds however many ask."""

    def __init__(self, count: QueueCount) -> None:
        self._count = count
        self._alone = asyncio.Lock()
        self._read_at_s = float("-inf")

    async def __call__(self, meters: Meters) -> None:
        """Set the meters; when the broker is away the old figures stay and are marked as old."""
        async with self._alone:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._read_at_s < QUEUES_KEPT_S:
                return
            self._read_at_s = now_s
            try:
                async with asyncio.timeout(_FIGURES_TIMEOUT_S):
                    found = await self._count()
            except (TicketTokenError, TimeoutError) as problem:
                log.warning("metrics.queues_unread", code=getattr(problem, "code", "timeout"))
                meters.set("queues_up", 0)
                return
            meters.set("queues_up", 1)
            meters.set_all("queue_messages", found)


class MintFigures(Protocol):
    """What a process that mints knows of it."""

    leading: bool
    problem: str | None
    in_flight: int
    minted: int
    faults: int | None


def sample_minting(meters: Meters, state: MintFigures, asked: int, resting: int) -> None:
    """Note how minting goes, and how many of its nodes are asked or left alone."""
    meters.set("mint_leading", state.leading)
    meters.set("mint_halted", state.problem is not None)
    meters.set("mint_in_flight", state.in_flight)
    meters.follow("minted_total", state.minted)
    meters.set("chain_faults", -1 if state.faults is None else state.faults)
    meters.set_all("chain_nodes", {"asked": asked, "resting": resting})


class FigureSampler:
    """Reads the figures of the installation, at most every few seconds however many ask."""

    def __init__(self, database: FigureDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._alone = asyncio.Lock()
        self._read_at_s = float("-inf")

    async def __call__(self, meters: Meters) -> None:
        """Set the meters; when the database is away the old figures stay and are marked as old."""
        async with self._alone:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._read_at_s < FIGURES_KEPT_S:
                return
            try:
                async with asyncio.timeout(_FIGURES_TIMEOUT_S), self._database.worker() as unit:
                    figures = await unit.figures.read(self._clock.now())
            except (TicketTokenError, TimeoutError) as problem:
                log.warning("metrics.figures_unread", code=getattr(problem, "code", "timeout"))
                meters.set("figures_up", 0)
                return
            self._read_at_s = now_s
            _set_figures(meters, figures)


def _set_figures(meters: Meters, figures: Figures) -> None:
    meters.set("figures_up", 1)
    meters.set("outbox_entries", figures.outbox_entries)
    meters.set("outbox_oldest_seconds", figures.outbox_oldest_s)
    meters.set("feed_entries", figures.feed_entries)
    meters.set("facts_waiting", figures.facts_waiting)
    meters.set("facts_oldest_seconds", figures.facts_oldest_s)
    meters.set("facts_parked", figures.facts_parked)
    meters.set("messages_refused", figures.messages_refused)
    meters.set_all("gates", {"heard": figures.gates_heard, "silent": figures.gates_silent})
    meters.set("gates_backlog_records", figures.gates_backlog)
    meters.set("gates_backlog_records_max", figures.gates_backlog_max)
    meters.set("gates_scans_per_minute", figures.gates_scans_per_minute)
    meters.set_all("conflicts_open", {"none": 0, "low": 0, "medium": 0, "high": 0} | figures.conflicts_open)
    meters.set_all("gates_by_mode", {"online": 0, "offline": 0, "held": 0, "untold": 0} | figures.gates_by_mode)
    meters.set_all("nft_assets", figures.assets)
    meters.set("nft_oldest_seconds", figures.asset_oldest_s)
    meters.set("reservations_pending", figures.reservations_pending)
    meters.set("reservations_overdue", figures.reservations_overdue)
    meters.set("key_horizon_seconds", -1 if figures.key_horizon_s is None else figures.key_horizon_s)
