"""`tickettoken serve`: run until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import structlog

from server.app import run_server
from server.auth.passwords import ArgonPasswords
from server.cli_tools import write_seeds
from server.domain.access import Role
from server.domain.staff import make_password
from server.embedded.problems import PostgresFailed
from server.embedded_stack import EmbeddedServer, embedded_server
from server.gate_broker import plan_gate_broker
from server.listening import bind
from server.parts import ServerPlan, Share
from server.seed import seed
from server.services.problems_staff import StaffLoginTaken
from server.services.staff import Registry, StaffWish, add_staff
from server.settings import EmbeddedSettings, Settings, read_settings
from server.settings_access import plan_access
from server.settings_chain import ChainPlan, read_chain
from server.settings_monitoring import plan_keeping, plan_monitoring
from shared.codes.keys import parse_key_ring
from shared.ids import TenantId
from shared.logs import configure_logs
from shared.problems import InputUnusable
from shared.settings import load_settings

TRIAL_LOGIN = "manager"
"""Who signs in to the operations page of a server that was seeded for trying."""

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
        chain = read_chain(environ)
        return asyncio.run(_until_stopped(lambda ending: _serve_embedded(arguments, settings, chain, ending)))
    given = read_settings(environ)
    configure_logs(given.log_level)
    chain = read_chain(environ)
    return asyncio.run(_until_stopped(lambda ending: _serve(arguments, given, chain, ending)))


def work(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do a server's background work until SIGINT or SIGTERM; only the health of it is answered over HTTP.

    Raises:
        TicketTokenError: it could not start, or something it needs ended.
    """
    given = read_settings(environ)
    configure_logs(given.log_level)
    chain = read_chain(environ)
    return asyncio.run(_until_stopped(lambda ending: _serve(arguments, given, chain, ending)))


async def _serve(arguments: argparse.Namespace, settings: Settings, chain: ChainPlan | None, ending: _Ending) -> None:
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
        chain=chain,
        ring=parse_key_ring(settings.qr_encryption_key.value),
        payments=settings.payments,
        hold=timedelta(minutes=settings.reservation_minutes),
        connections=settings.database_connections,
        public_url=settings.public_url,
        horizon=timedelta(hours=settings.key_horizon_hours),
        overlap=timedelta(minutes=settings.key_overlap_minutes),
        print_font=settings.print_font,
        monitoring=plan_monitoring(settings),
        keep_people=plan_keeping(settings),
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
            await ending.wait()
            await running.drain(settings.drain_seconds)


async def _serve_embedded(
    arguments: argparse.Namespace, settings: EmbeddedSettings, chain: ChainPlan | None, ending: _Ending
) -> None:
    with bind(*_address(arguments, settings)) as listener:
        sys.stderr.write(f"starting the database in {arguments.data} …\n")
        async with embedded_server(arguments.data, settings, chain=chain, listener=listener) as server:
            if arguments.seed:
                seeds = await server.seed()
                write_seeds(seeds, server.running.parts.tokens.make)
                await _offer_page(server, seeds.main.tenant)
            _announce(server.base_url)
            lost = asyncio.ensure_future(server.cluster.postgres.wait_lost())
            lost.add_done_callback(lambda _: ending.come())
            try:
                await ending.wait()
                if lost.done():
                    raise PostgresFailed(f"the private database ended by itself: see {arguments.data}/postgres.log")
                await server.running.drain(settings.drain_seconds)
            finally:
                lost.cancel()


async def _offer_page(server: EmbeddedServer, tenant: TenantId) -> None:
    """Make an account for trying the operations page, the first time, and say its password this once."""
    context = server.running.parts.context
    password = make_password(context.random_bytes)
    registry = Registry(context=context, passwords=ArgonPasswords(), tenant=tenant)
    wish = StaffWish(login=TRIAL_LOGIN, name="Manager", role=Role.ADMIN, password=password)
    try:
        await add_staff(registry, wish)
    except StaffLoginTaken:
        return
    sys.stdout.write(
        f"operations page\n  {server.base_url}/ops\n  sign in as   {TRIAL_LOGIN}\n  password     {password}\n"
    )


def _address(arguments: argparse.Namespace, settings: Settings | EmbeddedSettings) -> tuple[str, int]:
    return arguments.host or settings.host, settings.port if arguments.port is None else int(arguments.port)


def _announce(base_url: str) -> None:
    sys.stdout.write(f"listening on {base_url}\n")
    sys.stdout.flush()


class _Ending:
    """How signals end the program: at once while it starts, in an orderly way once it answers, at once if asked again."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._awaited = False

    async def wait(self) -> None:
        """Return when a signal asks for the end; until this is called, the end comes at once."""
        self._awaited = True
        await self._asked.wait()

    def come(self) -> None:
        """Have it come without being asked."""
        self._asked.set()

    def ask(self, task: asyncio.Future[None]) -> None:
        """Ask for the end."""
        if not self._awaited or self._asked.is_set():
            task.cancel()
        self._asked.set()


async def _until_stopped(work: Callable[[_Ending], Awaitable[None]]) -> int:
    """Run until a signal asks for the end; both signals mean an orderly one, also in the middle of the start."""
    ending = _Ending()
    task = asyncio.ensure_future(work(ending))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.ask, task)
    with suppress(asyncio.CancelledError):
        await task
    sys.stderr.write("stopped\n")
    return 0
