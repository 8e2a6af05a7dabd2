"""Files of another version, damaged files and foreign files: what is moved, what is left, what is said."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.store.log import LOG_NAME, open_log
from gate.store.problems import StoreDamaged
from gate.store.recovery import open_world_or_anew
from gate.store.world import WORLD_NAME, open_world
from shared.problems import TooNew
from tests.integration.gate.logbook import FRESH, write_log
from tests.integration.gate.venue import Venue

SCHEMAS = Path(__file__).with_name("schemas")
NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def venue() -> Venue:
    """Give an evening at a fixed time."""
    return Venue(NOW)


@pytest.mark.parametrize("name", [LOG_NAME, WORLD_NAME])
async def test_file_of_a_newer_version_is_refused_untouched(tmp_path: Path, name: str) -> None:
    await (await open_log(tmp_path, FRESH)).close()
    await (await open_world(tmp_path)).close()
    raw = sqlite3.connect(tmp_path / name)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = (tmp_path / name).read_bytes()
    with pytest.raises(TooNew, match="schema 99"):
        await (open_log(tmp_path, FRESH) if name == LOG_NAME else open_world_or_anew(tmp_path, NOW))
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("name", [LOG_NAME, WORLD_NAME])
async def test_file_of_the_first_version_is_brought_up_to_date_with_all_it_holds(tmp_path: Path, name: str) -> None:
    old, fresh = tmp_path / "old", tmp_path / "fresh"
    for directory in (old, fresh):
        directory.mkdir()
    raw = sqlite3.connect(old / name, isolation_level=None)
    raw.executescript((SCHEMAS / f"{name.removesuffix('.db')}-1.sql").read_text())
    if name == LOG_NAME:
        values = (bytes(16), bytes(16), bytes(32))
        raw.execute("INSERT INTO scans VALUES (1, ?, 5, 5, ?, 0, 'entry', x'80', ?)", values)
    else:
        raw.execute("UPDATE world_state SET feed_seq = 77")
    raw.close()
    for directory in (old, fresh):
        await (await open_log(directory, FRESH)).close() if name == LOG_NAME else await (
            await open_world(directory)
        ).close()
    assert columns(old / name) == columns(fresh / name)
    kept = sqlite3.connect(old / name)
    if name == LOG_NAME:
        assert kept.execute("SELECT gate_seq, kind FROM scans").fetchall() == [(1, "scan")]
    else:
        assert kept.execute("SELECT feed_seq FROM world_state").fetchall() == [(77,)]
    kept.close()


def columns(path: Path) -> dict[str, set[str]]:
    """Return each table's columns and indices, and the version."""
    raw = sqlite3.connect(path)
    tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: {row[1] for row in raw.execute(f"PRAGMA table_info({name})")} for name in tables}
    found[""] = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type <> 'table'")}
    found["version"] = {str(raw.execute("PRAGMA user_version").fetchone()[0])}
    raw.close()
    return found


@pytest.mark.parametrize("damage", ["noise", "cut", "pages"])
async def test_damaged_copy_is_moved_aside_and_begun_anew(tmp_path: Path, venue: Venue, damage: str) -> None:
    world = await open_world(tmp_path)
    await world.apply(venue.entries(200), 202)
    await world.close()
    ruined = ruin(tmp_path / WORLD_NAME, damage)
    anew = await open_world_or_anew(tmp_path, NOW)
    try:
        assert await anew.count_tickets() == 0
        aside = [path for path in tmp_path.iterdir() if path.name.startswith("world.db.damaged-")]
        assert ruined in [path.read_bytes() for path in aside]
    finally:
        await anew.close()


@pytest.mark.parametrize("damage", ["noise", "cut", "pages"])
async def test_damaged_log_is_named_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    log = await write_log(tmp_path, 100)
    await log.close()
    ruined = ruin(tmp_path / LOG_NAME, damage)
    with pytest.raises(StoreDamaged, match=r"log\.db is damaged.*\.recover") as caught:
        await open_log(tmp_path, FRESH)
    assert caught.value.exit_code == 4
    assert (tmp_path / LOG_NAME).read_bytes() == ruined


async def test_somebody_elses_database_is_not_taken_for_the_log(tmp_path: Path) -> None:
    raw = sqlite3.connect(tmp_path / LOG_NAME)
    raw.execute("CREATE TABLE recipes (name TEXT)")
    raw.close()
    with pytest.raises(StoreDamaged, match="not the file of that name"):
        await open_log(tmp_path, FRESH)


def ruin(path: Path, damage: str) -> bytes:
    """Damage a database file; return what it holds afterwards."""
    data = bytearray(path.read_bytes())
    if damage == "noise":
        data[:100] = b"\xa5" * 100
    elif damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    return bytes(data)
