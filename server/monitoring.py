"""What can be watched of a running server: its meters brought up to date and shown to whoever may read them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

import structlog

from server.api.health import HealthApi
from server.listening import PortBusy, bind
from server.metrics.meters import Meters
from server.metrics.page import MetricsPage, serve_metrics
from server.metrics.sampling import (
    FigureSampler,
    QueueSampler,
    Sampler,
    sample_messages,
    sample_minting,
    sample_workers,
)
from server.parts import Parts, Share
from server.settings_monitoring import MonitoringPlan

log = structlog.get_logger()


@asynccontextmanager
async def watched(parts: Parts, health: HealthApi, plan: MonitoringPlan | None) -> AsyncIterator[str | None]:
    """Tell metrics for the length of a block, if anybody is to be told; yield where.

    Raises:
        PortBusy, Unavailable: not there.
    """
    if plan is None:
        yield None
        return
    parts.meters.set("build_info", 1, await asyncio.to_thread(name_version), parts.share)
    page = MetricsPage(parts.meters, samplers_of(parts, health), plan.token)
    with _bind(plan) as listener:
        async with serve_metrics(page, listener) as url:
            log.info("metrics.listening", url=url, open=plan.token is None)
            yield url


def _bind(plan: MonitoringPlan) -> socket.socket:
    try:
        return bind(plan.host, plan.port)
    except PortBusy as exc:
        raise PortBusy(f"port {plan.port} on {plan.host} is in use: choose another METRICS_PORT") from exc


def samplers_of(parts: Parts, health: HealthApi) -> list[Sampler]:
    """Return what brings each part's meters up to date; a part that is added later adds its own here."""

    async def sample_own(meters: Meters) -> None:
        meters.set("draining", health.stopping)
        meters.set("gate_links", parts.hub.count)
        for use in parts.database.uses():
            meters.set("database_connections", use.busy, use.role, "busy")
            meters.set("database_connections", use.idle, use.role, "idle")
            meters.set("database_connections", use.most, use.role, "most")
        sample_messages(meters, parts.relay, parts.publisher, parts.inbox)
        if parts.minting is not None:
            nodes = parts.minting.desk.nodes.all()
            resting = sum(one.breaker.is_open for one in nodes)
            sample_minting(meters, parts.minting.state, len(nodes) - resting, resting)
        await sample_workers(meters, parts.pulses)

    if parts.share is Share.SERVE:
        return [sample_own]
    queues = [] if parts.count_queues is None else [QueueSampler(parts.count_queues)]
    return [sample_own, FigureSampler(parts.database, parts.context.clock), *queues]


def name_version() -> str:
    """Return the installed version; without an installed package, that this runs from its source."""
    try:
        return metadata.version("tickettoken-gate")
    except metadata.PackageNotFoundError:
        return "source"
