"""What the tests rely on is itself true: own databases, no blocking, no test passed over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from blockbuster import BlockingError

from server.embedded.account import can_enter
from server.embedded.placement import write_private
from shared.statements import read_statements
from tests.conftest import Databases

ROOT = Path(__file__).parents[2]


async def leave_a_mark(owner_dsn: str) -> object:
    """Make a table and tell whether it was there before."""
    owner = await asyncpg.connect(owner_dsn)
    try:
        before = await owner.fetchval("SELECT to_regclass('public.mark')::text")
        await owner.execute("CREATE TABLE public.mark ()")
        return before
    finally:
        await owner.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_a_database_of_its_own(database: Databases, turn: int) -> None:
    assert await leave_a_mark(database.owner_dsn) is None


async def test_roles_reach_the_migrated_database_and_none_is_superuser(database: Databases) -> None:
    for dsn, role in (
        (database.owner_dsn, "tt_owner"),
        (database.app_dsn, "tt_app"),
        (database.worker_dsn, "tt_worker"),
    ):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT current_user") == role
        assert not await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert await connection.fetchval("SELECT to_regclass('tickets') IS NOT NULL")
        await connection.close()


async def test_our_code_may_not_block_the_loop(tmp_path: Path) -> None:
    with pytest.raises(BlockingError):
        write_private(tmp_path / "secret", "text")
    assert can_enter(None, tmp_path)
    read_statements.cache_clear()
    assert read_statements("server.db", "bootstrap.sql")


def run_tests(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run one file of tests under the project's own rules."""
    (folder / "test_made_up.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ})


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\ndef test_it(): pytest.skip('no time')\n",
        "import pytest\n@pytest.mark.skip\ndef test_it(): assert True\n",
        "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n",
        "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): assert True\n",
        "import pytest\n@pytest.fixture\ndef it(): pytest.skip('no')\ndef test_it(it): assert True\n",
    ],
)
def test_skipped_test_fails_the_run(tmp_path: Path, text: str) -> None:
    done = run_tests(tmp_path, text)
    assert done.returncode != 0, done.stdout
    assert "skipped, which counts as failed" in done.stdout


def test_run_without_database_tests_starts_no_database(tmp_path: Path) -> None:
    done = run_tests(tmp_path, "def test_it(): assert True\n")
    assert done.returncode == 0, done.stdout
    assert "postgres: not needed by these tests" in done.stdout


def test_quick_kinds_of_tests_come_first() -> None:
    slow_first = ["tests/integration/front_door", "tests/meta/test_hosts.py"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *slow_first]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    folders = [line.split("/")[1] for line in done.stdout.splitlines() if "::" in line]
    assert folders == sorted(folders, key=["meta", "integration"].index)
    assert set(folders) == {"meta", "integration"}
