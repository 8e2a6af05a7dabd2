"""The commands as people and scripts use them: real processes, their output and exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from gate.film.script import Film, Person, write_script
from gate.identity import load_identity
from gate.keystore import KEYS_NAME
from tests.integration.gate.door_server import DoorServer
from tests.integration.gate.harness import gate_running
from tests.integration.gate.venue import Venue, enrol_by_hand, identity, prepare_gate

GATE = (sys.executable, "-m", "gate")
FEW = 3


class Ended(Struct, frozen=True, kw_only=True):
    """A process that ended."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        """Return stdout as lines of JSON."""
        return [msgspec.json.decode(line, type=dict[str, object]) for line in self.out.splitlines()]

    def scans(self) -> list[tuple[object, object]]:
        """Return verdict and reason of each scan line."""
        return [(line["admitted"], line["reason"]) for line in self.lines if line["type"] == "scan"]


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment for a quiet gate."""
    return {**os.environ, "TICKETTOKEN_GATE_LOG_LEVEL": "error", **more}


def gate(*arguments: str | Path, text: str = "", prefix: tuple[str, ...] = ()) -> Ended:
    """Run one command to its end."""
    done = subprocess.run(
        [*prefix, *GATE, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return Ended(status=done.returncode, out=done.stdout, err=done.stderr)


async def gate_beside(*arguments: str | Path, text: str = "", prefix: tuple[str, ...] = ()) -> Ended:
    """Run one command to its end while this loop goes on."""
    return await asyncio.to_thread(gate, *arguments, text=text, prefix=prefix)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give a place for a data directory."""
    return tmp_path / "data"


def test_help_shows_examples_and_exit_statuses() -> None:
    shown = gate("--help")
    assert shown.status == 0
    assert "tickettoken-gate enrol --server" in shown.out
    assert "exit status" in shown.out


def test_help_loads_neither_camera_nor_network_nor_screen() -> None:
    probe = (
        "import sys, gate.cli as cli\n"
        "try: cli.main(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(str(sorted({'cv2', 'aiohttp', 'textual', 'numpy', 'aiosqlite'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", ["run", "status"])
def test_gate_that_is_not_enrolled_says_how_to_enrol(data: Path, command: str) -> None:
    done = gate(command, "--data", data)
    assert done.status == 1
    assert done.err.startswith("error: This gate is not enrolled")
    assert done.err.count("\n") == 1


async def test_enrolment_makes_an_identity_once(data: Path, unused_tcp_port: int) -> None:
    server = DoorServer(Venue(datetime.now(UTC)), await asyncio.to_thread(enrol_by_hand, data.parent / "other"))
    url = f"http://127.0.0.1:{unused_tcp_port}"
    async with server.serving(unused_tcp_port):
        wrong = await gate_beside("enrol", "--server", url, "--data", data, "TT1-WRONG")
        right = await gate_beside("enrol", "--server", url + "/", "--data", data, "TT1-GOOD", "--name", "West 1")
        again = await gate_beside("enrol", "--server", url, "--data", data, "TT1-GOOD")
        server.portal = True
        portal = await gate_beside("enrol", "--server", url, "--data", data.parent / "third", "TT1-GOOD")
    away = await gate_beside("enrol", "--server", url, "--data", data.parent / "fourth", "TT1-GOOD")
    assert (wrong.status, wrong.err) == (1, "error: The server refuses this: This code was used or is too old.\n")
    assert right.status == 0
    assert "West 1" in right.out
    assert again.status == 1
    assert "belongs to an enrolled gate" in again.err
    assert [done.status for done in (portal, away)] == [3, 3]
    assert stat.S_IMODE((data / KEYS_NAME).stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert (await asyncio.to_thread(load_identity, data)).server == url


def test_server_without_tls_must_be_this_machine(data: Path) -> None:
    done = gate("enrol", "--server", "http://10.1.2.3", "--data", data, "TT1-GOOD")
    assert done.status == 2
    assert "Without TLS" in done.err
    assert not data.exists()


def test_keys_that_others_can_read_are_not_used(data: Path) -> None:
    prepare_gate(data, FEW)
    (data / KEYS_NAME).chmod(0o640)
    done = gate("run", "--headless", "--data", data, "--source", "stdin")
    assert done.status == 4
    assert f"chmod 600 {data / KEYS_NAME}" in done.err


def test_lines_from_stdin_are_answered_one_for_one(data: Path, tmp_path: Path) -> None:
    venue = prepare_gate(data, FEW)
    codes = venue.codes(range(1, FEW + 1), datetime.now(UTC))
    copy = tmp_path / "lines.jsonl"
    done = gate(
        *("run", "--headless", "--data", data, "--source", "stdin", "--exit-at-end", "--json-log", copy),
        text="\n".join([codes[0], codes[0], "", "HELLO", *codes[1:]]),
    )
    assert done.status == 0
    assert done.scans() == [
        (True, "ok"),
        (False, "double_read"),
        (False, "code_unreadable"),
        (True, "ok"),
        (True, "ok"),
    ]
    assert [line["what"] for line in done.lines if line["type"] == "status"][-2:] == ["source_ended", "stopped"]
    assert copy.read_text(encoding="utf-8") == done.out
    assert stat.S_IMODE((data / "log.db").stat().st_mode) == 0o600


def test_film_is_decided_on_and_ends_the_run(data: Path, tmp_path: Path) -> None:
    venue = prepare_gate(data, FEW)
    codes = venue.codes(range(1, FEW + 1), datetime.now(UTC))
    script, film = tmp_path / "film.json", tmp_path / "film.avi"
    script.write_bytes(write_script(Film(people=tuple(Person(text=code) for code in codes))))
    made = gate("film", script, film)
    assert (made.status, film.exists()) == (0, True)
    done = gate("run", "--headless", "--data", data, "--source", film, "--pace", "none", "--exit-at-end")
    assert (done.status, done.scans()) == (0, [(True, "ok")] * FEW)


@pytest.mark.parametrize(
    ("source", "status"), [("film-that-is-not-there.avi", 2), ("gopher://camera", 2), ("/dev/video97", 3)]
)
def test_source_that_cannot_be_opened_ends_the_run_with_a_sentence(data: Path, source: str, status: int) -> None:
    prepare_gate(data, FEW)
    done = gate("run", "--headless", "--data", data, "--source", source)
    assert (done.status, done.err.count("\n"), done.err[:7]) == (status, 1, "error: ")


def test_second_agent_on_the_same_data_is_refused(data: Path) -> None:
    prepare_gate(data, FEW)
    with agent_started(data) as first:
        second = gate("run", "--headless", "--data", data, "--source", "stdin")
        seen = gate("status", "--data", data, "--json")
        first.send_signal(signal.SIGTERM)
        out, _ = first.communicate(timeout=20)
    assert second.status == 1
    assert f"process {first.pid}" in second.err
    assert seen.lines[0]["running"] is True
    assert (first.returncode, b'"what":"stopped"' in out) == (0, True)


def agent_started(data: Path) -> subprocess.Popen[bytes]:
    """Start a headless agent with nothing to read and wait for its first line."""
    command = [*GATE, "run", "--headless", "--data", str(data), "--source", "none"]
    agent = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=environment())
    assert agent.stdout is not None
    assert b'"what":"started"' in agent.stdout.readline()
    return agent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_the_gate_in_order(data: Path, number: signal.Signals) -> None:
    prepare_gate(data, FEW)
    with agent_started(data) as agent:
        agent.send_signal(number)
        out, _ = agent.communicate(timeout=20)
    assert (agent.returncode, b'"what":"stopped"' in out) == (0, True)


def test_gate_without_tickets_waits_and_then_says_so(data: Path) -> None:
    enrol_by_hand(data)
    done = gate("run", "--headless", "--data", data, "--source", "stdin", "--wait", "0.3")
    assert done.status == 3
    assert "has no tickets or keys yet" in done.err


def test_reader_of_the_lines_that_goes_away_ends_the_run(data: Path) -> None:
    prepare_gate(data, FEW)
    command = [*GATE, "run", "--headless", "--data", str(data), "--source", "stdin"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as agent:
        assert agent.stdout is not None
        assert agent.stdin is not None
        agent.stdout.readline()
        agent.stdout.close()
        agent.stdin.write(b"HELLO\n")
        agent.stdin.flush()
        status = agent.wait(timeout=20)
        assert agent.stderr is not None
        errors = agent.stderr.read().decode()
    assert (status, errors.count("\n")) == (3, 1)
    assert "line output" in errors


def test_data_directory_that_cannot_be_written_is_named(data: Path) -> None:
    prepare_gate(data, FEW)
    data.chmod(0o500)
    try:
        done = gate("run", "--headless", "--data", data, "--source", "stdin", prefix=without_privileges())
    finally:
        data.chmod(0o700)
    assert done.status == 3
    assert f"{data} cannot be written" in done.err


def without_privileges() -> tuple[str, ...]:
    """Return how to run a command that file modes apply to, as they do not to root."""
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", "--")


def test_screen_refuses_to_share_the_keyboard(data: Path) -> None:
    prepare_gate(data, FEW)
    done = gate("run", "--data", data, "--source", "stdin")
    assert (done.status, "--headless" in done.err) == (2, True)


async def test_doctor_and_status_tell_what_is_right_and_what_is_not(data: Path, unused_tcp_port: int) -> None:
    venue = Venue(datetime.now(UTC))
    keys = await asyncio.to_thread(enrol_by_hand, data, identity(f"http://127.0.0.1:{unused_tcp_port}"))
    server = DoorServer(venue, keys)
    server.feed = venue.entries(20)
    empty = await gate_beside("doctor", "--data", data, "--json")
    async with server.serving(unused_tcp_port):
        async with gate_running(data) as running:
            await running.until(lambda now: now.linked and now.tickets == 20)
            await running.show(*venue.codes(range(1, 3), datetime.now(UTC)), "HELLO")
            await running.until(lambda now: now.backlog == 0)
        well = await gate_beside("doctor", "--data", data, "--json", "--source", "none")
        told = await gate_beside("status", "--data", data, "--json")
        words = await gate_beside("status", "--data", data)
    alone = await gate_beside("doctor", "--data", data)
    assert empty.status == 1
    assert (well.status, well.lines[0]["healthy"]) == (0, True)
    assert alone.status == 1
    assert [line.split()[0] for line in alone.out.splitlines()].count("FAILED") == 1
    found = told.lines[0]
    assert [found[key] for key in ("scans", "admitted", "refused", "tickets", "backlog", "running")] == [
        3,
        2,
        1,
        20,
        0,
        False,
    ]
    assert "3: 2 in, 0 out, 1 refused" in words.out
