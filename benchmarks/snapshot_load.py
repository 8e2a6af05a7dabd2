"""A new gate at a sold-out house: how long the server builds its snapshot, and how soon the gate can decide."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.busy_server import Sold, sold_out_event
from benchmarks.gate_load import Loaded
from benchmarks.report import Report, describe_machine, make_parser, measure, show, tell, tickets_wanted
from gate.identity import load_identity
from gate.keystore import load_keys
from gate.sync.credential import Credential
from gate.sync.http import GateHttp, open_session
from server.embedded.placement import remove_place
from shared.clock import SystemClock
from shared.logs import configure_logs
from shared.sync.feed import SnapshotManifest

_RUNS = 5
_PATIENCE_S = 300.0
_EXAMPLES = """  python -m benchmarks.snapshot_load
  python -m benchmarks.snapshot_load --quick --json
  python -m benchmarks.snapshot_load --tickets 20000 --runs 3
"""


class Built(Struct, frozen=True, kw_only=True):
    """The server's side: seconds from the gate's question to the whole manifest."""

    seconds: float
    manifest: SnapshotManifest


class Ready(Struct, frozen=True, kw_only=True):
    """A whole gate agent's start: seconds from the server's first word, and from the command, until it can decide."""

    tickets: int
    linked_to_ready_s: float
    started_to_ready_s: float
    peak_mb: float


class _Line(Struct, frozen=True, kw_only=True):
    type: str
    at: datetime
    what: str = ""
    ready: bool = False
    linked: bool = False
    tickets: int = 0


class Run(Struct, frozen=True, kw_only=True):
    """One gate after another, each new."""

    built: Built
    loaded: Loaded
    ready: Ready


async def measure_run(sold: Sold, place: Path, number: int) -> Run:
    """Have a snapshot built, loaded alone, and loaded by a whole agent."""
    await sold.forget_snapshots()
    alone, whole = place / f"alone-{number}", place / f"whole-{number}"
    for data in (alone, whole):
        code = await sold.enrolment_code(data.name)
        await _finish(await _start("gate", "enrol", "--server", sold.server.base_url, "--data", str(data), code))
    built = await _build(alone)
    loaded = msgspec.json.decode(await _finish(await _start("benchmarks.gate_load", str(alone))), type=Loaded)
    return Run(built=built, loaded=loaded, ready=await _run_agent(whole))


async def _build(data: Path) -> Built:
    identity, keys = await asyncio.to_thread(lambda: (load_identity(data), load_keys(data)))
    async with open_session() as session:
        credential = Credential(identity.gate, identity.tenant, keys.sign, SystemClock())
        began_s = time.perf_counter()
        manifest = await GateHttp(session, identity.server, credential).fetch_manifest(identity.event)
        return Built(seconds=time.perf_counter() - began_s, manifest=manifest)


async def _run_agent(data: Path) -> Ready:
    began_s = time.time()
    process = await _start("gate", "run", "--headless", "--source", "none", "--data", str(data))
    first: _Line | None = None
    async with asyncio.timeout(_PATIENCE_S):
        while True:
            line = await _read_line(process)
            first = first or (line if line.linked else None)
            if line.ready and first is not None:
                break
    status = await asyncio.to_thread(Path(f"/proc/{process.pid}/status").read_text)
    peak_kb = next(int(fact.split()[1]) for fact in status.splitlines() if fact.startswith("VmHWM"))
    process.terminate()
    await _finish(process)
    return Ready(
        tickets=line.tickets,
        linked_to_ready_s=(line.at - first.at).total_seconds(),
        started_to_ready_s=line.at.timestamp() - began_s,
        peak_mb=peak_kb / 1024,
    )


async def _read_line(process: asyncio.subprocess.Process) -> _Line:
    text = await process.stdout.readline() if process.stdout is not None else b""
    if not text:
        raise RuntimeError("the gate ended before it was ready")
    return msgspec.json.decode(text, type=_Line)


async def _start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "TICKETTOKEN_GATE_LOG_LEVEL": "error"},
    )


async def _finish(process: asyncio.subprocess.Process) -> bytes:
    async with asyncio.timeout(_PATIENCE_S):
        output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"a part of the benchmark ended with status {process.returncode}")
    return output


async def _measure(place: Path, tickets: int, runs: int) -> Report:
    tell(f"selling {tickets} tickets")
    async with sold_out_event(place / "server", tickets) as sold:
        measured: list[Run] = []
        for number in range(1, runs + 1):
            measured.append(await measure_run(sold, place, number))
            tell(f"run {number} of {runs}")
    return _report(measured, tickets)


def _report(runs: list[Run], tickets: int) -> Report:
    manifest = runs[0].built.manifest
    size = sum(chunk.size for chunk in manifest.chunks)
    return Report(
        benchmark="snapshot load",
        machine=describe_machine(),
        notes={
            "event": f"{tickets} tickets, {manifest.rows} rows in {len(manifest.chunks)} chunks",
            "snapshot": f"{size} bytes, {size / manifest.rows:.0f} a row",
            "loaded": f"{min(run.loaded.tickets for run in runs)} and {min(run.ready.tickets for run in runs)} tickets",
            "server and gate": "on one machine, HTTP over loopback; the agent gets a snapshot that is built already",
        },
        rows=[
            measure("server builds the snapshot, s", [run.built.seconds for run in runs]),
            measure("gate loads it, s", [run.loaded.seconds for run in runs]),
            measure("gate's memory while loading, MB", [run.loaded.peak_mb for run in runs]),
            measure("agent: server's first word to ready, s", [run.ready.linked_to_ready_s for run in runs]),
            measure("agent: command to ready, s", [run.ready.started_to_ready_s for run in runs]),
            measure("agent's memory, MB", [run.ready.peak_mb for run in runs]),
        ],
    )


def main() -> int:
    """Run the benchmark."""
    parser = make_parser("snapshot_load", "Time how a new gate comes to know a big event.", _EXAMPLES)
    parser.add_argument(
        "--runs", type=int, metavar="N", help=f"gates to set up one after the other ({_RUNS}, quick: 1)"
    )
    arguments = parser.parse_args()
    configure_logs("error")
    runs = arguments.runs or (1 if arguments.quick else _RUNS)
    with tempfile.TemporaryDirectory(prefix="tickettoken-bench-") as name:
        place = Path(name)
        place.chmod(0o711)
        try:
            report = asyncio.run(_measure(place, tickets_wanted(arguments), runs))
        finally:
            remove_place(place / "server")
    show(report, as_json=arguments.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
