"""Which evenings are played, and how one that went wrong is played again."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from server.db.pool import PgDatabase
from tests.simulation.broker_side import BrokerServer, Venue
from tests.simulation.evening import MakeServer, Plan, Size, open_evening
from tests.simulation.evidence import gather
from tests.simulation.expectation import Rules
from tests.simulation.lanes import Lane, Lanes
from tests.simulation.mains import Mains
from tests.simulation.oracle import judge
from tests.simulation.server_side import SimServer

COUNT_VARIABLE = "TICKETTOKEN_SEEDS"
SEED_VARIABLE = "TICKETTOKEN_SEED"
LANES = 5
"""How many evenings are played at once: while one waits for the broker another one goes on."""

_COUNT = 100
_BATCH = 10
_OVER_BROKER_PERCENT = 15
_LARGE_EVERY = 5
_KILL_EVERY = 5
_SMALL = Size(gates=5, tickets=4, visits=25, deeds=5, breakdowns=8)


def batches() -> list[range]:
    """Return the seeds to be played, in runs that share a database: the one asked for, or as many as asked for."""
    one = os.environ.get(SEED_VARIABLE)
    if one is not None:
        return [range(int(one), int(one) + 1)]
    count = int(os.environ.get(COUNT_VARIABLE, _COUNT))
    return [range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH)]


def broker_batches() -> list[range]:
    """Return the seeds to be played over a real broker as well: each takes several times as long, so there are fewer."""
    if SEED_VARIABLE in os.environ:
        return batches()
    count = max(LANES, int(os.environ.get(COUNT_VARIABLE, _COUNT)) * _OVER_BROKER_PERCENT // 100)
    return [range(first, min(first + 3 * LANES, count)) for first in range(0, count, 3 * LANES)]


def name_batch(seeds: range) -> str:
    """Return what a run of seeds is called in a report."""
    return f"{seeds[0]}-{seeds[-1]}"


def plan_of(seed: int, *, exits: bool) -> Plan:
    """Return a seed's evening; every fifth has twenty gates, the others are small ones."""
    return Plan(seed=seed, exits=exits, size=_SMALL if seed % _LARGE_EVERY else Size())


def is_broker_killed(seed: int) -> bool:
    """Say whether the broker's process is killed in a seed's evening: in all five of every fifth round, at once."""
    return seed // LANES % _KILL_EVERY == _KILL_EVERY // 2


async def play(db: PgDatabase, files: Path, plan: Plan, make_server: MakeServer = SimServer) -> list[str]:
    """Play one evening and return what was not as it must be."""
    directory = files / f"evening-{plan.seed}-{plan.salt}"
    async with open_evening(db, directory, plan, make_server) as evening:
        await evening.play()
        complaints = judge(await gather(evening), evening.truth, Rules())
    shutil.rmtree(directory)
    return complaints


async def play_all(db: PgDatabase, files: Path, plans: list[Plan], test_file: str) -> list[str]:
    """Play several evenings; return for each that went wrong what was wrong, and the command that plays it again."""
    return [_report(plan, complaints, test_file) for plan in plans if (complaints := await play(db, files, plan))]


async def play_over_broker(lanes: Lanes, files: Path, plans: list[Plan]) -> list[str]:
    """Play evenings over the broker, some at once; return the same."""
    reports: list[str] = []

    async def play_in(lane: Lane, plan: Plan, mains: Mains | None) -> None:
        venue = Venue(lane=lane, mains=mains)
        complaints = await play(lane.db, files, plan, lambda *parts: BrokerServer(parts, venue))
        if complaints:
            reports.append(_report(plan, complaints, "test_over_broker.py"))

    for first in range(0, len(plans), LANES):
        together = plans[first : first + LANES]
        mains = Mains(lanes.service, len(together)) if is_broker_killed(together[0].seed) else None
        async with asyncio.TaskGroup() as group:
            for lane, plan in zip(lanes.lanes, together, strict=False):
                group.create_task(play_in(lane, plan, mains))
    return reports


def _report(plan: Plan, complaints: list[str], test_file: str) -> str:
    again = f"{SEED_VARIABLE}={plan.seed} ./run test tests/simulation/{test_file}"
    return "\n  ".join([f"seed {plan.seed}, again with: {again}", *complaints])
