"""A service manager hears that the gate works, goes on working and ends."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from gate.heart import Heart, find_heart


async def hear(line: socket.socket) -> str:
    """Wait for the next word."""
    async with asyncio.timeout(20):
        return (await asyncio.get_running_loop().sock_recv(line, 100)).decode()


async def test_heart_beats_until_it_stops(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        heart = Heart(str(tmp_path / "notify"), 0.02)
        heart.start()
        assert [await hear(line) for _ in range(4)] == ["READY=1", *["WATCHDOG=1"] * 3]
        heart.stop()
        words = {await hear(line) for _ in range(1)}
        while "STOPPING=1" not in words:
            words.add(await hear(line))
        assert words <= {"WATCHDOG=1", "STOPPING=1"}


async def test_unwatched_heart_says_only_that_it_is_ready_and_one_unheard_harms_nobody(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(str(tmp_path / "notify"))
        line.setblocking(False)
        heart = Heart(str(tmp_path / "notify"), None)
        heart.start()
        heart.stop()
        assert [await hear(line), await hear(line)] == ["READY=1", "STOPPING=1"]
    Heart(str(tmp_path / "gone"), 30).start()


def test_heart_is_there_when_somebody_listens_and_watches_this_process_only() -> None:
    assert find_heart({}, 7) is None
    socket_name = {"NOTIFY_SOCKET": "@name"}
    cases: tuple[dict[str, str], ...] = (
        {},
        {"WATCHDOG_USEC": "x"},
        {"WATCHDOG_USEC": "5000000", "WATCHDOG_PID": "8"},
        {"WATCHDOG_USEC": "5000000"},
    )
    hearts = [find_heart(socket_name | case, 7) for case in cases]
    assert [heart._interval_s for heart in hearts if heart is not None] == [None, None, None, 5.0]
