"""How much it costs a server that hundreds of people watch one event, and how old the figures are that they see."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell, tickets_wanted
from server.embedded.placement import remove_place
from server.embedded_stack import embedded_cluster
from server.settings import EmbeddedSettings
from shared.logs import configure_logs
from shared.problems import Internal
from tests.browser.evening import open_evening, write_scan

_EXAMPLES = """  python -m benchmarks.ops_viewers
  python -m benchmarks.ops_viewers --viewers 100 --seconds 10
"""
_VIEWERS, _SECONDS, _TICKETS = 500, 20, 10_000
_SCANS_PER_SECOND, _BATCHES_PER_SECOND = 100, 5
_GATES = 10
_PEOPLE = 20
_TICKS = os.sysconf("SC_CLK_TCK")


class Plan(Struct, frozen=True, kw_only=True):
    """What is measured: how many watch, for how long, an event of how many tickets."""

    viewers: int
    seconds: int
    tickets: int


class Scene(Struct, frozen=True, kw_only=True):
    """What the server's process says first: where it answers, of which event, and with whose proofs; each may call so often."""

    base_url: str
    event: str
    authorizations: list[str]


class Handed(Struct, frozen=True, kw_only=True):
    """A batch the server has taken: how many entries there are now, and when that was (monotonic seconds)."""

    entries: int
    at: float


class House(Struct, frozen=True):
    """The part of the figures that counts here."""

    entries: int


class Parts(Struct, frozen=True):
    """An event of the stream."""

    house: House | None = None


class Seen(Struct, frozen=True, kw_only=True):
    """What one viewer was told, and when."""

    entries: int
    at: float


async def serve(place: Path, plan: Plan) -> None:
    """Serve an evening; once a line comes in, let people in at a steady rate and tell of each batch."""
    async with (
        embedded_cluster(place, EmbeddedSettings(), unsafe_fast=True) as found,
        open_evening(found.cluster.app_dsn, found.cluster.worker_dsn) as evening,
    ):
        gates = [await evening.stage.enrol(f"Gate {number}") for number in range(1, _GATES + 1)]
        tickets = await evening.sell((plan.tickets, 0, 0))
        hashes = list((await evening.hashes(tickets)).values())
        scene = Scene(
            base_url=evening.running.base_url,
            event=str(evening.stage.event),
            authorizations=[evening.organiser()["Authorization"] for _ in range(_PEOPLE)],
        )
        _say(scene)
        await asyncio.to_thread(sys.stdin.readline)
        size, entries, begun = _SCANS_PER_SECOND // _BATCHES_PER_SECOND, 0, time.monotonic()
        for number in range(plan.seconds * _BATCHES_PER_SECOND):
            await asyncio.sleep(max(0.0, begun + number / _BATCHES_PER_SECOND - time.monotonic()))
            gate = gates[number % _GATES]
            first = len(gate.bodies) + 1
            for handle_hash in random.choices(hashes, k=size):
                write_scan(gate, handle_hash, evening.stage.clock.now())
            await gate.hand_over(first)
            entries += size
            _say(Handed(entries=entries, at=time.monotonic()))
        await asyncio.to_thread(sys.stdin.readline)


def _say(word: Struct) -> None:
    sys.stdout.write(msgspec.json.encode(word).decode() + "\n")
    sys.stdout.flush()


class Viewer:
    """One who watches, reading the stream with as little effort as can be."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.seen: list[Seen] = []
        self.began = asyncio.Event()

    async def watch(self) -> None:
        """Note what is told until the stream ends."""
        decoder = msgspec.json.Decoder(Parts)
        async for line in self._reader:
            if not self.seen and line.startswith(b"HTTP/") and b" 200 " not in line:
                raise Internal(f"the server does not let people watch: {line!r}")
            if not line.startswith(b"data: {"):
                continue
            house = decoder.decode(line[6:]).house
            if house is not None:
                self.seen.append(Seen(entries=house.entries, at=time.monotonic()))
                self.began.set()


@asynccontextmanager
async def watching(scene: Scene, count: int) -> AsyncIterator[list[Viewer]]:
    """Have so many people watch."""
    host, port = scene.base_url.removeprefix("http://").split(":")
    head = f"GET /api/v1/events/{scene.event}/live HTTP/1.0\r\nHost: {host}\r\nAuthorization: "
    viewers, writers, tasks = [], [], []
    for number in range(count):
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 20)
        writer.write(f"{head}{scene.authorizations[number % _PEOPLE]}\r\n\r\n".encode())
        viewers.append(Viewer(reader))
        writers.append(writer)
        tasks.append(asyncio.ensure_future(viewers[-1].watch()))
    async with asyncio.timeout(120):
        for viewer, task in zip(viewers, tasks, strict=True):
            began = asyncio.ensure_future(viewer.began.wait())
            await asyncio.wait([began, task], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
    try:
        yield viewers
    finally:
        for task in tasks:
            task.cancel()
        for writer in writers:
            writer.close()
        await asyncio.gather(*tasks, return_exceptions=True)


def delays(handed: list[Handed], viewers: list[Viewer]) -> list[float]:
    """Return for each batch and viewer after how many milliseconds the viewer saw it counted."""
    found = []
    for viewer in viewers:
        place = 0
        for batch in handed:
            while place < len(viewer.seen) and viewer.seen[place].entries < batch.entries:
                place += 1
            if place < len(viewer.seen):
                found.append(max(0.0, viewer.seen[place].at - batch.at) * 1000)
    return found


def cpu_seconds(pid: int) -> float:
    """Return how much of the processor a process has used, its threads included (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


async def compare(place: Path, plan: Plan) -> list[Row]:
    """Measure the same scans once with nobody and once with everybody watching."""
    alone, _ = await _run(place / "alone", plan, 0)
    watched, late = await _run(place / "watched", plan, plan.viewers)
    return [
        measure("scan to the viewer's figures, ms", late),
        Row(what="server's processor, nobody watching, %", median=alone),
        Row(what="server's processor, watched, %", median=watched),
    ]


async def _run(place: Path, plan: Plan, count: int) -> tuple[float, list[float]]:
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.ops_viewers",
        "--serve",
        str(place),
        "--seconds",
        str(plan.seconds),
        "--tickets",
        str(plan.tickets),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdin is not None  # noqa: S101 - a pipe was asked for
    assert server.stdout is not None  # noqa: S101 - a pipe was asked for
    try:
        scene = msgspec.json.decode(await server.stdout.readline(), type=Scene)
        async with watching(scene, count) as viewers:
            used = cpu_seconds(server.pid)
            server.stdin.write(b"\n")
            handed = [
                msgspec.json.decode(await server.stdout.readline(), type=Handed)
                for _ in range(plan.seconds * _BATCHES_PER_SECOND)
            ]
            # of the time it was meant to take: a machine that is busy otherwise makes it last longer, not cost more
            percent = (cpu_seconds(server.pid) - used) / plan.seconds * 100
            await asyncio.sleep(timedelta(seconds=4).total_seconds())
            return percent, delays(handed, viewers)
    finally:
        server.stdin.close()  # whatever it waits for, it waits no more
        await server.wait()


def main() -> int:
    """Run the benchmark."""
    parser = make_parser(
        "ops_viewers",
        "Time what people see who watch an event, and what they cost.",
        _EXAMPLES,
        f"{_TICKETS}, quick: 500",
    )
    parser.add_argument("--viewers", type=int, metavar="N", help=f"people who watch ({_VIEWERS}, quick: 10)")
    parser.add_argument("--seconds", type=int, metavar="N", help=f"how long people come in ({_SECONDS}, quick: 2)")
    parser.add_argument("--serve", type=Path, metavar="DIR", help="be the server of this benchmark")
    arguments = parser.parse_args()
    configure_logs("error")
    plan = Plan(
        viewers=arguments.viewers or (10 if arguments.quick else _VIEWERS),
        seconds=arguments.seconds or (2 if arguments.quick else _SECONDS),
        tickets=arguments.tickets or (tickets_wanted(arguments) if arguments.quick else _TICKETS),
    )
    if arguments.serve is not None:
        asyncio.run(serve(arguments.serve, plan))
        return 0
    tell(f"{plan.viewers} viewers, {_SCANS_PER_SECOND} scans a second for {plan.seconds} s, twice …")
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-") as name:
        place = Path(name)
        place.chmod(0o711)
        try:
            rows = asyncio.run(compare(place, plan))
        finally:
            for one in ("alone", "watched"):
                remove_place(place / one)
    notes = {
        "watching": f"{plan.viewers} people, {_SCANS_PER_SECOND} scans a second at {_GATES} gates for {plan.seconds} s",
        "event": f"{plan.tickets} tickets",
        "server": "one process that also signs and takes the scans, its database beside it; viewers in another process",
    }
    show(Report(benchmark="ops viewers", machine=describe_machine(), notes=notes, rows=rows), as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
