"""Whatever a gate is given that it cannot use, it says so in one line, ends, and has lost nothing."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from gate.store.world import WORLD_NAME
from tests.acceptance.house import fresh_place
from tests.acceptance.programs import Said, bare_environment, call, gate_command
from tests.acceptance.refusals import AWAY, UNTRUSTED, Wrong, check_refused, contents
from tests.integration.gate.venue import Venue, prepare_gate

TICKETS = 20
SCANNED = 5
RUN = "run --headless --data {gate}"


@pytest.fixture(scope="module")
def venue() -> Iterator[tuple[Path, Venue]]:
    """Give a gate that scanned a few people and whose server is away, and the event it stands at."""
    with fresh_place() as place:
        data = place / "gate"
        venue = prepare_gate(data, TICKETS)
        said = scan(data, venue, range(1, SCANNED + 1))
        assert [line["admitted"] for line in scans(said)] == [True] * SCANNED
        yield data, venue


@pytest.fixture
def gate(venue: tuple[Path, Venue], tmp_path: Path) -> Path:
    """Give a copy of that gate of this test's own."""
    return Path(shutil.copytree(venue[0], tmp_path / "gate"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory with things a camera cannot be."""
    place = tmp_path / "things"
    (place / "empty").mkdir(parents=True)
    (place / "noise.avi").write_bytes(bytes(range(256)) * 40)
    (place / "nothing.mp4").touch()
    (place / "picture.png").write_bytes(b"\x89PNG")
    (place / "script.json").write_text('{"people": [{"text": ""}]}')
    (place / "good.json").write_text('{"people": [{"text": "A"}]}')
    return place


def scan(data: Path, venue: Venue, numbers: range, *options: str) -> Said:
    """Show tickets' codes to a gate and let it end."""
    codes = "".join(f"{code}\n" for code in venue.codes(numbers, datetime.now(UTC)))
    command = gate_command("run", "--headless", "--data", str(data), "--source", "stdin", "--exit-at-end", *options)
    return call(command, given=codes.encode())


def scans(said: Said) -> list[dict[str, object]]:
    """Return the scan lines of a run that went well."""
    assert (said.status, said.errors) == (0, "")
    lines = [msgspec.json.decode(line, type=dict[str, object]) for line in said.output.splitlines()]
    return [line for line in lines if line["type"] == "scan"]


SOURCES = {
    "noise with a film's name": Wrong(
        arguments=f"{RUN} --source {{place}}/noise.avi", says="holds no video that can be read"
    ),
    "an empty film": Wrong(arguments=f"{RUN} --source {{place}}/nothing.mp4", says="holds no video that can be read"),
    "a film that is not there": Wrong(arguments=f"{RUN} --source {{place}}/gone.avi", says="check the path"),
    "a camera that is not there": Wrong(arguments=f"{RUN} --source 97", status=AWAY, says="no picture from camera 97"),
    "a device that is not there": Wrong(arguments=f"{RUN} --source /dev/video97", status=AWAY, says="check its cable"),
    "a stream nobody sends": Wrong(
        arguments=f"{RUN} --source rtsp://127.0.0.1:9/x", status=AWAY, says="no picture from rtsp://"
    ),
    "a folder that is not there": Wrong(arguments=f"{RUN} --source {{place}}/gone", says="create it first"),
    "an empty folder": Wrong(arguments=f"{RUN} --source {{place}}/empty", says="no pictures or videos"),
    "one picture": Wrong(arguments=f"{RUN} --source {{place}}/picture.png", says="put it in a folder"),
    "an address of another kind": Wrong(arguments=f"{RUN} --source ftp://somewhere/x", says="ftp:// is not a way"),
    "following a film": Wrong(arguments=f"{RUN} --source {{place}}/noise.avi --follow", says="--follow is for folders"),
    "the keyboard for screen and codes": Wrong(arguments="run --data {gate} --source stdin", says="--headless only"),
}

OPTIONS = {
    "no command": Wrong(arguments="", says="COMMAND"),
    "no such command": Wrong(arguments="scan", says="'scan'"),
    "no such option": Wrong(arguments=f"{RUN} --speed 3", says="--speed"),
    "no such pace": Wrong(arguments=f"{RUN} --pace fast", says="--pace: invalid choice: 'fast'"),
    "a wait that is no number": Wrong(arguments=f"{RUN} --wait long", says="--wait: give seconds between 0 and 86400"),
    "a wait for ever": Wrong(arguments=f"{RUN} --wait inf", says="--wait: give seconds between 0 and 86400"),
    "a drain before now": Wrong(arguments=f"{RUN} --drain-s -1", says="--drain-s: give seconds between 0 and 86400"),
    "a language nobody wrote": Wrong(
        arguments="run --data {gate} --source none --language tlh", says="choose one of en, de"
    ),
    "a line log nobody can write": Wrong(arguments=f"{RUN} --source none --json-log {{place}}/no/x", says="--json-log"),
    "an option without its value": Wrong(arguments=f"{RUN} --source", says="--source: expected one argument"),
    "a log level nobody knows": Wrong(
        arguments="status --data {gate}",
        environ={"TICKETTOKEN_GATE_LOG_LEVEL": "loud"},
        says="TICKETTOKEN_GATE_LOG_LEVEL: give one of debug, info, warning, error",
    ),
    "neither yes nor no": Wrong(
        arguments="status --data {gate}",
        environ={"TICKETTOKEN_GATE_ALLOW_HTTP": "perhaps"},
        says="TICKETTOKEN_GATE_ALLOW_HTTP: give one of 1, 0",
    ),
    "a film script that is none": Wrong(arguments="film {place}/noise.avi {place}/x.avi", says="film script"),
    "a film script with a fault": Wrong(arguments="film {place}/script.json {place}/x.avi", says="people"),
    "a film of another ending": Wrong(
        arguments="film {place}/good.json {place}/x.gif", says="choose one of these endings"
    ),
    "a film in a place that is not there": Wrong(
        arguments="film {place}/good.json {place}/no/x.avi", says="create it first"
    ),
}


@pytest.mark.parametrize("wrong", [*SOURCES.values(), *OPTIONS.values()], ids=[*SOURCES, *OPTIONS])
def test_unusable_input_is_one_clear_line_and_nothing_is_lost(gate: Path, place: Path, wrong: Wrong) -> None:
    before = contents(gate)["log.db"], contents(place)
    said = call(gate_command(*wrong.command(gate=gate, place=place)), wrong.environ)
    check_refused(said, wrong.status, wrong.says)
    assert not scans(Said(status=0, output=said.output, errors=""))
    assert (contents(gate)["log.db"], contents(place)) == before


def test_damaged_log_is_refused_and_left_as_it_is(gate: Path) -> None:
    log = gate / "log.db"
    spoil(log)
    before = log.read_bytes()
    for command in ("run --headless --source none", "status", "run --source none"):
        said = call(gate_command(*command.split(), "--data", str(gate)))
        check_refused(said, UNTRUSTED, "copy it to a safe place")
        assert log.read_bytes() == before


def test_log_of_a_newer_version_is_left_to_that_version(gate: Path) -> None:
    with closing(sqlite3.connect(gate / "log.db")) as log:
        log.execute("PRAGMA user_version = 99")
    before = (gate / "log.db").read_bytes()
    check_refused(call(gate_command(*f"{RUN} --source none".format(gate=gate).split())), UNTRUSTED, "newer version")
    assert (gate / "log.db").read_bytes() == before


def test_damaged_copy_of_the_event_is_kept_aside_and_the_log_goes_on(gate: Path, venue: tuple[Path, Venue]) -> None:
    spoil(gate / WORLD_NAME)
    damaged, log = (gate / WORLD_NAME).read_bytes(), (gate / "log.db").read_bytes()
    check_refused(call(gate_command("status", "--data", str(gate))), UNTRUSTED, "only a copy of the server's data")
    said = scan(gate, venue[1], range(1, 3), "--wait", "1")
    check_refused(said, AWAY, "no tickets or keys yet")
    assert damaged in [path.read_bytes() for path in gate.glob("world.db.damaged-*")]
    assert (gate / "log.db").read_bytes() == log


def test_gate_without_tickets_says_that_its_server_is_away(gate: Path) -> None:
    (gate / WORLD_NAME).unlink()
    log = (gate / "log.db").read_bytes()
    said = call(gate_command(*f"{RUN} --source none --wait 1".format(gate=gate).split()))
    check_refused(said, AWAY, "did not provide them in 1 s")
    assert "http://127.0.0.1:9" in said.error
    assert (gate / "log.db").read_bytes() == log


def test_gate_with_tickets_works_with_its_server_away(gate: Path, venue: tuple[Path, Venue]) -> None:
    lines = scans(scan(gate, venue[1], range(SCANNED, SCANNED + 3), "--wait", "1"))
    assert [line["mode"] for line in lines] == ["offline"] * 3
    # The first of them is in already; whether that is a double read depends on how long ago that was.
    assert [line["admitted"] for line in lines] == [False, True, True]
    assert [line["gate_seq"] for line in lines[1:]] == [
        lines[1]["gate_seq"],
        SCANNED + 3 - (lines[0]["gate_seq"] is None),
    ]


@pytest.mark.parametrize(("name", "status"), [("identity.json", UNTRUSTED), ("keys.json", UNTRUSTED)])
def test_damaged_identity_is_told_with_what_to_do(gate: Path, name: str, status: int) -> None:
    (gate / name).write_bytes((gate / name).read_bytes()[:-20])
    before = contents(gate)
    check_refused(call(gate_command("run", "--headless", "--data", str(gate))), status, "restore it from a backup")
    assert contents(gate) == before


def test_keys_that_others_can_read_are_not_used(gate: Path) -> None:
    (gate / "keys.json").chmod(0o644)
    said = call(gate_command("run", "--headless", "--data", str(gate)))
    check_refused(said, UNTRUSTED, f"chmod 600 {gate}/keys.json")


@pytest.mark.parametrize("command", ["run --headless", "run", "status"])
def test_machine_that_is_no_gate_says_how_to_become_one(tmp_path: Path, command: str) -> None:
    said = call(gate_command(*command.split(), "--data", str(tmp_path / "nothing")))
    check_refused(said, 1, "tickettoken-gate enrol")
    assert not (tmp_path / "nothing").exists()


def test_second_agent_on_one_directory_is_turned_away(gate: Path) -> None:
    command = gate_command("run", "--headless", "--source", "none", "--data", str(gate))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=bare_environment()) as first:
        assert first.stdout is not None
        assert b'"started"' in first.stdout.readline()
        check_refused(call(command), 1, f"process {first.pid}")
        first.terminate()
        assert first.communicate(timeout=60)[1] == b""
    assert first.returncode == 0


def spoil(database: Path) -> None:
    """Overwrite the inside of a database file, all but its first page, as a failing disk would."""
    data = database.read_bytes()
    database.write_bytes(data[:4096] + bytes(17 + number % 200 for number in range(len(data) - 4096)))
