"""``tickettoken demo``: plays the tour and prints what came of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping

import msgspec
from rich.console import Console

from server.demo.summary import Summary
from server.demo.tour import TourOptions, run_tour
from shared.clock import SystemClock
from shared.logs import configure_logs


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    """Play the tour; return 0 if every expectation held."""
    configure_logs("error")
    options = TourOptions(tickets=arguments.tickets, screen=arguments.tui, keep=arguments.keep)
    summary = asyncio.run(run_tour(options, Console(quiet=arguments.json), SystemClock()))
    if arguments.json:
        sys.stdout.write(msgspec.json.encode(summary).decode() + "\n")
    else:
        _conclude(Console(), summary)
    return 1 if summary.problems else 0


def _conclude(console: Console, summary: Summary) -> None:
    console.print()
    if not summary.problems:
        console.print("   [bold green]✔ Everything came out as it must.[/]")
        return
    console.print("   [bold red]✘ Not everything came out as it must:[/]")
    for problem in summary.problems:
        console.print(f"     - {problem}", markup=False, highlight=False)
