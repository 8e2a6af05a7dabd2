"""The server put together: database, vault, routes, background work and the socket, opened and closed in one place."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import structlog
from aiohttp import web
from msgspec import Struct

from server.api.address import tell_address
from server.api.exchange import BODY_LIMIT
from server.api.guard import Counting, mount
from server.api.health import Check, HealthApi
from server.api.middleware import trace_requests
from server.authenticators import make_authenticators
from server.background import Background, background_work, run_background
from server.metrics.meters import Meters
from server.monitoring import watched
from server.ops_site import mount_ops
from server.parts import Parts, ServerPlan, Share, open_parts
from server.route_table import all_routes
from server.services.key_care import check_ring
from server.services.limits import Limits
from server.services.relay import RelayState
from server.settings_monitoring import MonitoringPlan
from shared.problems import Unavailable

_SHUTDOWN_S = 10.0

log = structlog.get_logger()


class RelayAway(Unavailable):
    """The relay has no connection, so gates learn nothing new."""

    code = "relay_away"


class BrokerAway(Unavailable):
    """RabbitMQ does not do what this program needs; facts wait in the database."""

    code = "broker_away"


class MintingHalted(Unavailable):
    """Something holds all minting up; tickets are sold and let in as ever."""

    code = "minting_halted"


class Running(Struct, frozen=True, kw_only=True):
    """A server that answers under ``base_url``, and tells its metrics under ``metrics_url`` if it does."""

    base_url: str
    parts: Parts
    health: HealthApi
    background: Background
    metrics_url: str | None = None

    async def drain(self, longest_s: float) -> None:
        """Say that no more requests should come here and answer those that do; return when that has been known long enough.

        Meanwhile work for all servers ends where it may be ended; a process that answers nobody else is done with that.
        """
        self.health.mark_stopping()
        log.info("server.draining", longest_s=longest_s)
        ended = self.background.finish()
        if self.parts.share is Share.WORK:
            with suppress(TimeoutError):
                async with asyncio.timeout(longest_s):
                    await ended
        else:
            await asyncio.sleep(longest_s)


PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
HEALTH: web.AppKey[HealthApi] = web.AppKey("health", HealthApi)


class _Watch(Struct, frozen=True):
    """What the middleware tells of requests, and asks before it lets connections live on."""

    meters: Meters
    health: HealthApi

    def begin_request(self) -> None:
        """Count it."""
        self.meters.begin_request()

    def end_request(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Count its answer."""
        self.meters.end_request(method, route, status, took_s)

    def is_leaving(self) -> bool:
        """Tell whether the server is stopping."""
        return self.health.stopping


def build_app(parts: Parts) -> web.Application:
    """Return the application with its routes filled from the table; nothing runs yet."""
    health = HealthApi(_needed(parts), _soft(parts))
    trace = trace_requests(parts.context.random_bytes, _Watch(parts.meters, health))
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[trace])
    app[PARTS] = parts
    app[HEALTH] = health
    limits = Limits(parts.context.ephemeral, parts.access.quotas)
    counting = Counting(limits=limits, address_of=tell_address(parts.access.proxies), context=parts.context)
    routes = health.routes() if parts.share is Share.WORK else all_routes(parts, health)
    mount(app, routes, make_authenticators(parts), counting)
    if parts.share is not Share.WORK:
        mount_ops(app, parts)
    app.on_startup.append(_announce_start)
    app.on_shutdown.append(_close_links)
    return app


@asynccontextmanager
async def run_server(plan: ServerPlan, listener: socket.socket) -> AsyncIterator[Running]:
    """Serve on a bound socket until the context ends: then requests are finished and background work is stopped.

    Raises:
        SettingsInvalid, DataDamaged: the key ring does not open the stored keys.
        PortBusy: metrics cannot be told where they should.
        Whatever else ``open_parts`` raises.
    """
    async with open_parts(plan) as parts:
        async with parts.database.worker() as unit:
            tenants = await unit.maintenance.tenants()
        await check_ring(parts.database, parts.context.vault, tenants)
        async with _serve(parts, plan.monitoring, listener) as running:
            yield running


@asynccontextmanager
async def _serve(parts: Parts, monitoring: MonitoringPlan | None, listener: socket.socket) -> AsyncIterator[Running]:
    async with run_background(background_work(parts), parts.pulses) as background:
        app = build_app(parts)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            async with watched(parts, app[HEALTH], monitoring) as metrics_url:
                await web.SockSite(runner, listener).start()
                host, port = listener.getsockname()[:2]
                yield Running(
                    base_url=f"http://{host}:{port}",
                    parts=parts,
                    health=app[HEALTH],
                    background=background,
                    metrics_url=metrics_url,
                )
        finally:
            await runner.cleanup()


def _needed(parts: Parts) -> Mapping[str, Check]:
    """Return the parts without which the server cannot serve."""
    workers: dict[str, Check] = {pulse.name: pulse.check for pulse in parts.pulses.all()}
    if "relay" in workers:
        workers["relay_session"] = lambda: _check_relay(parts.relay)
    return workers | {"database": parts.database.ping}


def _soft(parts: Parts) -> Mapping[str, Check]:
    """Return the parts without which the server serves less well."""
    checks: dict[str, Check] = {}
    # A process that leaves the messages to others does not know how the broker is.
    if parts.has_broker and any(pulse.name == "publisher" for pulse in parts.pulses.all()):
        checks["broker"] = lambda: _check_broker(parts)
    if parts.minting is not None and any(pulse.name == "mint" for pulse in parts.pulses.all()):
        checks["chain"] = lambda: _check_chain(parts)
    if parts.has_redis:
        # Forgetting what was never kept asks Redis and changes nothing.
        checks["redis"] = lambda: parts.context.ephemeral.forget(None, "health")
    return checks


async def _check_broker(parts: Parts) -> None:
    problem = parts.publisher.problem or parts.inbox.problem
    if problem is not None:
        raise BrokerAway(f"Messages are neither sent nor taken ({problem}): run `tickettoken doctor`.")


async def _check_chain(parts: Parts) -> None:
    problem = None if parts.minting is None else parts.minting.state.problem
    if problem is not None:
        raise MintingHalted(f"Nothing is minted ({problem}): run `tickettoken nft status`. Sales and doors go on.")


async def _check_relay(relay: RelayState) -> None:
    if not relay.connected:
        raise RelayAway("The relay has lost its database session and is opening another.")


async def _announce_start(app: web.Application) -> None:
    app[HEALTH].mark_started()


async def _close_links(app: web.Application) -> None:
    # before the runner waits for open connections: a link would not end by itself
    app[HEALTH].mark_stopping()
    app[PARTS].hub.close()
    app[PARTS].live.close()
