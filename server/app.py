"""The server put together: database, vault, routes, background work and the socket, opened and closed in one place."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from msgspec import Struct

from server.api.exchange import BODY_LIMIT
from server.api.gate_sync import GateSyncApi
from server.api.gates import GateApi
from server.api.health import HealthApi
from server.api.hub import LinkHub
from server.api.middleware import trace_requests
from server.api.operations import OperationsApi
from server.api.routes import Auth, Route, mount
from server.api.ticket_links import TicketLinkApi
from server.api.tickets import TicketApi
from server.auth.gate_token import GateTokens
from server.auth.user_token import UserTokens
from server.authenticators import make_authenticators
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.db.relay_session import open_relay_session
from server.db.selfcheck import check_database
from server.key_keeper import run_key_keeper
from server.payments.absent import NoPayments
from server.payments.demo import DemoPayments
from server.services.codes import CodeMint
from server.services.context import HOLD, HORIZON, OVERLAP, Context
from server.services.key_care import check_ring
from server.services.keys import KeyVault
from server.services.payments import PaymentProvider
from server.services.relay import RelayState, run_relay
from server.services.snapshot import Snapshots
from server.services.ticket_page import SignedTicketPages
from server.settings import Payments
from server.sweeper import run_sweeper
from server.web.ticket_page.assets import PageAssets, load_assets
from server.web.ticket_page.handlers import TicketSite
from shared.clock import Clock, SystemClock
from shared.codes.keys import KeyRing
from shared.ids import RandomBytes
from shared.problems import Conflict, Unavailable
from shared.settings import Secret

_SHUTDOWN_S = 10.0

log = structlog.get_logger()


class PortBusy(Conflict):
    """Another program listens where this one was told to."""

    code = "port_busy"


class RelayAway(Unavailable):
    """The relay has no connection, so gates learn nothing new."""

    code = "relay_away"


class ServerPlan(Struct, frozen=True, kw_only=True):
    """What a server is opened with; ``clock`` and ``random_bytes`` are the machine's unless a test brings its own.

    ``public_url`` is where people reach it, such as `https://tickets.example`; None: where a request says it came to.
    """

    app_dsn: str
    worker_dsn: str
    jwt_secret: Secret
    ring: KeyRing
    payments: Payments = Payments.NONE
    hold: timedelta = HOLD
    horizon: timedelta = HORIZON
    overlap: timedelta = OVERLAP
    print_font: Path | None = None
    connections: int = 10
    public_url: str | None = None
    clock: Clock = SystemClock()
    random_bytes: RandomBytes = os.urandom

    def __repr__(self) -> str:
        """Keep addresses and secrets out of logs."""
        return "ServerPlan(…)"


class Parts(Struct, frozen=True, kw_only=True):
    """The opened parts of a server."""

    database: PgDatabase
    context: Context
    tokens: UserTokens
    mint: CodeMint
    payments: PaymentProvider
    relay: RelayState
    gate_tokens: GateTokens
    snapshots: Snapshots
    hub: LinkHub
    page: PageAssets
    public_url: str | None
    print_font: Path | None


class Running(Struct, frozen=True, kw_only=True):
    """A server that answers under ``base_url``."""

    base_url: str
    parts: Parts


PARTS: web.AppKey[Parts] = web.AppKey("parts", Parts)
HEALTH: web.AppKey[HealthApi] = web.AppKey("health", HealthApi)


@asynccontextmanager
async def open_parts(plan: ServerPlan) -> AsyncIterator[Parts]:
    """Connect to the database and look whether it may be used.

    Raises:
        Unavailable: it is away, or lacks migrations.
        DatabaseUnsafe: it would not keep tenants apart.
        TooNew: it was made by a newer program.
    """
    sizes = PoolSizes(app=plan.connections)
    async with open_database(plan.app_dsn, plan.worker_dsn, sizes) as database:
        await check_database(database)
        context = Context(
            db=database,
            vault=KeyVault(plan.ring, plan.random_bytes, plan.clock),
            clock=plan.clock,
            random_bytes=plan.random_bytes,
            hold=plan.hold,
            horizon=plan.horizon,
            overlap=plan.overlap,
        )
        yield Parts(
            database=database,
            context=context,
            tokens=UserTokens(plan.jwt_secret, plan.clock),
            mint=CodeMint(),
            payments=_choose_payments(plan.payments),
            relay=RelayState(),
            gate_tokens=GateTokens(database, plan.clock),
            snapshots=Snapshots(database, context.vault, plan.random_bytes),
            hub=LinkHub(database),
            page=await asyncio.to_thread(load_assets),
            public_url=plan.public_url,
            print_font=plan.print_font,
        )


def build_app(parts: Parts) -> web.Application:
    """Return the application with its routes filled from the table; nothing runs yet."""
    health = HealthApi({"database": parts.database.ping, "relay": lambda: _check_relay(parts.relay)})
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[trace_requests(parts.context.random_bytes)])
    app[PARTS] = parts
    app[HEALTH] = health
    authenticators = make_authenticators(parts.tokens, parts.gate_tokens)
    mount(app, all_routes(parts, health), authenticators)
    app.on_startup.append(_announce_start)
    app.on_shutdown.append(_close_links)
    return app


def all_routes(parts: Parts, health: HealthApi) -> list[Route]:
    """Return the whole route table."""
    return [
        *health.routes(),
        *TicketApi(parts.context, parts.mint, parts.payments, parts.print_font).routes(),
        *TicketLinkApi(parts.context, parts.public_url).routes(),
        *_ticket_page_routes(parts),
        *GateApi(parts.context).routes(),
        *GateSyncApi(parts.context, parts.snapshots, parts.hub).routes(),
        *OperationsApi(parts.context).routes(),
    ]


@asynccontextmanager
async def run_server(plan: ServerPlan, listener: socket.socket) -> AsyncIterator[Running]:
    """Serve on a bound socket until the context ends: then requests are finished and background work is stopped.

    Raises:
        SettingsInvalid, DataDamaged: the key ring does not open the stored keys.
        Whatever else ``open_parts`` raises.
    """
    async with open_parts(plan) as parts:
        async with parts.database.worker() as unit:
            tenants = await unit.maintenance.tenants()
        await check_ring(parts.database, parts.context.vault, tenants)
        async with _serve(parts, listener) as running:
            yield running


@asynccontextmanager
async def _serve(parts: Parts, listener: socket.socket) -> AsyncIterator[Running]:
    async with _background(background_work(parts)):
        runner = web.AppRunner(build_app(parts), access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            host, port = listener.getsockname()[:2]
            yield Running(base_url=f"http://{host}:{port}", parts=parts)
        finally:
            await runner.cleanup()


def background_work(parts: Parts) -> list[Coroutine[Any, Any, None]]:
    """Return what runs beside the requests."""
    return [
        run_relay(lambda: open_relay_session(parts.database), parts.relay),
        parts.hub.run(parts.database.listen),
        run_sweeper(parts.context, parts.database),
        run_key_keeper(parts.context, parts.database, parts.hub.check_all),
    ]


def _ticket_page_routes(parts: Parts) -> list[Route]:
    """Open to everybody: the link in the address is the proof."""
    site = TicketSite(SignedTicketPages(parts.context, parts.mint), parts.page)
    return [
        Route(method="GET", path=one.path, handler=one.handler, auth=Auth.PUBLIC, summary=one.summary)
        for one in site.addresses()
    ]


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; taken before anything else starts, so that a busy port is told at once.

    Raises:
        PortBusy: somebody listens there.
        Unavailable: the address is not this machine's, or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise PortBusy(
                f"port {port} on {host} is in use: stop that program, or choose another with --port"
            ) from exc
        raise Unavailable(f"cannot listen on {host} port {port} ({exc.strerror}): choose another address") from exc
    return listener


@asynccontextmanager
async def _background(work: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
            yield
            for task in tasks:
                task.cancel()
    except BaseExceptionGroup as problems:
        # What ended the server is told by itself; a second failure on the way out is only its echo.
        raise problems.exceptions[0] from None


def _choose_payments(kind: Payments) -> PaymentProvider:
    if kind == Payments.DEMO:
        log.warning(
            "payments.demo", meaning="EVERY WELL-FORMED PAYMENT REFERENCE COUNTS AS PAID; never use this for money"
        )
        return DemoPayments()
    return NoPayments()


async def _check_relay(relay: RelayState) -> None:
    if not relay.connected:
        raise RelayAway("The relay has lost its database session and is opening another.")


async def _announce_start(app: web.Application) -> None:
    app[HEALTH].mark_started()


async def _close_links(app: web.Application) -> None:
    # before the runner waits for open connections: a link would not end by itself
    app[PARTS].hub.close()
