"""`tickettoken serve`: run until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog

from server.app import run_server
from server.cli_tools import write_seeds
from server.embedded.problems import PostgresFailed
from server.embedded_stack import embedded_server
from server.gate_broker import plan_gate_broker
from server.listening import bind
from server.parts import ServerPlan, Share
from server.seed import seed
from server.settings import EmbeddedSettings, Settings, read_settings
from server.settings_access import plan_access
from shared.codes.keys import parse_key_ring
from shared.logs import configure_logs
from shared.problems import InputUnusable
from shared.settings import load_settings

log = structlog.get_logger()


def serve(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM, then finish what is being answered and stop.

    Raises:
        TicketTokenError: it could not start, or something it needs ended.
    """
    if arguments.embedded:
        if Share(arguments.share) is not Share.ALL:
            raise InputUnusable("an embedded server works alone: leave out --no-work")
        settings = load_settings(EmbeddedSettings, environ)
        configure_logs(settings.log_level)
        return asyncio.run(_until_stopped(lambda: _serve_embedded(arguments, settings)))
    given = read_settings(environ)
    configure_logs(given.log_level)
    return asyncio.run(_until_stopped(lambda: _serve(arguments, given)))


def work(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do a server's background work until SIGINT or SIGTERM; only the health of it is answered over HTTP.

    Raises:
        TicketTokenError: it could not start, or something it needs ended.
    """
    given = read_settings(environ)
    configure_logs(given.log_level)
    return asyncio.run(_until_stopped(lambda: _serve(arguments, given)))


async def _serve(arguments: argparse.Namespace, settings: Settings) -> None:
    plan = ServerPlan(
        app_dsn=settings.database_url.value,
        worker_dsn=settings.worker_database_url.value,
        jwt_secret=settings.jwt_secret,
        share=Share(arguments.share),
        access=plan_access(settings),
        redis_url=settings.redis_url,
        rabbitmq_url=settings.rabbitmq_url,
        rabbitmq_management_url=settings.rabbitmq_management_url,
        gate_broker=plan_gate_broker(settings),
        ring=parse_key_ring(settings.qr_encryption_key.value),
        payments=settings.payments,
        hold=timedelta(minutes=settings.reservation_minutes),
        connections=settings.database_connections,
        public_url=settings.public_url,
        horizon=timedelta(hours=settings.key_horizon_hours),
        overlap=timedelta(minutes=settings.key_overlap_minutes),
        print_font=settings.print_font,
    )
    if settings.rabbitmq_url is None:
        log.info("bus.none", meaning="without RABBITMQ_URL other programs are told nothing; facts are forgotten")
    if settings.redis_url is None:
        log.warning(
            "ephemeral.alone", meaning="without REDIS_URL several servers count calls and nonces each for itself"
        )
    with bind(*_address(arguments, settings)) as listener:
        async with run_server(plan, listener) as running:
            if arguments.seed:
                tokens = running.parts.tokens
                write_seeds(await seed(running.parts.context), tokens.make if tokens.are_ours else None)
            _announce(running.base_url)
            await asyncio.Event().wait()


async def _serve_embedded(arguments: argparse.Namespace, settings: EmbeddedSettings) -> None:
    with bind(*_address(arguments, settings)) as listener:
        sys.stderr.write(f"starting the database in {arguments.data} …\n")
        async with embedded_server(arguments.data, settings, listener=listener) as server:
            if arguments.seed:
                write_seeds(await server.seed(), server.running.parts.tokens.make)
            _announce(server.base_url)
            await server.cluster.postgres.wait_lost()
            raise PostgresFailed(f"the private database ended by itself: see {arguments.data}/postgres.log")


def _address(arguments: argparse.Namespace, settings: Settings | EmbeddedSettings) -> tuple[str, int]:
    return arguments.host or settings.host, settings.port if arguments.port is None else int(arguments.port)


def _announce(base_url: str) -> None:
    sys.stdout.write(f"listening on {base_url}\n")
    sys.stdout.flush()


async def _until_stopped(work: Callable[[], Awaitable[None]]) -> int:
    """Run until a signal asks for the end; both signals mean an orderly one, also in the middle of the start."""
    task = asyncio.ensure_future(work())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        sys.stderr.write("stopped\n")
    return 0
