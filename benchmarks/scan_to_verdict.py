"""From a camera's picture to a durable verdict: where the milliseconds go, on real pictures and real database files."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from benchmarks.offline_gate import Event, furnish, make_event
from benchmarks.report import Report, describe_machine, make_parser, measure, show, tell, tickets_wanted
from gate.admit import Shown
from gate.app import AgentSetup, open_agent
from gate.film.render import draw_frames
from gate.film.script import film_of
from gate.outcome import Outcome
from gate.scanner.decoder import ZxingDecoder
from shared.clock import SystemClock
from shared.logs import configure_logs

_AT_ONCE = 10
"""People filmed together: few enough that no code grows old between drawing and reading."""

_FRAMES, _EMPTY_FRAMES = 10, 1
_SCANS, _QUICK_SCANS = 600, 12
_EXAMPLES = """  python -m benchmarks.scan_to_verdict
  python -m benchmarks.scan_to_verdict --quick --json
  python -m benchmarks.scan_to_verdict --directory /srv   # on the disk the gate will use
"""


class Person(Struct, frozen=True, kw_only=True, eq=False):
    """Somebody's pictures, blue, green and red as a camera gives them, and one of the place without them."""

    pictures: list[NDArray[np.uint8]]
    empty: NDArray[np.uint8]


class Measured(Struct, kw_only=True, eq=False):
    """What was seen so far; milliseconds."""

    outcomes: list[Outcome]
    tries_ms: list[float]
    empty_ms: list[float]
    unread: int = 0


class Bench:
    """A running gate behind a decoder."""

    def __init__(self, directory: Path, event: Event) -> None:
        self.measured = Measured(outcomes=[], tries_ms=[], empty_ms=[])
        self._directory = directory
        self._event = event
        self._decoder = ZxingDecoder()
        self._answers: asyncio.Queue[Outcome] = asyncio.Queue()

    async def run(self, tickets: int, scans: int) -> None:
        """Load the event and scan so many people."""
        identity, keys = await furnish(self._directory, self._event, tickets)
        clock = SystemClock()
        setup = AgentSetup(
            directory=self._directory,
            identity=identity,
            keys=keys,
            clock=clock,
            software="benchmark",
            sink=self._answers.put,
        )
        async with open_agent(setup) as agent, asyncio.TaskGroup() as group:
            group.create_task(agent.desk.work())
            for number, person in enumerate(self._people(scans), start=1):
                if (shown := self._read(person, clock)) is not None:
                    await agent.desk.put(shown)
                    self.measured.outcomes.append(await self._answers.get())
                if number % 100 == 0:
                    tell(f"{number} of {scans} people")
            await agent.desk.finish()

    def _people(self, scans: int) -> Iterator[Person]:
        for start in range(1, scans + 1, _AT_ONCE):
            now = datetime.now(UTC)
            texts = [self._event.show(number, now) for number in range(start, min(start + _AT_ONCE, scans + 1))]
            yield from _draw(texts, seed=start)

    def _read(self, person: Person, clock: SystemClock) -> Shown | None:
        """Look at pictures one after the other until one gives a code, as a lane does."""
        began_s = time.perf_counter()
        self._decoder.decode(person.empty)
        self.measured.empty_ms.append((time.perf_counter() - began_s) * 1000)
        for picture in person.pictures:
            taken_s, began_s = clock.monotonic(), time.perf_counter()
            texts = self._decoder.decode(picture)
            took_ms = (time.perf_counter() - began_s) * 1000
            if texts:
                return Shown(text=texts[0], taken_s=taken_s, decode_ms=took_ms)
            self.measured.tries_ms.append(took_ms)
        self.measured.unread += 1
        return None


def _draw(texts: Sequence[str], seed: int) -> Iterator[Person]:
    pictures: list[NDArray[np.uint8]] = []
    for shot in draw_frames(film_of(texts, seed, _FRAMES, _EMPTY_FRAMES)):
        colour = np.repeat(shot.image[:, :, np.newaxis], 3, axis=2)
        if shot.person is not None:
            pictures.append(colour)
            continue
        yield Person(pictures=pictures, empty=colour)
        pictures = []


def _report(measured: Measured, tickets: int, directory: Path) -> Report:
    took = [outcome.took for outcome in measured.outcomes]
    rows = [
        measure("picture without a code, ms", measured.empty_ms),
        measure("decode the picture that settled it, ms", [one.decode for one in took]),
        measure("verify the code, ms", [one.verify for one in took]),
        measure("look up and apply the rule, ms", [one.rule for one in took]),
        measure("make the record durable, ms", [one.commit for one in took]),
        measure("decoded to verdict, ms", [one.total - one.decode for one in took]),
        measure("picture to verdict, ms", [one.total for one in took]),
    ]
    if measured.tries_ms:
        rows.insert(1, measure("picture with a code not yet readable, ms", measured.tries_ms))
    admitted = sum(outcome.verdict.admitted for outcome in measured.outcomes)
    return Report(
        benchmark="scan to verdict",
        machine=describe_machine(),
        notes={
            "pictures": "1280x720, three colours, people with phones and paper as in a film",
            "event": f"{tickets} tickets in SQLite, codes 20 hours into their day, {directory}",
            "people": f"{admitted} admitted of {len(took)} read, {measured.unread} in no picture readable",
        },
        rows=rows,
    )


def main() -> int:
    """Run the benchmark."""
    parser = make_parser("scan_to_verdict", "Time a scan from a camera's picture to a durable verdict.", _EXAMPLES)
    parser.add_argument("--scans", type=int, metavar="N", help=f"people to scan ({_SCANS}, quick: {_QUICK_SCANS})")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where to put the gate's files (temporary files)")
    arguments = parser.parse_args()
    configure_logs("error")
    tickets, scans = tickets_wanted(arguments), arguments.scans or (_QUICK_SCANS if arguments.quick else _SCANS)
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-", dir=arguments.directory) as place:
        bench = Bench(Path(place) / "gate", make_event())
        tell(f"loading {tickets} tickets")
        asyncio.run(bench.run(max(tickets, scans), scans))
        show(_report(bench.measured, tickets, Path(place)), as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
