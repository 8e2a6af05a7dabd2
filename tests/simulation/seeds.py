"""Which evenings are played, and how one that went wrong is played again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from server.db.pool import PgDatabase
from tests.simulation.evening import MakeServer, Plan, Size, open_evening
from tests.simulation.evidence import gather
from tests.simulation.expectation import Rules
from tests.simulation.oracle import judge
from tests.simulation.server_side import SimServer

COUNT_VARIABLE = "TICKETTOKEN_SEEDS"
SEED_VARIABLE = "TICKETTOKEN_SEED"
_COUNT = 100
_BATCH = 10
_BROKER_SHARE = 20
_LARGE_EVERY = 5
_SMALL = Size(gates=5, tickets=4, visits=25, deeds=5, breakdowns=8)


def batches() -> list[range]:
    """Return the seeds to be played, in runs that share a database: the one asked for, or as many as asked for."""
    one = os.environ.get(SEED_VARIABLE)
    if one is not None:
        return [range(int(one), int(one) + 1)]
    count = int(os.environ.get(COUNT_VARIABLE, _COUNT))
    return [range(first, min(first + _BATCH, count)) for first in range(0, count, _BATCH)]


def broker_batches() -> list[range]:
    """Return the seeds to be played over a real broker: each takes many times as long, so there are fewer."""
    if SEED_VARIABLE in os.environ:
        return batches()
    count = max(1, int(os.environ.get(COUNT_VARIABLE, _COUNT)) // _BROKER_SHARE)
    return [range(seed, seed + 1) for seed in range(count)]


def name_batch(seeds: range) -> str:
    """Return what a run of seeds is called in a report."""
    return f"{seeds[0]}-{seeds[-1]}"


def plan_of(seed: int, *, exits: bool) -> Plan:
    """Return a seed's evening; every fifth has twenty gates, the others are small ones."""
    return Plan(seed=seed, exits=exits, size=_SMALL if seed % _LARGE_EVERY else Size())


async def play(db: PgDatabase, files: Path, plan: Plan, make_server: MakeServer = SimServer) -> list[str]:
    """Play one evening and return what was not as it must be."""
    directory = files / f"evening-{plan.seed}-{plan.salt}"
    async with open_evening(db, directory, plan, make_server) as evening:
        await evening.play()
        complaints = judge(await gather(evening), evening.truth, Rules())
    shutil.rmtree(directory)
    return complaints


async def play_all(
    db: PgDatabase, files: Path, plans: list[Plan], test_file: str, make_server: MakeServer = SimServer
) -> list[str]:
    """Play several evenings; return for each that went wrong what was wrong, and the command that plays it again."""
    reports = []
    for plan in plans:
        complaints = await play(db, files, plan, make_server)
        if complaints:
            again = f"{SEED_VARIABLE}={plan.seed} ./run test tests/simulation/{test_file}"
            reports.append("\n  ".join([f"seed {plan.seed}, again with: {again}", *complaints]))
    return reports
