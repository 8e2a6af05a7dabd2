"""A turnstile opens once for each admission, never holds up a scan, and what goes wrong with it is told."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.barriers import CommandBarrier, LineBarrier, parse_command
from gate.outcome import Outcome
from gate.turning import choose_turnstile
from gate.turnstile import Barrier, Happened, Turnstile, TurnstileStuck, opens
from shared.admission.verdict import Reason, admit, refuse
from shared.clock import ManualClock, SystemClock
from shared.problems import InputUnusable
from tests.integration.gate.line import Line
from tests.integration.gate.test_cli import gate
from tests.integration.gate.turns import NOW, Told, at_work, outcome
from tests.integration.gate.venue import prepare_gate


def line_turnstile(line: Line, told: Told) -> Turnstile:
    """Return a turnstile on a line."""
    heard: list[Turnstile] = []

    def hear(what: Happened, number: int | None) -> None:
        heard[0].hear(what, number)

    barrier = LineBarrier(line.path, hear, within_s=2)
    heard.append(Turnstile(barrier, SystemClock(), told))
    barrier.attach()
    return heard[0]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (outcome(7), True),
        (outcome(7, admit(Reason.EXIT_OK)), True),
        (outcome(None, admit(Reason.DOUBLE_READ)), False),
        (outcome(7, refuse(Reason.CANCELLED)), False),
        (outcome(7, refuse(Reason.UNDONE)), False),
    ],
)
def test_only_an_admission_on_record_opens(one: Outcome, *, expected: bool) -> None:
    assert opens(one) is expected


async def test_program_is_run_for_each_admission_with_its_number_and_without_secrets(tmp_path: Path) -> None:
    out, told = tmp_path / "opened", Told()
    script = "import os; open(os.environ['OUT'], 'a').write(os.environ['TICKETTOKEN_GATE_SEQ'] + str(sorted(os.environ)) + '\\n')"
    environ = {"OUT": str(out), "PATH": os.environ["PATH"], "TICKETTOKEN_GATE_PASSPHRASE": "secret"}
    barrier = CommandBarrier((sys.executable, "-c", script), environ, within_s=20)
    async with at_work(Turnstile(barrier, SystemClock(), told)) as crowd:
        crowd.add(outcome(1), outcome(2, refuse(Reason.CANCELLED)), outcome(None), outcome(3))
    await told.until((Happened.OPENED, 1), (Happened.OPENED, 3))
    lines = out.read_text().splitlines()
    assert [line[0] for line in lines] == ["1", "3"]
    assert not any("PASSPHRASE" in line for line in lines)


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (("/no/such/program",), "cannot be run"),
        ((sys.executable, "-c", "raise SystemExit(4)"), "ended with 4"),
        (("sh", "-c", "cat /dev/zero > /dev/null | cat"), "longer than"),
    ],
)
async def test_program_that_fails_is_told_and_the_next_is_tried(command: tuple[str, ...], word: str) -> None:
    told = Told()
    barrier = CommandBarrier(command, os.environ, within_s=0.5)
    if "SystemExit(4)" in command[-1]:
        barrier = CommandBarrier(command, os.environ, within_s=20)
    async with at_work(Turnstile(barrier, SystemClock(), told)) as crowd:
        crowd.add(outcome(1), outcome(2))
    await told.until((Happened.STUCK, 1), (Happened.STUCK, 2))
    assert all(word in one.message for one in told.news)


async def test_line_opens_and_hears_who_went_through() -> None:
    line, told = Line(), Told()
    async with at_work(line_turnstile(line, told)) as crowd:
        crowd.add(outcome(17))
        assert await line.read_line() == b"OPEN 17\n"
        await told.until((Happened.OPENED, 17))
        os.write(line.device, b"HELLO\r\nTURNED 17\r\nID")
        os.write(line.device, b"LE\n\nTURNED x\n")
        await told.until((Happened.OPENED, 17), (Happened.TURNED, 17), (Happened.UNUSED, None))
    line.close()


async def test_line_that_is_unplugged_is_told_and_used_again_when_it_is_back(tmp_path: Path) -> None:
    line, told, device = Line(), Told(), tmp_path / "device"
    device.symlink_to(line.path)
    barrier = LineBarrier(device, lambda *_: None, within_s=2)
    async with at_work(Turnstile(barrier, SystemClock(), told)) as crowd:
        crowd.add(outcome(1))
        assert await line.read_line() == b"OPEN 1\n"
        line.close()
        device.unlink()
        crowd.add(outcome(2))
        await told.until((Happened.OPENED, 1), (Happened.STUCK, 2))
        again = Line()
        device.symlink_to(again.path)
        crowd.add(outcome(3))
        assert await again.read_line() == b"OPEN 3\n"
    assert told.news[-1].what is Happened.OPENED
    again.close()


async def fill(barrier: LineBarrier) -> None:
    """Open until the line is full."""
    for number in range(100_000):
        await barrier.open(number)


async def test_line_that_takes_nothing_is_given_up_in_time() -> None:
    line = Line()
    barrier = LineBarrier(line.path, lambda *_: None, within_s=0.2)
    barrier.attach()
    with pytest.raises(TurnstileStuck, match="takes no line"):
        await fill(barrier)
    await barrier.close()
    line.close()


class Wedged(Barrier):
    """A barrier that never answers."""

    async def open(self, gate_seq: int) -> None:
        """Wait for ever."""
        assert gate_seq
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing to let go of."""


async def test_device_that_talks_without_end_fills_no_memory() -> None:
    turnstile = Turnstile(Wedged(), ManualClock(NOW), Told())
    for _ in range(1000):
        turnstile.hear(Happened.TURNED, None)
    assert turnstile._heard.qsize() == 16


def test_run_opens_for_each_admission_and_says_so_in_lines(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "opened"
    venue = prepare_gate(data, 3)
    codes = venue.codes(range(1, 3), datetime.now(UTC))
    command = f"sh -c 'echo $TICKETTOKEN_GATE_SEQ >> {out}'"
    text = "\n".join([codes[0], "HELLO", codes[0], codes[1]]) + "\n"
    base = ("run", "--headless", "--source", "stdin", "--exit-at-end", "--drain-s", "0", "--wait", "0")
    done = gate(*base, "--data", data, "--open-command", command, text=text)
    assert done.status == 0
    assert out.read_text().split() == ["1", "3"]
    lines = [line for line in done.lines if line["type"] == "turnstile"]
    assert [(line["what"], line["gate_seq"]) for line in lines] == [("opened", 1), ("opened", 3)]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--open-command", "'"), "quotation"),
        (("--open-command", " "), "is empty"),
        (("--turnstile", "/no/such/device"), "cannot be opened"),
        (("--turnstile", "/dev/null"), "cannot be opened"),
        (("--turnstile", "/dev/null", "--open-command", "true"), "not both"),
        (("--drill", "--open-command", "true"), "drill"),
    ],
)
def test_turnstile_that_cannot_work_is_refused_before_the_first_scan(
    tmp_path: Path, arguments: tuple[str, ...], word: str
) -> None:
    prepare_gate(tmp_path, 1)
    done = gate("run", "--headless", "--source", "stdin", "--data", tmp_path, *arguments)
    assert (done.status, word in done.err, done.err.count("\n")) == (2, True, 1)


def test_command_is_cut_into_words_and_no_turnstile_is_none() -> None:
    assert parse_command("open 'gate 2' --for 3") == ("open", "gate 2", "--for", "3")
    assert choose_turnstile(None, None, drill=True) is None
    with pytest.raises(InputUnusable):
        parse_command("")
