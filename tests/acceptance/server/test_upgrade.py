"""A rolling upgrade while people buy and walk in: pre migrations, one process after the other, post migrations."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from server.db.migrate import migrate
from server.db.migrations import Phase
from server.db.selfcheck import known_version
from tests.acceptance.server.balancer import Balancer, balancing
from tests.acceptance.server.evening_load import PATIENCE_S, Crowd, Gate, open_gate
from tests.acceptance.server.program import ROOT, Program, listening_of, ready, run
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import Databases

pytestmark = pytest.mark.alone

BUYERS = 2
A_FEW = 10


@pytest.fixture
async def newer(tmp_path: Path) -> Path:
    """Give the program of the next version: this one with two migrations more."""
    place = tmp_path / "newer"
    for part in ("server", "shared", "migrations"):
        await asyncio.to_thread(shutil.copytree, ROOT / part, place / part)
    known = await known_version()
    adds = "ALTER TABLE tickets ADD COLUMN next_version text NOT NULL DEFAULT '';"
    (place / "migrations" / f"{known + 1:04}_pre_next.sql").write_text(adds)
    takes = "ALTER TABLE tickets DROP COLUMN next_version;"
    (place / "migrations" / f"{known + 2:04}_post_next.sql").write_text(takes)
    return place


class Venue:
    """Servers behind a proxy; each does its share of the background work too."""

    def __init__(self, environ: dict[str, str], balancer: Balancer, stack: AsyncExitStack) -> None:
        self.environ = environ
        self.balancer = balancer
        self._stack = stack

    async def serve(self, place: Path = ROOT) -> Program:
        """Start a server and put it behind the proxy once it is ready."""
        server = await self._stack.enter_async_context(listening_of(place, "serve", "--seed", **self.environ))
        await ready(server.base_url)
        self.balancer.add(server.base_url)
        return server

    async def end(self, program: Program) -> None:
        """Stop a server as its operator would; it must leave in order."""
        status, errors = await program.stop(signal.SIGTERM)
        self.balancer.forget(program.base_url)
        assert (status, errors.splitlines()[-1]) == (0, "stopped")
        assert "Traceback" not in errors
        assert "server.draining" in errors


@asynccontextmanager
async def venue(database: Databases, session: aiohttp.ClientSession) -> AsyncIterator[Venue]:
    """Give the environment of a venue, with nothing running in it yet."""
    environ = environ_of(database) | {"PAYMENTS": "demo", "RATE_LIMITS": "off", "DRAIN_SECONDS": "3"}
    async with balancing(session) as balancer, AsyncExitStack() as stack:
        yield Venue(environ, balancer, stack)


@asynccontextmanager
async def load(crowd: Crowd, gate: Gate) -> AsyncIterator[None]:
    """Have people buy and walk in during the block; the first call that fails ends it with that failure."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(crowd.buy_for_ever()) for _ in range(BUYERS)]
        tasks.append(group.create_task(gate.admit_for_ever(crowd)))
        yield
        for task in tasks:
            task.cancel()


async def until_more(crowd: Crowd, gate: Gate) -> None:
    """Wait until a few more have bought and a few more have walked in."""
    bought, scanned = crowd.bought + A_FEW, len(gate.scans) + A_FEW
    async with asyncio.timeout(PATIENCE_S):
        while crowd.bought < bought or len(gate.scans) < scanned:
            crowd.moved.clear()
            await crowd.moved.wait()


async def migrated(database: Databases, newer: Path, phase: Phase) -> list[str]:
    """Run the next version's migrations of a phase; return their names without their numbers."""
    report = await migrate(database.owner_dsn, newer / "migrations", phase=phase)
    return [name.partition("_")[2] for name in report.applied]


async def test_an_upgrade_under_load_fails_no_call_and_loses_no_scan(
    database: Databases, newer: Path, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as session, venue(database, session) as place:
        first = await place.serve()
        second = await place.serve()
        crowd = Crowd(place.balancer.url, place.environ["JWT_SECRET"], session)
        gate = await open_gate(crowd, place.balancer.url, tmp_path / "gate")
        async with load(crowd, gate):
            await until_more(crowd, gate)
            assert await migrated(database, newer, Phase.PRE) == ["pre_next"]
            # The old program starts again on the newer schema: a crash in the middle of an upgrade is no disaster.
            again = await place.serve()
            await place.end(first)
            await place.serve(newer)
            await place.end(second)
            await place.serve(newer)
            await place.end(again)
            assert await migrated(database, newer, Phase.POST) == ["post_next"]
            await until_more(crowd, gate)
        assert await gate.stop() == (0, "")
        stored = [(scan["gateSeq"], str(scan["scanId"]), scan["admitted"]) for scan in await crowd.read_scans()]
        assert sorted(stored) == sorted((line.gate_seq, str(line.scan), line.admitted) for line in gate.scans)
        assert len(stored) >= 2 * A_FEW
        assert {line.reason for line in gate.scans if not line.admitted} == set()
        status, _, errors = await run("work", "--port", "0", **place.environ)
    assert (status, errors.splitlines()[-1].rpartition(": ")[2]) == (4, "install the newer program")
