"""Real gates whose link is the broker, or the WebSocket while it is not to be had."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gate.broker import BROKER_NAME
from gate.sync.ways import Way
from shared.clock import ManualClock
from shared.sync.broker import name_account
from tests.integration.broker.agents import enrol_at, scan_junk, stored_seqs
from tests.integration.broker.stage import Exchange

ROOT = Path(__file__).parents[3]


@pytest.fixture
def clock() -> ManualClock:
    """Give the server the gates' time: they go by the machine's clock."""
    return ManualClock(datetime.now(UTC))


async def test_enrolled_gate_has_an_account_of_its_own_and_links_over_the_broker(
    exchange: Exchange, tmp_path: Path
) -> None:
    await exchange.house.stage.issue(3)
    post = await enrol_at(exchange, tmp_path / "north")
    file = post.directory / BROKER_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert post.access.account == name_account(post.gate)
    assert post.access.password.value not in repr(post.access)
    async with post.running() as gate:
        status = await gate.until(lambda now: now.way == Way.BROKER and now.tickets == 3)
        assert status.linked
        await scan_junk(gate, 5, "first")
        await gate.until(lambda now: now.backlog == 0)
        await exchange.house.stage.issue(1)
        await gate.until(lambda now: now.tickets == 4)
    assert await stored_seqs(exchange, post.gate) == [1, 2, 3, 4, 5]


async def test_gate_enrolled_before_there_was_a_broker_asks_for_an_account(exchange: Exchange, tmp_path: Path) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    (post.directory / BROKER_NAME).unlink()
    async with post.running() as gate:
        await gate.until(lambda now: now.way == Way.BROKER)
    assert (post.directory / BROKER_NAME).exists()


async def test_two_hundred_fifty_scans_arrive_once(exchange: Exchange, tmp_path: Path) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    async with post.running() as gate:
        await gate.until(lambda now: now.way == Way.BROKER)
        await scan_junk(gate, 250, "many")
        await gate.until(lambda now: now.backlog == 0)
    assert await stored_seqs(exchange, post.gate) == list(range(1, 251))


async def test_program_of_the_lane_links_over_the_broker_also_after_its_account_was_damaged(
    exchange: Exchange, tmp_path: Path
) -> None:
    post = await enrol_at(exchange, tmp_path / "north")
    for number, damage in enumerate((False, True)):
        if damage:
            (post.directory / BROKER_NAME).write_text("{")
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gate", "run", "--data", str(post.directory), "--headless", "--source", "stdin"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=ROOT,
        )
        assert program.stdin is not None
        assert program.stdout is not None
        async with asyncio.timeout(60):
            await next_line(program.stdout, lambda line: line.get("way") == "broker")
            program.stdin.write(f"junk {number}\n".encode())
            await next_line(program.stdout, lambda line: line.get("type") == "scan")
            program.terminate()
            await program.communicate()
        assert program.returncode == 0
    assert await stored_seqs(exchange, post.gate) == [1, 2]


async def next_line(lines: asyncio.StreamReader, holds: Callable[[dict[str, object]], bool]) -> None:
    """Read lines of JSON until one is as wanted."""
    while not holds(msgspec.json.decode(await lines.readline(), type=dict[str, object])):
        pass
