"""The doors over REST: validating, checking in and being refused, over 1, 8 and 32 connections, beside what PostgreSQL could do.

The server is one process with a durable PostgreSQL, the crowd another; each connection asks again as soon as it is answered.
In the same run pgbench takes the least step a check-in is to the database: that is the limit.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks import bare_sql
from benchmarks.bare_sql import Work
from benchmarks.door_client import Ask, Outcome, Plan
from benchmarks.report import Report, Row, describe_machine, make_parser, show, tell
from benchmarks.selling_load import Bench, open_bench
from server.domain.access import Role
from server.services import show_code
from shared.ids import TicketId
from shared.logs import configure_logs

_CONNECTIONS = (1, 8, 32)
_SCRIPTS = 100
"""pgbench takes no more files than 128; each names another ticket."""
_PURPOSE = "Validating and checking in over REST, over 1, 8 and 32 connections, against pgbench in the same run."
_EXAMPLES = """  python -m benchmarks.door_load
  python -m benchmarks.door_load --tickets 3000 --json"""


async def crowd(bench: Bench, connections: int, asks: list[Ask]) -> Outcome:
    """Let a process of its own ask."""
    door = bench.user(Role.DOOR_STAFF)
    token = bench.server.make_token(door.tenant, door.user, door.role.value, "")
    plan = Plan(url=bench.server.base_url, token=token, connections=connections, asks=asks)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.door_client", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(msgspec.json.encode(plan))
    if process.returncode:
        raise SystemExit("The crowd was answered otherwise than it may be, see above.")
    return msgspec.json.decode(output, type=Outcome)


async def codes_of(bench: Bench, tickets: list[TicketId]) -> list[str]:
    """Return a code of each ticket, good for the next half minute."""
    parts = bench.server.running.parts
    return [(await show_code.show_code(parts.context, parts.mint, bench.rich, one)).qr_data for one in tickets]


def rows_of(what: str, connections: int, outcome: Outcome) -> list[Row]:
    """Return the rate, median with the 99th percentile, and the 95th."""
    named = f"{what}, {connections} connection{'s' if connections > 1 else ''}"
    cuts = statistics.quantiles(outcome.took_ms, n=100, method="inclusive")
    count = len(outcome.took_ms)
    return [
        Row(what=f"{named}, per second", median=count / outcome.all_s, count=count),
        Row(what=f"{named}, ms", median=statistics.median(outcome.took_ms), p99=cuts[98], count=count),
        Row(what=f"{named}, p95, ms", median=cuts[94], count=count),
    ]


async def measure(bench: Bench, calls: int, place: Path, seconds: int) -> list[Row]:
    """Measure each kind of call with each number of connections, and what PostgreSQL does."""
    rows: list[Row] = []
    for turn, connections in enumerate(_CONNECTIONS):
        some = bench.tickets[turn * calls : (turn + 1) * calls]
        tell(f"{connections} connections, {len(some)} calls of each kind")
        codes = await codes_of(bench, some)
        look = [Ask("/api/v1/tickets/validate", {"code": code}, [200]) for code in codes]
        rows += rows_of("validate", connections, await crowd(bench, connections, look))
        codes = await codes_of(bench, some)
        pairs = list(zip(some, codes, strict=True))
        enter = [Ask(f"/api/v1/tickets/{one}/checkin", {"code": code}, [200]) for one, code in pairs]
        rows += rows_of("check in", connections, await crowd(bench, connections, enter))
        again = [Ask(f"/api/v1/tickets/{one}/checkin", {"code": code}, [200, 409]) for one, code in pairs]
        rows += rows_of("check in once more", connections, await crowd(bench, connections, again))
        rows.append(await pgbench(bench, connections, place, seconds))
    return rows


async def pgbench(bench: Bench, connections: int, place: Path, seconds: int) -> Row:
    """Return how many of the least steps PostgreSQL takes in a second for so many clients."""
    template = Path(__file__).with_name("check_in.sql").read_text(encoding="utf-8")
    some = bench.tickets[-_SCRIPTS:]
    scripts = [template.format(tenant=bench.publication.tenant, ticket=ticket) for ticket in some]
    work = Work(scripts=scripts, clients=connections, seconds=seconds)
    bare = await bare_sql.pgbench(bench.server.cluster.cluster.app_dsn, place / f"bare{connections}", work)
    named = f"pgbench, {connections} client{'s' if connections > 1 else ''}, per second"
    return Row(what=named, median=bare.per_second, count=seconds)


async def run(place: Path, *, tickets: int, calls: int, seconds: int) -> Report:
    """Set everything up in a directory and measure."""
    async with open_bench(place / "data", tickets) as bench:
        rows = await measure(bench, calls, place, seconds)
    notes = {
        "event": f"{tickets} tickets",
        "load": f"closed loop, {calls} calls of each kind, crowd and pgbench in processes of their own",
        "durable": "yes; one server process",
    }
    return Report(benchmark="door_load", machine=describe_machine(), notes=notes, rows=rows)


def main() -> None:
    """Run from the command line."""
    parser = make_parser("door_load", _PURPOSE, _EXAMPLES, "3000, quick: 400")
    arguments = parser.parse_args()
    tickets = int(arguments.tickets or (400 if arguments.quick else 3000))
    calls = 20 if arguments.quick else min(400, tickets // 4)
    configure_logs("error")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)  # the database runs as another account when this one is root
        seconds = 1 if arguments.quick else 5
        report = asyncio.run(run(Path(place), tickets=tickets, calls=calls, seconds=seconds))
    show(report, as_json=arguments.json)


if __name__ == "__main__":
    main()
