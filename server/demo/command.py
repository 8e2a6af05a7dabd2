"""``tickettoken demo``: plays the tour and prints what came of it."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Mapping
from typing import TextIO

import msgspec
from rich.console import Console

from server.demo.summary import Summary
from server.demo.tour import TourOptions, run_tour
from shared.clock import SystemClock
from shared.logs import configure_logs

CALLED_OFF = 130
"""The exit status after a signal, as shells have it for Ctrl-C."""


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    """Play the tour; return 0 if every expectation held."""
    configure_logs("error")
    options = TourOptions(tickets=arguments.tickets, screen=arguments.tui, keep=arguments.keep, nft=arguments.nft)
    summary = asyncio.run(_until_signal(run_tour(options, Console(quiet=arguments.json), SystemClock())))
    if summary is None:
        sys.stderr.write("stopped\n")
        return CALLED_OFF
    return conclude(summary, sys.stdout, as_json=arguments.json)


def conclude(summary: Summary, out: TextIO, *, as_json: bool) -> int:
    """Print what came of the tour; return the exit status, 0 only if every expectation held."""
    if as_json:
        out.write(msgspec.json.encode(summary).decode() + "\n")
    else:
        _judge(Console(file=out), summary)
    return 1 if summary.problems else 0


def _judge(console: Console, summary: Summary) -> None:
    console.print()
    if not summary.problems:
        console.print("   [bold green]✔ Everything came out as it must.[/]")
        return
    console.print("   [bold red]✘ Not everything came out as it must:[/]")
    for problem in summary.problems:
        console.print(f"     - {problem}", markup=False, highlight=False)


async def _until_signal(work: Awaitable[Summary]) -> Summary | None:
    """Return the outcome, or None if a signal called it off: then all that was started is stopped and removed first."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    calling_off = False

    def call_off() -> None:
        nonlocal calling_off
        # Only once: a second signal would cut the tidying short.
        if not calling_off:
            calling_off = True
            sys.stderr.write("stopping …\n")
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, call_off)
    try:
        return await task
    except asyncio.CancelledError:
        return None
