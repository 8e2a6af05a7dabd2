"""`tickettoken dlq`: what did not get through between this program and others, and putting it back."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
from msgspec import Struct

from server.cli_office import plain
from server.cli_tools import open_plan
from server.db.pool import PgDatabase, PoolSizes, open_database
from server.parts import open_bus
from server.services.dead_letters import Stranded, list_stranded, replay_stranded
from server.services.ports_bus import Bus
from server.settings import LogLevel
from shared.logs import configure_logs
from shared.problems import InputUnusable

_FEW = PoolSizes(app=1, worker=2)
_NO_BROKER = (
    "there is no broker (RABBITMQ_URL is not set): messages stay within the server's own process, "
    "so there are no dead letters, only facts that could not be published"
)


class Listed(Struct, frozen=True, kw_only=True):
    """What `dlq list --json` prints."""

    broker: bool
    messages: list[Stranded]


class _Reach(Struct, frozen=True, kw_only=True):
    bus: Bus | None
    database: PgDatabase


def list_dead(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Print what did not get through."""
    configure_logs(LogLevel.ERROR)
    return asyncio.run(_list(arguments, environ))


def replay_dead(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Put messages back; 1 if some that were named are not there.

    Raises:
        InputUnusable: neither ids nor --all, or both.
    """
    if bool(arguments.ids) == arguments.all:
        raise InputUnusable("name the messages to put back, or say --all: `tickettoken dlq list` shows them")
    configure_logs(LogLevel.ERROR)
    return asyncio.run(_replay(arguments, environ))


async def _list(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    async with _reach(arguments, environ) as reach:
        messages = await list_stranded(reach.bus, reach.database, arguments.limit)
    if arguments.json:
        _write(msgspec.json.encode(Listed(broker=reach.bus is not None, messages=messages)).decode())
        return 0
    if reach.bus is None:
        sys.stderr.write(f"{_NO_BROKER}\n")
    for one in messages:
        since = one.since.strftime("%Y-%m-%d %H:%M:%S") if one.since is not None else "at an unknown time"
        about = (one.message_id, f"  {since}  {one.key}  for {one.queue}", f"  {one.code}: {one.reason}")
        _write("\n".join(plain(line) for line in about))
    _write(f"{len(messages)} did not get through" if messages else "everything got through")
    return 0


async def _replay(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    ids = None if arguments.all else frozenset(arguments.ids)
    async with _reach(arguments, environ) as reach:
        done = await replay_stranded(reach.bus, reach.database, ids)
    count = done.letters + done.facts
    if arguments.json:
        _write(msgspec.json.encode(done).decode())
    else:
        if reach.bus is None:
            sys.stderr.write(f"{_NO_BROKER}\n")
        _write(f"{count} on the way again ({done.letters} messages, {done.facts} facts)")
    return 0 if ids is None or count >= len(ids) else 1


@asynccontextmanager
async def _reach(arguments: argparse.Namespace, environ: Mapping[str, str]) -> AsyncIterator[_Reach]:
    async with (
        open_plan(arguments, environ) as plan,
        open_database(plan.app_dsn, plan.worker_dsn, _FEW) as database,
        open_bus(plan) as bus,
    ):
        yield _Reach(bus=bus if plan.rabbitmq_url is not None else None, database=database)


def _write(text: str) -> None:
    sys.stdout.write(text + "\n")
