"""How the benchmarks speak: on which machine, in which figures, as a table for people or as one JSON document."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct


class Machine(Struct, frozen=True, kw_only=True):
    """Where the figures were taken; ``busy`` is the load average of the minute before."""

    name: str
    processor: str
    cores: int
    system: str
    python: str
    busy: float


class Row(Struct, frozen=True, kw_only=True):
    """One measured thing; the unit is part of its name."""

    what: str
    median: float
    p99: float | None = None
    count: int = 1


class Report(Struct, frozen=True, kw_only=True):
    """One benchmark's outcome; ``notes`` are the facts without which the figures mean nothing."""

    benchmark: str
    machine: Machine
    notes: dict[str, str]
    rows: list[Row]


def describe_machine() -> Machine:
    """Return what this machine is called and made of."""
    return Machine(
        name=platform.node(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        busy=round(os.getloadavg()[0], 2),
    )


def measure(what: str, values: Sequence[float]) -> Row:
    """Return the median and, from a hundred values on, the 99th percentile."""
    enough = len(values) >= 100
    p99 = statistics.quantiles(values, n=100, method="inclusive")[98] if enough else None
    return Row(what=what, median=statistics.median(values), p99=p99, count=len(values))


def make_parser(
    name: str, purpose: str, examples: str, tickets: str = "100000, quick: 2000"
) -> argparse.ArgumentParser:
    """Return a parser with the options all benchmarks share; ``tickets`` says how many there are unless told."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=purpose,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="small numbers: shows that it runs, measures nothing")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--tickets", type=int, metavar="N", help=f"tickets of the event ({tickets})")
    return parser


def tickets_wanted(arguments: argparse.Namespace) -> int:
    """Return how many tickets the event has."""
    return int(arguments.tickets or (2_000 if arguments.quick else 100_000))


def tell(text: str) -> None:
    """Say what is going on, to a person who waits."""
    sys.stderr.write(f"{text}\n")


def show(report: Report, *, as_json: bool) -> None:
    """Print a report."""
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        return
    machine = report.machine
    print(f"{report.benchmark}: {machine.name}, {machine.processor}, {machine.cores} cores, load {machine.busy}")
    print(f"  {machine.system}, Python {machine.python}")
    for name, value in report.notes.items():
        print(f"  {name}: {value}")
    print(f"\n  {'':<44}{'median':>10}{'p99':>10}{'n':>8}")
    for row in report.rows:
        p99 = "" if row.p99 is None else f"{row.p99:.2f}"
        print(f"  {row.what:<44}{row.median:>10.2f}{p99:>10}{row.count:>8}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
