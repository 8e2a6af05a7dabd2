"""The service units in the how-to pages are ones systemd takes, start what there is, and give no needless rights."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gate.cli import build_parser
from tests.meta.sources import ROOT

PAGES = ("gate-on-a-raspberry-pi.md", "gate-on-a-laptop.md")
PROGRAM = "/opt/tickettoken/.venv/bin/tickettoken-gate"


def read_unit(page: str) -> tuple[str, str]:
    """Return the unit's name and text."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    found = re.search(r"`/etc/systemd/system/([\w-]+\.service)`:\n\n```ini\n(.+?)```", text, flags=re.DOTALL)
    assert found is not None, page
    return found[1], found[2]


def settings(unit: str) -> dict[str, list[str]]:
    """Return what is set in a unit, by section and name."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in unit.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line:
            name, _, value = line.partition("=")
            found.setdefault(f"{section}.{name}", []).append(value)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_unit_starts_the_gate_with_options_it_has(page: str) -> None:
    program, *arguments = shlex.split(settings(read_unit(page)[1])["Service.ExecStart"][0])
    assert program == PROGRAM
    assert build_parser().parse_args(arguments).command == "run"


@pytest.mark.parametrize("page", PAGES)
def test_unit_is_restarted_watched_and_confined(page: str) -> None:
    found = settings(read_unit(page)[1])
    wanted = {
        "Type": "notify",
        "Restart": "always",
        "WatchdogSec": "30",
        "User": "tickettoken",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "CapabilityBoundingSet": "",
    }
    assert {name: found[f"Service.{name}"][0] for name in wanted} == wanted
    assert found["Unit.StartLimitIntervalSec"] == ["0"]


@pytest.mark.parametrize("page", PAGES)
def test_systemd_has_nothing_to_say_against_it(page: str, tmp_path: Path) -> None:
    name, unit = read_unit(page)
    (tmp_path / name).write_text(unit.replace(PROGRAM, sys.executable), encoding="utf-8")
    judge = shutil.which("systemd-analyze")
    # Where there is no systemd to ask, the form is all that can be checked.
    said = (
        "" if judge else "\n".join(line for line in unit.splitlines() if not re.fullmatch(r"(\[\w+\]|\w+=.*|)", line))
    )
    if judge:
        done = subprocess.run(
            [judge, "verify", "--man=no", tmp_path / name], capture_output=True, text=True, check=False
        )
        said = "\n".join(line for line in done.stderr.splitlines() if name in line)
    assert said == ""
