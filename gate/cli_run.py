"""`tickettoken-gate run`: the gate at work, on a screen or as lines of JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, TextIO

import structlog
from msgspec import Struct

from gate.app import Agent, AgentSetup, open_agent
from gate.bulletin import Teller
from gate.headless import LineWriter, make_scan_line, make_status_line
from gate.identity import load_identity
from gate.keystore import load_keys
from gate.outcome import GateStatus, Outcome
from gate.running import RunPlan, Stopper, run_agent, stopping_on_signals
from gate.settings import GateSettings
from gate.sources import STDIN, SourceChoice
from gate.store.lock import hold_directory
from gate.sync.address import check_address
from gate.version import name_software
from shared.clock import SystemClock
from shared.problems import InputUnusable, TicketTokenError, Unavailable

LOG_FILE_NAME = "agent.log"
_LOG_LIMIT = 10 * 1024 * 1024
_WAIT_HEADLESS_S = 60.0
_OWNER_ONLY = 0o077


class _Run(Struct, frozen=True, kw_only=True, eq=False):
    plan: RunPlan
    headless: bool
    language: str
    streams: list[BinaryIO]


def run_here(directory: Path, asked: argparse.Namespace, settings: GateSettings) -> int:
    """Run the gate of a data directory until it is stopped.

    Raises:
        NotFound: it is not enrolled.
        AgentRunning: another agent uses the directory.
        TicketTokenError: see ``run_agent``.
    """
    if asked.source == STDIN and not asked.headless:
        raise InputUnusable("The screen needs the keyboard: use --source stdin with --headless only.")
    os.umask(_OWNER_ONLY)
    identity, keys = load_identity(directory), load_keys(directory)
    check_address(identity.server, allow_http=settings.allow_http)
    wait_s = asked.wait if asked.wait is not None else (_WAIT_HEADLESS_S if asked.headless else None)
    source = SourceChoice(text=asked.source, paced=asked.pace == "real", follow=asked.follow)
    plan = RunPlan(source=source, wait_s=wait_s, drain_s=asked.drain_s, exit_at_end=asked.exit_at_end)
    with ExitStack() as stack:
        stack.enter_context(hold_directory(directory))
        stack.enter_context(_logging(directory, headless=asked.headless))
        streams = [sys.stdout.buffer] if asked.headless else []
        if asked.json_log is not None:
            streams.append(stack.enter_context(_open_lines(asked.json_log)))
        run = _Run(plan=plan, headless=asked.headless, language=asked.language, streams=streams)
        writer = LineWriter(streams)

        async def sink(outcome: Outcome) -> None:
            await writer.write(make_scan_line(outcome))

        setup = AgentSetup(
            directory=directory, identity=identity, keys=keys, clock=SystemClock(), software=name_software(), sink=sink
        )
        return asyncio.run(_run(setup, run, writer))


async def _run(setup: AgentSetup, run: _Run, writer: LineWriter) -> int:
    async with open_agent(setup) as agent:
        stopper = Stopper(agent.watch.ring)

        async def tell(what: str, status: GateStatus) -> None:
            await writer.write(make_status_line(what, setup.clock.now(), status, ready=agent.view.ready))

        with stopping_on_signals(stopper):
            if run.headless:
                await run_agent(agent, run.plan, stopper, tell)
                return 0
            return await _run_on_screen(agent, run, stopper, tell)


async def _run_on_screen(agent: Agent, run: _Run, stopper: Stopper, tell: Teller) -> int:
    # Loaded here: a gate without a screen needs no terminal library.
    from gate.tui.app import GateApp  # noqa: PLC0415

    faults: list[TicketTokenError] = []

    async def run_behind() -> None:
        try:
            await run_agent(agent, run.plan, stopper, tell)
        except TicketTokenError as problem:
            faults.append(problem)

    app = GateApp(agent.view, run.language)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_behind())
        try:
            await app.run_async()
        finally:
            stopper.stop()
    if faults and not app.return_code:
        raise faults[0]
    return app.return_code or 0


@contextmanager
def _logging(directory: Path, *, headless: bool) -> Iterator[None]:
    """Send the log to stderr, or to a file while the terminal belongs to the screen."""
    if headless:
        yield
        return
    with _open_log(directory / LOG_FILE_NAME) as file:
        *before, _for_terminals = structlog.get_config()["processors"]
        structlog.configure(
            processors=[*before, structlog.processors.JSONRenderer()],
            logger_factory=structlog.PrintLoggerFactory(file),
        )
        yield


def _open_log(path: Path) -> TextIO:
    try:
        full = path.exists() and path.stat().st_size > _LOG_LIMIT
        return path.open("w" if full else "a", encoding="utf-8", buffering=1)
    except OSError as exc:
        raise Unavailable(f"{path} cannot be written ({exc.strerror}): check its owner and the disk's space.") from exc


@contextmanager
def _open_lines(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("ab")
    except OSError as exc:
        raise InputUnusable(f"{path} cannot be written ({exc.strerror}): give --json-log another file.") from exc
    with file:
        yield file
