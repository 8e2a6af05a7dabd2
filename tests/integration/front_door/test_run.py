"""The front door script: needs no network once its environment stands, and says plainly what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TOOLS = ("sh", "cat", "cksum", "dirname", "env", "grep", "head", "mkdir", "mv", "readlink", "rm", "sed", "tail", "true")


def checksum(path: Path) -> str:
    """Return what the script writes into its stamp for one lock file."""
    with path.open("rb") as file:
        return subprocess.run(["cksum"], stdin=file, capture_output=True, text=True, check=True).stdout.strip()


def stamp(place: Path, *, root: Path | None = None) -> None:
    """Declare the environment of `place` complete, as made in `root`."""
    lines = [str(root or place), checksum(place / "requirements-dev.lock"), checksum(place / "requirements.lock")]
    (place / ".venv" / "tickettoken.stamp").write_text("\n".join(lines) + "\n")


def call(script: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a changed environment and wait for it."""
    where = more.pop("cwd", "/")
    return subprocess.run(
        [str(script), *arguments], capture_output=True, text=True, check=False, cwd=where, env={**os.environ, **more}
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder with a space in its name, holding the script and an environment that counts as ready."""
    folder = tmp_path / "a place"
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("run", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamp(folder)
    return folder


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Give a directory for PATH with the usual tools but no Python, and an account that is not root."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(str(shutil.which(name)))
    write_tool(tools / "id", "echo 1000")
    return tools


def write_tool(path: Path, body: str) -> None:
    """Write a small program into a PATH directory."""
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_script_parses_and_may_be_executed(script: str) -> None:
    subprocess.run(["sh", "-n", str(ROOT / script)], check=True)
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_needs_no_environment_and_has_examples(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    shutil.copy(ROOT / "run", tmp_path / "run")
    done = call(tmp_path / "run", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "./run demo" in done.stdout
    assert "Examples:" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_output_and_exit_status_are_the_commands_own(place: Path) -> None:
    done = call(place / "run", "python", "-c", "import sys; print('out'); sys.exit(7)")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "")


def test_command_runs_where_the_caller_stands(place: Path, tmp_path: Path) -> None:
    done = call(place / "run", "python", "-c", "import os; print(os.getcwd())", cwd=str(tmp_path))
    assert done.stdout.strip() == str(tmp_path.resolve())


def test_symbolic_links_lead_to_the_same_place(place: Path, tmp_path: Path) -> None:
    (tmp_path / "absolute").symlink_to(place / "run")
    (place / "sub").mkdir()
    (place / "sub" / "relative").symlink_to("../run")
    (tmp_path / "twice").symlink_to(place / "sub" / "relative")
    for link in (tmp_path / "absolute", place / "sub" / "relative", tmp_path / "twice"):
        done = call(link, "python", "-c", "import os; print(os.environ['VIRTUAL_ENV'])")
        assert done.stdout.strip() == str(place.resolve() / ".venv")


def test_unknown_command_is_one_line_and_127(place: Path) -> None:
    done = call(place / "run", "no-such-command")
    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "error: no command 'no-such-command' here: ./run --help\n"


def test_environment_from_another_place_is_not_used(place: Path) -> None:
    stamp(place, root=Path("/somewhere/else"))
    done = call(place / "run", "python", "-c", "print('used')", PYTHON="/nonexistent/python")
    assert (done.returncode, done.stdout) == (1, "")
    assert "PYTHON=/nonexistent/python is no Python 3.11" in done.stderr


def test_changed_lock_makes_the_environment_stale(place: Path) -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        with (place / name).open("a") as file:
            file.write("# changed\n")
    done = call(place / "run", "python", "-c", "print('used')", PYTHON="/nonexistent/python")
    assert (done.returncode, done.stdout) == (1, "")


def test_tools_are_not_enough_when_only_the_runtime_is_installed(place: Path) -> None:
    text = (place / ".venv" / "tickettoken.stamp").read_text().splitlines()
    text[1] = "none"
    (place / ".venv" / "tickettoken.stamp").write_text("\n".join(text) + "\n")
    assert call(place / "run", "python", "-c", "print(1)", PYTHON="/nonexistent/python").stdout == "1\n"
    assert call(place / "run", "test", "--version", PYTHON="/nonexistent/python").returncode == 1


def test_without_python_and_rights_the_one_apt_line_is_told(place: Path, bare: Path) -> None:
    (place / ".venv" / "tickettoken.stamp").unlink()
    write_tool(bare / "apt-get", "exit 99")
    done = call(place / "run", "python", PATH=str(bare))
    assert done.returncode == 1
    line = "apt-get update && apt-get install -y --no-install-recommends python3 python3-venv"
    assert done.stderr == f"error: Python 3.11 or newer with venv is needed: sudo sh -c '{line}'\n"


def test_without_python_and_apt_it_says_what_to_install(place: Path, bare: Path) -> None:
    (place / ".venv" / "tickettoken.stamp").unlink()
    done = call(place / "run", "python", PATH=str(bare))
    assert done.returncode == 1
    assert "install it (macOS: brew install python@3.13)" in done.stderr


@pytest.mark.parametrize("rights", ["root", "sudo"])
def test_with_rights_python_is_installed_by_apt(place: Path, bare: Path, rights: str) -> None:
    (place / ".venv" / "tickettoken.stamp").unlink()
    if rights == "root":
        write_tool(bare / "id", "echo 0")
    else:
        write_tool(bare / "sudo", 'shift; exec "$@"')
    record = place / "apt-calls"
    write_tool(bare / "python3.source", "exit 0")
    install = f'case "$*" in *install*) mv "{bare}/python3.source" "{bare}/python3" ;; esac'
    write_tool(bare / "apt-get", f'echo "$*" >> "{record}"; {install}')
    done = call(place / "run", "python", "-c", "", PATH=str(bare))
    assert done.stderr == "run: installing python3 python3-venv\n"
    assert record.read_text().splitlines() == [
        "update -qq",
        "install -y -qq --no-install-recommends python3 python3-venv",
    ]
