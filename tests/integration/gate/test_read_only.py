"""A disk that takes no files lets nobody in, says so, and gives out what is on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.gate.test_cli import Ended, gate
from tests.integration.gate.venue import prepare_gate

# Modes bind everybody but root, who is made to be bound by them like everybody else.
BOUND = () if os.geteuid() else ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
RUN = ("run", "--headless", "--source", "stdin", "--exit-at-end", "--drain-s", "0", "--wait", "0")


@pytest.fixture
def night(tmp_path: Path) -> Iterator[tuple[Path, list[str]]]:
    """Give the data of a gate that let somebody in before its disk became read-only, and its guests' codes."""
    data = tmp_path / "data"
    codes = prepare_gate(data, 3).codes(range(1, 4), datetime.now(UTC))
    assert gate(*RUN, "--data", data, text=codes[0] + "\n").lines[-1]["backlog"] == 1
    for file in data.iterdir():
        file.chmod(0o400)
    data.chmod(0o500)
    yield data, codes
    data.chmod(0o700)


def ask(*arguments: str | Path, text: str = "") -> Ended:
    """Run a command that may write nothing there."""
    return gate(*arguments, text=text, prefix=BOUND)


def test_nobody_is_let_in_from_a_disk_that_takes_no_records(night: tuple[Path, list[str]]) -> None:
    data, codes = night
    done = ask(*RUN, "--data", data, text="\n".join(codes) + "\n")
    assert (done.status, done.out, "cannot be written" in done.err, done.err.count("\n")) == (3, "", True, 1)


def test_what_is_on_the_disk_can_be_taken_from_it(night: tuple[Path, list[str]], tmp_path: Path) -> None:
    data, _ = night
    before = {file.name: file.read_bytes() for file in data.iterdir()}
    told = ask("status", "--data", data, "--json")
    assert (told.status, told.lines[0]["scans"], told.lines[0]["backlog"]) == (0, 1, 1)
    log, people = tmp_path / "log.jsonl", tmp_path / "inside.txt"
    for command in (("export", log), ("export", "--emergency", "text", people)):
        done = ask(*command, "--data", data)
        assert (done.status, "will not be on record" in done.err) == (0, True)
    assert gate("verify", log).status == 0
    assert "People inside: 1" in people.read_text()
    checked = ask("doctor", "--data", data, "--json")
    assert checked.status == 1
    assert "takes no files" in checked.out
    assert {file.name: file.read_bytes() for file in data.iterdir()} == before
