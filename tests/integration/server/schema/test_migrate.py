"""The migration runner on real databases: fresh, repeated, raced, and with files that are not what they were."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from server.db import bootstrap
from server.db.migrate import migrate
from server.db.migrations import Phase, find_migrations_dir, read_migrations
from server.db.problems import DatabaseAway, SchemaEdited, SchemaTooNew
from shared.problems import Internal
from tests.conftest import ROLE_PASSWORDS
from tests.integration.server.schema.connections import dsn_of


@pytest.fixture
async def empty(postgres: str) -> AsyncIterator[str]:
    """Give the owner's URL of a database that nobody has migrated."""
    name = f"tt_{secrets.token_hex(6)}"
    await bootstrap.create_owner(postgres, ROLE_PASSWORDS["tt_owner"])
    await bootstrap.create_database(postgres, name)
    yield dsn_of(postgres, "tt_owner", name)
    await bootstrap.drop_database(postgres, name)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Give a copy of the migrations that a test may change."""
    return Path(shutil.copytree(find_migrations_dir(), tmp_path / "migrations"))


@pytest.fixture
def known() -> list[str]:
    """Give the names of the program's migrations."""
    return [one.name for one in read_migrations()]


async def test_fresh_database_gets_every_file(empty: str, known: list[str]) -> None:
    report = await migrate(empty)
    assert report.applied == known
    assert report.version == len(known)


async def test_second_run_applies_nothing(empty: str) -> None:
    first = await migrate(empty)
    second = await migrate(empty)
    assert second.applied == []
    assert second.version == first.version


async def test_two_runners_at_once_apply_each_file_once(empty: str, known: list[str]) -> None:
    reports = await asyncio.gather(migrate(empty), migrate(empty), migrate(empty))
    assert sorted(len(report.applied) for report in reports) == [0, 0, len(known)]


async def test_edited_file_is_refused_and_named(empty: str, files: Path) -> None:
    await migrate(empty, files)
    edited = sorted(files.iterdir())[2]
    edited.write_text(edited.read_text() + "\n-- an afterthought\n")
    with pytest.raises(SchemaEdited, match=edited.stem):
        await migrate(empty, files)


async def test_older_program_leaves_a_schema_alone_until_a_post_file_has_run(
    empty: str, files: Path, known: list[str], tmp_path: Path
) -> None:
    older = Path(shutil.copytree(files, tmp_path / "older"))
    done = len(known)
    (files / f"{done + 1:04}_pre_more.sql").write_text("CREATE TABLE more (id integer);")
    (files / f"{done + 2:04}_post_tidy.sql").write_text("DROP TABLE more;")
    await migrate(empty, files, phase=Phase.PRE)
    again = await migrate(empty, older)
    assert (again.applied, again.version) == ([], done + 1)
    await migrate(empty, files, phase=Phase.POST)
    with pytest.raises(SchemaTooNew, match="_post_tidy has ended the time of this program"):
        await migrate(empty, older)


async def test_gap_between_files_is_refused(empty: str, files: Path) -> None:
    sorted(files.iterdir())[1].unlink()
    with pytest.raises(Internal, match="without a gap"):
        await migrate(empty, files)


async def test_oddly_named_file_is_refused(empty: str, files: Path) -> None:
    (files / "9999_later.sql").write_text("SELECT 1;")
    with pytest.raises(Internal, match=r"9999_later\.sql"):
        await migrate(empty, files)


async def test_failing_file_leaves_nothing_behind(empty: str, files: Path, known: list[str]) -> None:
    done = len(known)
    (files / f"{done + 1:04}_pre_broken.sql").write_text("CREATE TABLE half (id integer); SELECT 1 / 0;")
    with pytest.raises(SchemaEdited, match="broken"):
        await migrate(empty, files)
    owner = await asyncpg.connect(empty)
    assert await owner.fetchval("SELECT to_regclass('half')") is None
    assert await owner.fetchval("SELECT count(*) FROM schema_migrations") == done
    await owner.close()


async def test_phases_stop_before_files_of_the_other(empty: str, files: Path, known: list[str]) -> None:
    done = len(known)
    (files / f"{done + 1:04}_post_tidy.sql").write_text("CREATE TABLE tidy (id integer);")
    (files / f"{done + 2:04}_pre_next.sql").write_text("CREATE TABLE next (id integer);")
    before = await migrate(empty, files, phase=Phase.PRE)
    assert before.version == done
    after = await migrate(empty, files, phase=Phase.POST)
    assert after.applied == [f"{done + 1:04}_post_tidy"]
    rest = await migrate(empty, files, phase=Phase.PRE)
    assert rest.applied == [f"{done + 2:04}_pre_next"]


async def test_missing_database_is_told_in_our_words(postgres: str) -> None:
    await bootstrap.create_owner(postgres, ROLE_PASSWORDS["tt_owner"])
    with pytest.raises(DatabaseAway, match="does not exist"):
        await migrate(dsn_of(postgres, "tt_owner", "tt_nowhere"))
