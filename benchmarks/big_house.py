"""What the size of a house costs a gate: loading it, keeping it, and finding one ticket in it."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from msgspec import Struct

from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell
from gate.files import make_directory
from gate.store.shadow import open_shelf
from gate.store.world import WORLD_NAME, open_world
from gate.sync.snapshot import load_snapshot
from shared.ids import EventId
from shared.logs import configure_logs
from shared.sync.feed import FeedEntry, SnapshotChunk, SnapshotManifest, TicketEntry
from shared.sync.wire import pack_chunk
from shared.tickets.lifecycle import State

SMALL, BIG, QUICK_SMALL, QUICK_BIG = 100_000, 1_000_000, 2_000, 20_000
_PER_CHUNK = 2_000
_SEALED = 96
_LOOKS = 5_000
_EXAMPLES = """  python -m benchmarks.big_house                      # 100,000 and a million tickets
  python -m benchmarks.big_house --tickets 200000
  python -m benchmarks.big_house --quick --json
"""


class House(Struct, frozen=True, kw_only=True, eq=False):
    """What a house of some size cost; memory is the whole process's, before and at its highest while loading."""

    tickets: int
    load_s: float
    before_mb: float
    peak_mb: float
    file_mb: float
    looks_us: list[float]


class Shelves:
    """A snapshot in files, as a server hands it out: in the order of its tickets' names, one chunk at a time."""

    def __init__(self, folder: Path, tickets: int) -> None:
        self._folder = folder
        self._event = EventId(uuid4())
        self.manifest = SnapshotManifest(
            snapshot="bench",
            event=self._event,
            seq=tickets,
            rows=tickets,
            chunks=[self._write(number, part) for number, part in enumerate(_parts(tickets))],
        )

    async def fetch_manifest(self, event: EventId) -> SnapshotManifest:
        """Return what it consists of."""
        if event != self._event:
            raise RuntimeError(f"there is no snapshot of {event} here")
        return self.manifest

    async def fetch_chunk(self, snapshot: str, number: int, chunk: SnapshotChunk) -> bytes:
        """Return one chunk."""
        data = await asyncio.to_thread((self._folder / f"{snapshot}-{number}").read_bytes)
        if len(data) != chunk.size:
            raise RuntimeError(f"chunk {number} is not what was written")
        return data

    def _write(self, number: int, entries: list[FeedEntry]) -> SnapshotChunk:
        data = pack_chunk(entries)
        (self._folder / f"bench-{number}").write_bytes(data)
        return SnapshotChunk(size=len(data), sha256=hashlib.sha256(data).digest())


def name_ticket(number: int, tickets: int) -> bytes:
    """Return the handle hash of a ticket; they come in order, evenly strewn."""
    step = 2**128 // tickets
    return (number * step + int.from_bytes(hashlib.sha256(number.to_bytes(8, "big")).digest()[:4], "big")).to_bytes(
        16, "big"
    )


def _parts(tickets: int) -> Iterator[list[FeedEntry]]:
    for start in range(0, tickets, _PER_CHUNK):
        yield [_entry(number, tickets) for number in range(start, min(start + _PER_CHUNK, tickets))]


def _entry(number: int, tickets: int) -> TicketEntry:
    noise = hashlib.sha512(number.to_bytes(8, "big")).digest() * 2
    return TicketEntry(
        seq=number + 1,
        handle_hash=name_ticket(number, tickets),
        version=1,
        state=State.ACTIVE,
        generation=1,
        product=1,
        zones=1,
        sealed=noise[:_SEALED],
    )


async def measure_house(place: Path, tickets: int) -> House:
    """Load a house of so many tickets into a new gate, and look tickets up."""
    folder, data = place / f"snapshot-{tickets}", place / f"gate-{tickets}"
    folder.mkdir()
    make_directory(data)
    tell(f"making {tickets} tickets")
    source = await asyncio.to_thread(Shelves, folder, tickets)
    await (await open_world(data)).close()
    before_mb = _forget_peak()
    began_s = time.perf_counter()
    async with open_shelf(data) as shelf:
        await load_snapshot(source, shelf, source.manifest.event, lambda _: None)
    load_s, peak_mb = time.perf_counter() - began_s, _memory("VmHWM")
    return House(
        tickets=tickets,
        load_s=load_s,
        before_mb=before_mb,
        peak_mb=peak_mb,
        file_mb=(data / WORLD_NAME).stat().st_size / 1e6,
        looks_us=await _look(data, tickets),
    )


async def _look(data: Path, tickets: int) -> list[float]:
    chance, took = random.Random(tickets), []
    world = await open_world(data)
    try:
        for _ in range(min(_LOOKS, tickets)):
            name = name_ticket(chance.randrange(tickets), tickets)
            began_s = time.perf_counter()
            found = await world.find(name)
            took.append((time.perf_counter() - began_s) * 1e6)
            if found.ticket is None:
                raise RuntimeError("a ticket that was loaded is not found")
    finally:
        await world.close()
    return took


def _forget_peak() -> float:
    """Let the highest memory be counted from now on; return what is in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(name: str) -> float:
    facts = Path("/proc/self/status").read_text().splitlines()
    return next(int(fact.split()[1]) for fact in facts if fact.startswith(name)) / 1024


def _rows(name: str, house: House) -> list[Row]:
    return [
        Row(what=f"{name}: load, s", median=house.load_s),
        Row(what=f"{name}: memory before, MB", median=house.before_mb),
        Row(what=f"{name}: highest memory while loading, MB", median=house.peak_mb),
        Row(what=f"{name}: file, MB", median=house.file_mb),
        measure(f"{name}: look-up, microseconds", house.looks_us),
    ]


def main() -> int:
    """Run the benchmark."""
    parser = make_parser(
        "big_house", "Time how a gate loads and searches a big event.", _EXAMPLES, tickets="1000000, quick: 20000"
    )
    arguments = parser.parse_args()
    configure_logs("error")
    small = QUICK_SMALL if arguments.quick else SMALL
    big = int(arguments.tickets or (QUICK_BIG if arguments.quick else BIG))
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-") as name:
        sizes = (min(small, max(1, big // 2)), big)
        houses = [asyncio.run(measure_house(Path(name), tickets)) for tickets in sizes]
    report = Report(
        benchmark="big house",
        machine=describe_machine(),
        notes={
            "houses": f"{houses[0].tickets} and {houses[1].tickets} tickets, {_SEALED} bytes of sealed data each",
            "source": "chunks in files, made before; network and server are not measured",
        },
        rows=[*_rows("small house", houses[0]), *_rows("big house", houses[1])],
    )
    show(report, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
