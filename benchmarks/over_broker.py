"""Gates over a real RabbitMQ: how soon a new one has a big event, how soon all have what is new, how fast a night's scans go up."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell, tickets_wanted
from gate.store.shadow import open_shelf
from gate.store.world import World, open_world
from gate.sync.snapshot import load_snapshot
from gate.sync.stream_source import open_snapshot
from server.db import bootstrap
from server.db.migrate import migrate
from server.embedded.placement import remove_place
from server.embedded.postgres import PrivatePostgres
from shared.admission.verdict import Reason
from shared.clock import ManualClock, unix_ms
from shared.ids import ScanId
from shared.logs import configure_logs
from shared.sync.hlc import tick
from shared.sync.scan import BATCH_LIMIT, Mode, ScanRecord
from shared.sync.wire import Ack, FeedFrame, Scans, Welcome
from tests.conftest import Databases
from tests.integration.broker.stage import Exchange, Line, open_exchange
from tests.integration.server.doors.linked import settle
from tests.integration.server.doors.paper_gate import PaperGate
from tests.services.messages import Request
from tests.services.plugin import Broker, open_vhost
from tests.services.private import PrivateService

_PASSWORDS = {"tt_owner": "bench-owner", "tt_app": "bench-app", "tt_worker": "bench-worker"}
_PORTION = 5_000
_PATIENCE_S = 300.0
_EXAMPLES = """  python -m benchmarks.over_broker
  python -m benchmarks.over_broker --quick --json
  python -m benchmarks.over_broker --tickets 20000 --scans 1000
"""


class Size(Struct, frozen=True, kw_only=True):
    """How much is measured."""

    tickets: int
    followers: int
    news: int
    senders: int
    scans: int


async def measure_snapshot(exchange: Exchange, place: Path) -> float:
    """Return the seconds in which a new gate has everything from the stream, in tables of its own."""
    stage = exchange.house.stage
    line = await exchange.link(await stage.enrol("snapshot"))
    await line.until(Welcome)
    await asyncio.to_thread(place.mkdir)
    await (await open_world(place)).close()
    began_s = time.perf_counter()
    async with open_snapshot(line.link) as source, open_shelf(place) as shelf:
        if source is None:
            raise RuntimeError("the stream holds no snapshot")
        await load_snapshot(source, shelf, stage.event, lambda _: None)
    took_s = time.perf_counter() - began_s
    await line.link.close()
    return took_s


async def _wait_for_stream(exchange: Exchange) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            async with exchange.house.parts.database.worker() as unit:
                [row] = await unit.broker.streams()
            if row.begun_seq is not None:
                return
            await asyncio.sleep(0.05)


async def measure_latency(exchange: Exchange, place: Path, size: Size) -> list[float]:
    """Return for each new ticket and gate the milliseconds from its commit until the gate's tables have it."""
    stage = exchange.house.stage
    async with AsyncExitStack() as stack:
        head = await settle(exchange.house)
        gates = []
        for number in range(size.followers):
            gate = await stage.enrol(f"follower {number}")
            line = await exchange.dial(gate)
            directory = place / f"follower-{number}"
            await asyncio.to_thread(directory.mkdir)
            world = await open_world(directory)
            stack.push_async_callback(world.close)
            stack.push_async_callback(line.link.close)
            await line.introduce(gate)
            await line.until(Welcome)
            gates.append((line, world))
        head = await settle(exchange.house)
        committed: dict[int, float] = {}
        following = [asyncio.create_task(_follow(*gate, head, size.news)) for gate in gates]
        for _ in range(size.news):
            await stage.issue(1)
            committed[head + len(committed) + 1] = time.perf_counter()
            await asyncio.sleep(0.2)
        applied = await asyncio.gather(*following)
    return [(at_s - committed[seq]) * 1000 for one in applied for seq, at_s in one.items()]


async def _follow(line: Line, world: World, after: int, count: int) -> dict[int, float]:
    applied: dict[int, float] = {}
    while len(applied) < count:
        frame = await line.until(FeedFrame)
        fresh = [entry for entry in frame.entries if entry.seq > after and entry.seq not in applied]
        if fresh:
            await world.apply(fresh, fresh[-1].seq)
            now_s = time.perf_counter()
            applied |= {entry.seq: now_s for entry in fresh}
    return applied


async def measure_drain(exchange: Exchange, size: Size) -> float:
    """Return the seconds in which all gates' logs are stored and acknowledged."""
    gates = [await exchange.house.stage.enrol(f"sender {number}") for number in range(size.senders)]
    for gate in gates:
        for _ in range(size.scans):
            _refuse_somebody(gate)
    lines = [await exchange.dial(gate) for gate in gates]
    for gate, line in zip(gates, lines, strict=True):
        await line.introduce(gate)
        await line.until(Welcome)
    began_s = time.perf_counter()
    await asyncio.gather(*(_drain(gate, line, size.scans) for gate, line in zip(gates, lines, strict=True)))
    took_s = time.perf_counter() - began_s
    for line in lines:
        await line.link.close()
    return took_s


async def _drain(gate: PaperGate, line: Line, scans: int) -> None:
    acked, frames = 0, line.link.frames()
    while acked < scans:
        await line.send(Scans(signed=gate.batch(acked + 1, min(scans, acked + BATCH_LIMIT))))
        async for frame in frames:
            if isinstance(frame, Ack):
                acked = frame.upto
                break


def _refuse_somebody(gate: PaperGate) -> None:
    now_ms = unix_ms(gate.place.clock.now())
    number = len(gate.bodies) + 1
    gate.write(
        ScanRecord(
            scan=ScanId(uuid4()),
            gate_seq=number,
            hlc=tick(number, now_ms) + number,
            at_ms=now_ms,
            unsure_ms=50,
            event=gate.place.event,
            handle_hash=os.urandom(16),
            code_hash=os.urandom(8),
            direction=gate.row.direction,
            admitted=False,
            reason=Reason.UNKNOWN_TICKET,
            mode=Mode.OFFLINE,
            feed_seq=0,
            policy_version=1,
        )
    )


@asynccontextmanager
async def _database(place: Path) -> AsyncIterator[Databases]:
    private = PrivatePostgres(place, max_connections=200)
    running = await asyncio.to_thread(private.start)
    try:
        admin, name = running.dsn(), f"tt_{secrets.token_hex(6)}"
        await bootstrap.create_owner(admin, _PASSWORDS["tt_owner"])
        await bootstrap.create_database(admin, name)
        await migrate(_role_dsn(admin, "tt_owner", name))
        await bootstrap.set_role_passwords(admin, _PASSWORDS)
        owner, app, worker = (_role_dsn(admin, role, name) for role in ("tt_owner", "tt_app", "tt_worker"))
        yield Databases(owner_dsn=owner, app_dsn=app, worker_dsn=worker)
    finally:
        await asyncio.to_thread(private.stop)


def _role_dsn(admin: str, role: str, database: str) -> str:
    parts = urlsplit(admin)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{_PASSWORDS[role]}@{address}", path=f"/{database}"))


async def _measure(place: Path, size: Size) -> Report:
    clock = ManualClock(datetime.now(UTC))
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(_database(place / "server"))
        running = stack.enter_context(PrivateService(Request(service="rabbitmq"))).running
        broker = Broker(amqp_url=running.url, api_url=running.api_url)
        vhost = await stack.enter_async_context(open_vhost(broker))
        exchange = await stack.enter_async_context(open_exchange(database, clock, vhost))
        tell(f"issuing {size.tickets} tickets")
        for first in range(0, size.tickets, _PORTION):
            await exchange.house.stage.issue(min(_PORTION, size.tickets - first))
        await settle(exchange.house)
        first_gate = await exchange.house.stage.enrol("first")
        await (await exchange.dial(first_gate)).link.close()
        began_s = time.perf_counter()
        await _wait_for_stream(exchange)
        streaming_s = time.perf_counter() - began_s
        tell("loading the snapshot")
        snapshot_s = await measure_snapshot(exchange, place / "snapshot")
        tell(f"following with {size.followers} gates")
        latencies = await measure_latency(exchange, place, size)
        tell(f"handing over {size.senders} times {size.scans} scans")
        drain_s = await measure_drain(exchange, size)
    rows = [
        measure("stream begun with the snapshot, s", [streaming_s]),
        measure("new gate loads the snapshot from the stream, s", [snapshot_s]),
        measure("commit to applied, ms", latencies),
        measure("all scans stored and acknowledged, s", [drain_s]),
        measure("scans a second", [size.senders * size.scans / drain_s]),
    ]
    return _report(size, running.source, rows)


def _report(size: Size, source: str, rows: list[Row]) -> Report:
    return Report(
        benchmark="gates over RabbitMQ",
        machine=describe_machine(),
        notes={
            "event": f"{size.tickets} tickets",
            "followers": f"{size.followers} links, each with tables of its own; {size.news} tickets, five a second",
            "senders": f"{size.senders} gates, each with {size.scans} refusals logged offline, in batches of {BATCH_LIMIT}",
            "broker": f"{source}; its data in memory where there is room, PostgreSQL durable",
            "where": "gates, server, broker and database on one machine; gates and server in one process",
        },
        rows=rows,
    )


def main() -> int:
    """Run the benchmark."""
    parser = make_parser("over_broker", "Time gates that are linked over a broker.", _EXAMPLES)
    parser.add_argument(
        "--scans", type=int, metavar="N", help="scans each of the senders hands over (5000, quick: 200)"
    )
    arguments = parser.parse_args()
    configure_logs("error")
    usual = Size(tickets=tickets_wanted(arguments), followers=50, news=40, senders=20, scans=arguments.scans or 5_000)
    quick = replace(usual, followers=3, news=5, senders=2, scans=arguments.scans or 200)
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-") as name:
        place = Path(name)
        place.chmod(0o711)
        try:
            report = asyncio.run(_measure(place, quick if arguments.quick else usual))
        finally:
            remove_place(place / "server")
    show(report, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
