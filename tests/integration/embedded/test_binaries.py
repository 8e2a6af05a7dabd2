"""PostgreSQL's programs can be run by the account that has to run them, without opening private places."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

from msgspec.structs import replace

from server.embedded.account import can_enter, can_read, make_public_copy, serving_account
from server.embedded.binaries import choose_binaries, make_reachable


def test_programs_in_a_private_place_are_copied_to_where_the_account_can_run_them(
    tmp_path: Path, data_dir: Path
) -> None:
    found = choose_binaries(None)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    package = private / "package"
    (package / "bin").mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (package / "bin" / name).write_text("#!/bin/sh\necho reached\n")
        (package / "bin" / name).chmod(0o700)
    data_dir.mkdir(mode=0o711)
    account = serving_account(data_dir / "pg")
    hidden = replace(found, bin_dir=package / "bin", copied_with=(package, private / "package.libs"))
    reached = make_reachable(hidden, account, data_dir)
    identity = account.identity if account is not None else {}
    said = subprocess.run([reached.bin_dir / "postgres"], capture_output=True, text=True, check=True, **identity)
    assert said.stdout == "reached\n"
    assert make_reachable(hidden, account, data_dir) == reached
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE((package / "bin" / "postgres").stat().st_mode) == 0o700


def test_public_copy_can_be_read_and_an_interrupted_one_is_made_anew(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir(mode=0o700)
    (source / "program").write_text("x")
    (source / "program").chmod(0o700)
    (source / "link").symlink_to("program")
    leftover = tmp_path / "target.unfinished"
    leftover.mkdir()
    (leftover / "half").write_text("half")
    make_public_copy(source, tmp_path / "target")
    copied = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "target").iterdir()}
    assert copied == {"program": 0o755, "link": 0o755}
    assert not leftover.exists()


def test_the_callers_own_account_needs_no_leave(tmp_path: Path) -> None:
    assert can_enter(None, tmp_path)
    assert can_read(None, tmp_path / "absent")
