"""What a gate writes out is signed, says what the log says, and cannot be altered unnoticed."""

from __future__ import annotations

import asyncio
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.inspection import open_data, verify_log
from gate.store.world import open_world
from shared.clock import SystemClock, unix_ms
from shared.codes.number import write_number
from shared.sync.scan import Override, decode_record
from tests.integration.gate.harness import gate_running
from tests.integration.gate.test_cli import gate, gate_beside
from tests.integration.gate.venue import SOUTH, Venue, passage, prepare_gate

NOW = datetime.now(UTC)


async def scanned(data: Path) -> Venue:
    """Make a gate that let tickets 1 and 2 in, refused a text, and heard that 3 went in at South 1."""
    venue = await asyncio.to_thread(prepare_gate, data, 4, NOW)
    world = await open_world(data)
    await world.apply([passage(venue.ticket(3), gate=SOUTH, at_ms=unix_ms(NOW), seq=20)], 20)
    await world.close()
    async with gate_running(data, wait_s=0) as running:
        await running.show(*venue.codes(range(1, 3), NOW), "HELLO")
        agent = running.agent
        assert agent.knowledge.counts().admitted == 2
        running.stop()
        running.stop()
    return venue


async def test_log_is_written_signed_and_verified(tmp_path: Path) -> None:
    await scanned(tmp_path / "data")
    out = tmp_path / "north.jsonl"
    done = await gate_beside("export", out, "--data", tmp_path / "data")
    assert (done.status, done.err) == (0, "")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    key = done.out.rpartition(" ")[2].strip()
    intact = await gate_beside("verify", out, "--key", key, "--json")
    [told] = intact.lines
    assert (intact.status, told["intact"], told["key"]) == (0, True, key)
    assert isinstance(told["log"], dict)
    assert (told["log"]["records"], told["log"]["name"]) == (3, "North 2")
    words = await gate_beside("verify", out)
    assert "3 records of “North 2”, chain unbroken" in words.out
    assert "Any key can sign" in words.out
    foreign = await gate_beside("verify", out, "--key", "A" * 43)
    assert (foreign.status, "another gate's" in foreign.err) == (1, True)
    text = out.read_text(encoding="utf-8")
    for altered in (text.replace('"reason":"ok"', '"reason":"cancelled"', 1), _without_line(text, 2)):
        out.write_text(altered, encoding="utf-8")
        caught = await gate_beside("verify", out)
        assert (caught.status, "changed" in caught.err) == (1, True)
    out.write_text(_without_line(text, -1), encoding="utf-8")
    assert (await gate_beside("verify", out)).status == 2


def _without_line(text: str, number: int) -> str:
    lines = text.splitlines(keepends=True)
    del lines[number]
    return "".join(lines)


@pytest.mark.parametrize("form", ["text", "html"])
async def test_list_names_by_number_who_is_inside_through_any_gate(tmp_path: Path, form: str) -> None:
    venue = await scanned(tmp_path / "data")
    out = tmp_path / f"inside.{form}"
    done = await gate_beside("export", "--emergency", form, out, "--data", tmp_path / "data")
    assert (done.status, "3 people inside" in done.out) == (0, True)
    page = out.read_text(encoding="utf-8")
    numbers = [write_number(venue.ticket(number).entry.handle_hash) for number in range(1, 5)]
    assert [number in page for number in numbers] == [True, True, True, False]
    assert ("People inside: 3" in page, page.count("South 1"), "Guest" in page) == (True, 2, False)
    assert "By type of ticket: 1: 3" in page
    assert "By way in: North 2: 2, South 1: 1" in page
    assert (await gate_beside("verify", out)).status == 0
    out.write_text(page.replace("People inside: 3", "People inside: 2"), encoding="utf-8")
    assert (await gate_beside("verify", out)).status == 1


async def test_each_list_and_each_log_taken_out_is_on_record_whether_the_gate_runs_or_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    await scanned(data)
    ask = ("export", "--emergency", "text", tmp_path / "inside.txt", "--data", data)
    assert (await gate_beside(*ask)).err == ""
    async with gate_running(data, wait_s=0) as running:
        await running.until(lambda status: status.backlog == 4)
        assert (await gate_beside(*ask)).err == ""
        await running.until(lambda status: status.backlog == 5)
        assert (await gate_beside("export", tmp_path / "log.jsonl", "--data", data)).err == ""
        await running.until(lambda status: status.backlog == 6)
        async with asyncio.timeout(20):
            while any(name.startswith((".listing", ".export")) for name in await asyncio.to_thread(os.listdir, data)):
                await running.agent.watch.next(0.2)
        running.stop()
        running.stop()
    async with open_data(data, SystemClock()) as opened:
        *_, first, second, third = await opened.log.read_between(0, 9)
        said = [decode_record(record.body).override for record in (first, second, third)]
        listed, exported = (Override(supervisor="-", reason=what) for what in ("listed_inside", "exported_log"))
        assert said == [listed, listed, exported]
        assert await verify_log(opened.log) == 6


def test_file_without_a_signature_and_a_missing_one_are_told_apart_from_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for name, word in (("empty", "no gate's signature"), ("gone", "cannot be read")):
        done = gate("verify", tmp_path / name)
        assert (done.status, word in done.err, done.err.count("\n")) == (2, True, 1)
