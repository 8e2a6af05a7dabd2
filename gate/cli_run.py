"""`tickettoken-gate run`: the gate at work, on a screen or as lines of JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TextIO

import structlog
from msgspec import Struct
from msgspec.structs import replace

from gate.app import Agent, AgentSetup, OutcomeSink, open_agent
from gate.broker import load_access
from gate.bulletin import Teller
from gate.headless import LineWriter, make_scan_line, make_status_line, make_turnstile_line
from gate.heart import beating
from gate.identity import load_identity
from gate.keystore import load_keys
from gate.outcome import GateStatus, Outcome
from gate.preferences import PREFERENCES_NAME, ScreenMemory
from gate.remote import BrokerChoice
from gate.running import RunPlan, Stopper, run_agent, stopping_on_signals
from gate.settings import GateSettings
from gate.sources import STDIN, SourceChoice
from gate.store.lock import hold_directory
from gate.sync.address import check_address
from gate.sync.problems import GateWiped
from gate.turning import Beside, TurnstileChoice, choose_turnstile, run_beside
from gate.turnstile import NewsSink, TurnstileNews
from gate.version import name_software
from gate.wiping import AGENT_LOG_NAME, wipe_if_due
from shared.clock import SystemClock
from shared.problems import InputUnusable, TicketTokenError, Unavailable
from shared.sync.access import BrokerAccess

_LOG_LIMIT = 10 * 1024 * 1024
_WAIT_HEADLESS_S = 60.0
_OWNER_ONLY = 0o077


class _Run(Struct, frozen=True, kw_only=True, eq=False):
    plan: RunPlan
    headless: bool
    language: str
    memory: ScreenMemory | None
    streams: list[BinaryIO]
    drill: bool = False
    turnstile: TurnstileChoice | None = None


class _Tellers(Struct, frozen=True, kw_only=True, eq=False):
    status: Teller
    turnstile: NewsSink


def run_here(directory: Path, asked: argparse.Namespace, settings: GateSettings) -> int:
    """Run the gate of a data directory until it is stopped.

    Raises:
        NotFound: it is not enrolled.
        AgentRunning: another agent uses the directory.
        TicketTokenError: see ``run_agent``.
    """
    if asked.source == STDIN and not asked.headless:
        raise InputUnusable("The screen needs the keyboard: use --source stdin with --headless only.")
    turnstile = choose_turnstile(
        asked.open_command, asked.turnstile, drill=asked.drill, takes_back=asked.unused == "take-back"
    )
    os.umask(_OWNER_ONLY)
    if asked.drill:
        return asyncio.run(_practise(asked))
    on_screen = not asked.headless and sys.stdin.isatty() and sys.stdout.isatty()
    try:
        if on_screen and not _enrol_first(directory, asked.language, settings):
            return 0
        return _work_here(directory, asked, settings, turnstile)
    except TicketTokenError as problem:
        if on_screen:
            # Loaded here: a gate without a screen needs no terminal library.
            from gate.tui.fault import show_fault  # noqa: PLC0415

            language = asked.language or ScreenMemory(directory / PREFERENCES_NAME).load().language
            asyncio.run(show_fault(problem, language))
        raise


def _enrol_first(directory: Path, language: str | None, settings: GateSettings) -> bool:
    # Loaded here: a gate without a screen asks nobody.
    from gate.cli_enrol import is_gate_or_becomes_one  # noqa: PLC0415

    return is_gate_or_becomes_one(directory, language, settings)


def _work_here(
    directory: Path, asked: argparse.Namespace, settings: GateSettings, turnstile: TurnstileChoice | None
) -> int:
    if wipe_if_due(directory):
        raise GateWiped("The wipe of this gate that was begun before is done: enrol it anew to use it again.")
    memory = ScreenMemory(directory / PREFERENCES_NAME)
    chosen = memory.load()
    identity, keys = load_identity(directory), load_keys(directory, settings.passphrase)
    check_address(identity.server, allow_http=settings.allow_http)
    with ExitStack() as stack:
        stack.enter_context(hold_directory(directory))
        stack.callback(wipe_if_due, directory)
        stack.enter_context(_logging(directory, headless=asked.headless))
        streams = [sys.stdout.buffer] if asked.headless else []
        if asked.json_log is not None:
            streams.append(stack.enter_context(_open_lines(asked.json_log)))
        run = _Run(
            plan=_plan(asked),
            headless=asked.headless,
            language=asked.language or chosen.language,
            memory=memory,
            streams=streams,
            turnstile=turnstile,
        )
        writer = LineWriter(streams)
        setup = AgentSetup(
            directory=directory,
            identity=identity,
            keys=keys,
            clock=SystemClock(),
            software=name_software(),
            sink=_scan_lines(writer),
            broker=BrokerChoice(access=_find_access(directory), allow_plain=settings.allow_http),
        )
        return asyncio.run(_run(setup, run, writer))


def _scan_lines(writer: LineWriter) -> OutcomeSink:
    async def sink(outcome: Outcome) -> None:
        await writer.write(make_scan_line(outcome))

    return sink


def _plan(asked: argparse.Namespace) -> RunPlan:
    wait_s = asked.wait if asked.wait is not None else (_WAIT_HEADLESS_S if asked.headless else None)
    source = SourceChoice(
        text=asked.source,
        paced=asked.pace == "real",
        follow=asked.follow,
        controls=asked.camera,
        area=asked.area,
    )
    return RunPlan(source=source, wait_s=wait_s, drain_s=asked.drain_s, exit_at_end=asked.exit_at_end)


async def _practise(asked: argparse.Namespace) -> int:
    """Run the gate of a drill in a directory that is removed afterwards."""
    # Loaded here: only a drill makes tickets.
    from gate.drill import prepare_drill  # noqa: PLC0415

    clock = SystemClock()
    streams = [sys.stdout.buffer] if asked.headless else []
    writer = LineWriter(streams)
    with TemporaryDirectory(prefix="tickettoken-drill-") as name, _logging(Path(name), headless=asked.headless):
        drill = await prepare_drill(Path(name), clock.now())
        plan = RunPlan(
            source=SourceChoice(text="drill"),
            wait_s=0.0,
            drain_s=0.0,
            exit_at_end=False,
            linked=False,
            opener=drill.open_source,
        )
        setup = AgentSetup(
            directory=Path(name),
            identity=drill.identity,
            keys=drill.keys,
            clock=clock,
            software=name_software(),
            sink=_scan_lines(writer),
        )
        run = _Run(
            plan=plan,
            headless=asked.headless,
            language=asked.language or "en",
            memory=None,
            streams=streams,
            drill=True,
        )
        return await _run(setup, run, writer)


def _find_access(directory: Path) -> BrokerAccess | None:
    try:
        return load_access(directory)
    except TicketTokenError as problem:
        # The gate has another way, and asks for a new account by itself.
        structlog.get_logger().warning("broker.account_unusable", code=problem.code, message=str(problem))
        return None


async def _run(setup: AgentSetup, run: _Run, writer: LineWriter) -> int:
    async with open_agent(setup) as agent:
        stopper = Stopper(agent.watch.ring)

        async def tell(what: str, status: GateStatus) -> None:
            await writer.write(make_status_line(what, setup.clock.now(), status, ready=agent.view.ready))

        async def tell_turnstile(news: TurnstileNews) -> None:
            await writer.write(make_turnstile_line(news))

        with beating(), stopping_on_signals(stopper):
            if not run.headless:
                return await _run_on_screen(agent, run, stopper, _Tellers(status=tell, turnstile=tell_turnstile))
            work = run_agent(agent, run.plan, stopper, tell)
            await run_beside(run.turnstile, _beside(agent, tell_turnstile), work)
            return 0


def _beside(agent: Agent, tell: NewsSink) -> Beside:
    return Beside(
        outcomes=agent.view.outcomes(), clock=agent.setup.clock, tell=tell, take_back=agent.supervision.take_back_unused
    )


async def _run_on_screen(agent: Agent, run: _Run, stopper: Stopper, tell: _Tellers) -> int:
    # Loaded here: a gate without a screen needs no terminal library.
    from gate.tui.app import GateApp  # noqa: PLC0415
    from gate.tui.display import detect_display  # noqa: PLC0415
    from gate.tui.sound import find_player  # noqa: PLC0415

    faults: list[TicketTokenError] = []

    async def tell_turnstile(news: TurnstileNews) -> None:
        await app.show_turnstile(news)
        await tell.turnstile(news)

    async def run_behind() -> None:
        try:
            work = run_agent(agent, run.plan, stopper, tell.status)
            await run_beside(run.turnstile, _beside(agent, tell_turnstile), work)
        except TicketTokenError as problem:
            faults.append(problem)
            await stopper.wanted.wait()
            if app.is_running:  # it still shows what is broken
                app.exit(return_code=problem.exit_code, message=f"error: {problem}")

    display = replace(
        detect_display(os.environ),
        muted=run.memory is not None and not run.memory.chosen.sound,
        player=find_player(os.environ, shutil.which),
        drill=run.drill,
    )
    app = GateApp(agent.view, run.language, display, run.memory)
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
    with _open_log(directory / AGENT_LOG_NAME) as file:
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
