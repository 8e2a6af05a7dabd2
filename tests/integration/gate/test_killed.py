"""The agent killed without warning while it scans: what was green is on the disk, once, and the next start is clean."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
from msgspec import Struct

from gate.inspection import open_data, verify_log
from shared.clock import SystemClock
from shared.sync.scan import ScanRecord, decode_record, hash_code
from tests.integration.gate.venue import prepare_gate

KILLS = 50
TICKETS = 4000
OVERLAP = 4


class Line(Struct, frozen=True, kw_only=True):
    """The part of an output line that counts here."""

    type: str
    code: str = ""
    admitted: bool = False
    reason: str = ""
    scan: str | None = None
    gate_seq: int | None = None


def run_until_killed(data: Path, codes: Path, lines_before: int) -> list[Line]:
    """Run the real agent on a file of codes, let it write some lines, kill it, and return every whole line it wrote."""
    environment = {**os.environ, "TICKETTOKEN_GATE_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "gate", "run", "--headless", "--data", str(data), "--source", "stdin"]
    complaints = codes.with_name("complaints.txt")
    with codes.open("rb") as shown, complaints.open("wb") as errors:
        agent = subprocess.Popen(command, stdin=shown, stdout=subprocess.PIPE, stderr=errors, env=environment)
    with agent:
        assert agent.stdout is not None
        head = b"".join(agent.stdout.readline() for _ in range(lines_before))
        agent.kill()
        rest = agent.stdout.read()
    assert complaints.read_text(encoding="utf-8") == ""
    *whole, _torn = (head + rest).split(b"\n")
    return [msgspec.json.decode(line, type=Line) for line in whole]


async def read_log(data: Path) -> list[ScanRecord]:
    """Return every record, after checking numbers and hashes."""
    async with open_data(data, SystemClock()) as opened:
        count = await verify_log(opened.log)
        return [decode_record(record.body) for record in await opened.log.read_between(0, count)]


def test_fifty_kills_lose_nothing_that_was_green_and_repeat_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    venue = prepare_gate(data, TICKETS)
    chance = random.Random(20260620)  # noqa: S311 - which instants are tried, not a secret
    codes = venue.codes(range(1, TICKETS + 1), datetime.now(UTC))
    answered: list[Line] = []
    begin = 0
    for _ in range(KILLS):
        batch = tmp_path / "codes.txt"
        batch.write_text("\n".join(codes[begin : begin + 400]) + "\n", encoding="ascii")
        lines = run_until_killed(data, batch, lines_before=chance.randint(0, 60))
        scans = [line for line in lines if line.type == "scan"]
        answered += scans
        # The people whose answer was lost come again, together with some who already had theirs.
        begin = max(begin, begin + len(scans) - OVERLAP)
    records = asyncio.run(read_log(data))
    logged = {str(record.scan): record for record in records}
    green = [line for line in answered if line.admitted]
    assert len(green) > KILLS
    for line in green:
        assert line.scan is not None
        record = logged[line.scan]
        assert record.admitted
        assert record.code_hash.hex() == line.code
        assert record.gate_seq == line.gate_seq
    admitted = [record.handle_hash for record in records if record.admitted]
    assert len(admitted) == len(set(admitted))
    assert all(later.hlc > earlier.hlc for earlier, later in pairwise(records))
    shown = {hash_code(code) for code in codes[: begin + 400]}
    assert {record.code_hash for record in records} <= shown


def test_person_whose_answer_was_lost_gets_it_after_restart(tmp_path: Path) -> None:
    data, codes = tmp_path / "data", tmp_path / "codes.txt"
    venue = prepare_gate(data, 3)
    codes.write_text(venue.code(venue.ticket(1), datetime.now(UTC)) + "\n", encoding="ascii")
    # The first agent decides, the second is asked at once about the same person.
    first = [line for line in run_until_killed(data, codes, lines_before=3) if line.type == "scan"]
    second = [line for line in run_until_killed(data, codes, lines_before=3) if line.type == "scan"]
    assert [line.scan for line in second] == [line.scan for line in first]
    assert [line.reason for line in second] == ["ok"]
    assert len(asyncio.run(read_log(data))) == 1
