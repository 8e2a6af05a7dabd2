"""A night's work of a lane, pressed into minutes: does a gate that never rests grow, or get slower?"""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.offline_gate import Event, furnish, make_event
from benchmarks.report import Report, Row, describe_machine, make_parser, measure, show, tell
from gate.admit import Shown
from gate.app import Agent, AgentSetup, open_agent
from gate.outcome import Outcome
from gate.store.log import LOG_NAME
from shared.admission.policy import Policy, Window
from shared.admission.presence import Admission
from shared.admission.verdict import Direction
from shared.clock import ManualClock, unix_ms
from shared.codes.keys import derive_handle, hash_handle
from shared.ids import GateId, ScanId, uuid7
from shared.logs import configure_logs
from shared.sync.feed import AdmissionEntry

HOURS, A_MINUTE, QUICK_A_MINUTE = 8, 30, 1
_TICKETS = 20_000
_REPEATED, _STALE, _FOREIGN = 0.06, 0.03, 0.02
_EXAMPLES = """  python -m benchmarks.soak
  python -m benchmarks.soak --quick --json
  python -m benchmarks.soak --tickets 60     # scans a minute
"""


class Hour(Struct, frozen=True, kw_only=True, eq=False):
    """What an hour cost: the process's memory at its end in MB, and the milliseconds of its scans."""

    memory_mb: float
    objects: int
    took_ms: list[float]


class Night:
    """A gate at work, its guests, and the gates beside it, at a clock that is moved by hand."""

    def __init__(self, agent: Agent, event: Event, clock: ManualClock, answers: asyncio.Queue[Outcome]) -> None:
        self._agent = agent
        self._event = event
        self._clock = clock
        self._answers = answers
        self._chance = random.Random(8)
        self._next_guest, self._feed_seq = 1, _TICKETS + 1
        self._beside = GateId(uuid4())
        self.reasons: dict[str, int] = {}

    async def work(self, a_minute: int) -> Hour:
        """Let an hour pass."""
        took_ms = []
        for _ in range(60 * a_minute):
            self._clock.advance(timedelta(seconds=60 / a_minute))
            text = self._show()
            began_s = time.perf_counter()
            await self._agent.desk.put(Shown(text=text, taken_s=self._clock.monotonic()))
            outcome = await self._answers.get()
            took_ms.append((time.perf_counter() - began_s) * 1000)
            reason = outcome.verdict.reason.value
            self.reasons[reason] = self.reasons.get(reason, 0) + 1
            await self._hear_of_another()
            await self._agent.view.refresh()
        gc.collect()
        return Hour(memory_mb=_memory_mb(), objects=len(gc.get_objects()), took_ms=took_ms)

    def _show(self) -> str:
        kind, now = self._chance.random(), self._clock.now()
        if kind < _FOREIGN:
            return f"HTTPS://MENU.EXAMPLE.ORG/{self._chance.random()}"
        if kind < _FOREIGN + _REPEATED and self._next_guest > 1:
            return self._event.show(self._chance.randrange(1, self._next_guest), now)
        guest = self._next_guest
        self._next_guest += 1
        stale = kind < _FOREIGN + _REPEATED + _STALE
        return self._event.show(guest, now - timedelta(minutes=5) if stale else now)

    async def _hear_of_another(self) -> None:
        """Let the gate hear that the gate beside it admitted somebody, from the end of the list."""
        self._feed_seq += 1
        at_ms = unix_ms(self._clock.now())
        guest = _TICKETS - (self._feed_seq - _TICKETS) // 2
        handle = derive_handle(self._event.master, UUID(int=guest), 1)
        admission = Admission(
            scan=ScanId(uuid7(self._clock.now(), self._chance.randbytes)),
            gate=self._beside,
            gate_seq=self._feed_seq,
            hlc=at_ms << 16,
            at_ms=at_ms,
            unsure_ms=10,
            direction=Direction.ENTRY,
        )
        entry = AdmissionEntry(seq=self._feed_seq, handle_hash=hash_handle(handle), admission=admission)
        await self._agent.world.apply([entry], self._feed_seq)
        await self._agent.knowledge.on_feed([entry])


async def spend_night(place: Path, a_minute: int) -> tuple[list[Hour], Night, float]:
    """Return the hours, the night, and the log's size in MB."""
    now = datetime.now(UTC)
    begins = now - timedelta(hours=HOURS - 3)
    window = Window(doors=begins, starts=now, ends=begins + timedelta(hours=HOURS + 1))
    event = replace(make_event(), policy=Policy(version=1, window=window))
    identity, keys = await furnish(place, event, _TICKETS)
    clock, answers = ManualClock(begins), asyncio.Queue[Outcome]()
    setup = AgentSetup(
        directory=place, identity=identity, keys=keys, clock=clock, software="benchmark", sink=answers.put
    )
    hours = []
    async with open_agent(setup) as agent, asyncio.TaskGroup() as group:
        group.create_task(agent.desk.work())
        night = Night(agent, event, clock, answers)
        for number in range(1, HOURS + 1):
            hours.append(await night.work(a_minute))
            tell(f"hour {number}: {hours[-1].memory_mb:.1f} MB")
        await agent.desk.finish()
    return hours, night, (place / LOG_NAME).stat().st_size / 1e6


def _memory_mb() -> float:
    facts = Path("/proc/self/status").read_text().splitlines()
    return next(int(fact.split()[1]) for fact in facts if fact.startswith("VmRSS")) / 1024


def _report(hours: list[Hour], night: Night, log_mb: float, a_minute: int) -> Report:
    first, last = hours[0], hours[-1]
    scans = sum(len(hour.took_ms) for hour in hours)
    return Report(
        benchmark="soak",
        machine=describe_machine(),
        notes={
            "night": f"{HOURS} hours, {a_minute} scans a minute, {scans} in all, as many admissions heard of from another gate",
            "answers": ", ".join(f"{count} {reason}" for reason, count in sorted(night.reasons.items())),
            "log": f"{log_mb:.1f} MB at the end",
        },
        rows=[
            *(
                Row(what=f"memory after hour {number}, MB", median=hour.memory_mb)
                for number, hour in enumerate(hours, 1)
            ),
            Row(what="growth from the first hour to the last, MB", median=last.memory_mb - first.memory_mb),
            Row(what="objects alive after the first hour", median=first.objects),
            Row(what="objects alive after the last hour", median=last.objects),
            measure("scan in the first hour, ms", first.took_ms),
            measure("scan in the last hour, ms", last.took_ms),
        ],
    )


def main() -> int:
    """Run the benchmark."""
    parser = make_parser(
        "soak", "Press a night's work of a gate into minutes.", _EXAMPLES, tickets="scans a minute: 30, quick: 1"
    )
    arguments = parser.parse_args()
    configure_logs("error")
    a_minute = int(arguments.tickets or (QUICK_A_MINUTE if arguments.quick else A_MINUTE))
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-") as name:
        hours, night, log_mb = asyncio.run(spend_night(Path(name) / "gate", a_minute))
    show(_report(hours, night, log_mb, a_minute), as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
