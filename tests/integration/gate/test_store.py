"""The gate's two files: what is kept, what wins, what is refused."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from gate.inspection import verify_log
from gate.ports import Sighting
from gate.store.log import LOG_NAME, ScanLog, open_log
from gate.store.problems import DiskFull, StoreDamaged
from gate.store.shadow import open_shelf
from gate.store.statements import load_statements
from gate.store.world import WORLD_NAME, World, open_world
from shared.codes.bundle import SealedBundle
from shared.ids import IncarnationId
from shared.problems import Internal
from shared.sync.feed import GateEntry, PolicyEntry, TicketEntry, TombstoneEntry
from shared.sync.scan import GENESIS, extend_chain
from shared.tickets.lifecycle import State
from tests.integration.gate.logbook import FRESH, NOW_MS, record, write_log
from tests.integration.gate.venue import SOUTH, Venue, passage, revised

NOW = datetime(2026, 6, 20, 18, 0, tzinfo=UTC)


@pytest.fixture
def venue() -> Venue:
    """Give an evening at a fixed time."""
    return Venue(NOW)


async def append_many(log: ScanLog, numbers: range) -> None:
    """Append records until one is refused."""
    for number in numbers:
        await log.append(record(number))


async def look(world: World, handle_hash: bytes) -> Sighting:
    """Return what the copy knows of a handle."""
    return await world.find(handle_hash)


async def test_log_numbers_chains_and_finds_own_admissions(tmp_path: Path) -> None:
    log = await open_log(tmp_path, FRESH)
    try:
        first = await log.append(record(1, handle_hash=b"a" * 16))
        await log.append(record(2, admitted=False, handle_hash=b"a" * 16))
        assert first.chain == extend_chain(GENESIS, first.body)
        assert [own.gate_seq for own in await log.find_admissions(b"a" * 16)] == [1]
        assert await log.find_admissions(b"b" * 16) == []
        assert (await log.read_between(0, 1)) == [first]
        assert await log.chain_at(1) == first.chain
        assert await verify_log(log) == 2
    finally:
        await log.close()


async def test_log_refuses_gap_and_repeat(tmp_path: Path) -> None:
    log = await write_log(tmp_path, 2)
    try:
        for wrong in (record(2), record(4)):
            with pytest.raises(Internal):
                await log.append(wrong)
        assert (await log.head()).gate_seq == 2
    finally:
        await log.close()


async def test_log_keeps_incarnation_and_acknowledgement_over_restart(tmp_path: Path) -> None:
    log = await write_log(tmp_path, 3)
    await log.mark_acked(2)
    await log.close()
    again = await open_log(tmp_path, IncarnationId(UUID(int=8)))
    try:
        assert (again.incarnation, again.acked, (await again.head()).gate_seq) == (FRESH, 2, 3)
    finally:
        await again.close()


@pytest.mark.parametrize("statement", ["UPDATE scans SET admitted = 0", "DELETE FROM scans"])
async def test_recorded_scans_cannot_be_changed_by_a_statement(tmp_path: Path, statement: str) -> None:
    log = await write_log(tmp_path, 2)
    await log.close()
    with sqlite3.connect(tmp_path / LOG_NAME) as raw, pytest.raises(sqlite3.IntegrityError, match="is a fact"):
        raw.execute(statement)
    raw.close()


async def test_altered_record_is_noticed(tmp_path: Path) -> None:
    log = await write_log(tmp_path, 3)
    await log.close()
    with sqlite3.connect(tmp_path / LOG_NAME) as raw:
        raw.execute("DROP TRIGGER scans_stay_as_written")
        (body,) = raw.execute("SELECT body FROM scans WHERE gate_seq = 2").fetchone()
        raw.execute("UPDATE scans SET body = ? WHERE gate_seq = 2", (body[:-1] + bytes([body[-1] ^ 1]),))
    raw.close()
    log = await open_log(tmp_path, FRESH)
    try:
        with pytest.raises(StoreDamaged, match="missing or was altered"):
            await verify_log(log)
    finally:
        await log.close()


async def test_full_disk_is_named_and_the_log_goes_on_afterwards(tmp_path: Path) -> None:
    log = await write_log(tmp_path, 1)
    connection = log._db._connection  # SQLite's own limit stands for the disk's
    await connection.execute_fetchall("PRAGMA max_page_count = 1")
    with pytest.raises(DiskFull, match="free some space"):
        await append_many(log, range(2, 1000))
    written = (await log.head()).gate_seq
    assert 1 <= written < 999
    await connection.execute_fetchall("PRAGMA max_page_count = 1000000")
    await log.append(record(written + 1))
    assert await verify_log(log) == written + 1
    await log.close()


async def test_newer_version_of_a_ticket_wins_in_any_order(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    try:
        old = venue.ticket(1).entry
        new = revised(old, seq=9, version=4, state=State.REVOKED)
        await world.apply([new], 9)
        await world.apply([old], 9)
        found = await look(world, old.handle_hash)
        assert found.ticket == new
        assert not found.superseded
    finally:
        await world.close()


async def test_applying_the_same_entries_twice_changes_nothing(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    ticket = venue.ticket(1)
    entries = [
        *venue.entries(5),
        passage(ticket, gate=SOUTH, at_ms=NOW_MS, seq=8),
        TombstoneEntry(seq=9, handle_hash=b"t" * 16, version=3),
    ]
    try:
        await world.apply(entries, 9)
        before = dump(tmp_path)
        await world.apply(entries, 9)
        assert dump(tmp_path) == before
        found = await look(world, ticket.entry.handle_hash)
        assert [admission.gate for admission in found.admissions] == [SOUTH]
        assert (await look(world, b"t" * 16)).superseded
        assert await world.count_tickets() == 5
    finally:
        await world.close()


async def test_rows_and_cursor_move_together_or_not_at_all(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    try:
        broken = TicketEntry(
            seq=3, handle_hash=b"short", version=1, state=State.ACTIVE, generation=1, product=1, zones=1
        )
        with pytest.raises(Internal):
            await world.apply([*venue.entries(2), broken], 5)
        assert (await world.state()).feed_seq == 0
        assert await world.count_tickets() == 0
        assert await world.policy() is None
    finally:
        await world.close()


async def test_policy_gates_bundle_and_condition_are_kept(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    await world.apply([PolicyEntry(seq=1, policy=venue.policy), GateEntry(seq=2, gate=SOUTH, name="South 1")], 2)
    await world.keep_bundle(3, SealedBundle(sealed=b"three", signature=bytes(64)))
    await world.keep_bundle(2, SealedBundle(sealed=b"two", signature=bytes(64)))
    await world.confirm(NOW_MS)
    await world.close()
    again = await open_world(tmp_path)
    try:
        bundle, state = await again.bundle(), await again.state()
        assert await again.policy() == venue.policy
        assert [known.name for known in await again.gates()] == ["South 1"]
        assert bundle is not None
        assert bundle.sealed == b"three"
        assert (state.feed_seq, state.complete, state.confirmed_ms, state.revoked) == (2, True, NOW_MS, False)
        await again.revoke()
        assert (await again.bundle(), (await again.state()).revoked) == (None, True)
    finally:
        await again.close()


async def test_snapshot_replaces_tickets_at_once_and_keeps_admissions(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    gone, kept = venue.ticket(1), venue.ticket(2)
    try:
        await world.apply([gone.entry, kept.entry, passage(kept, gate=SOUTH, at_ms=NOW_MS, seq=5)], 5)
        async with open_shelf(tmp_path) as shelf:
            assert await shelf.begin("first") == 0
            await shelf.add_chunk(0, [kept.entry, *venue.entries(0)])
            assert (await look(world, gone.entry.handle_hash)).ticket == gone.entry
            assert (await world.state()).feed_seq == 5
            await shelf.finish(50)
        assert (await look(world, gone.entry.handle_hash)).ticket is None
        found = await look(world, kept.entry.handle_hash)
        assert found.ticket == kept.entry
        assert len(found.admissions) == 1
        state = await world.state()
        assert (state.feed_seq, state.complete) == (50, True)
    finally:
        await world.close()


async def test_snapshot_load_resumes_where_it_was_broken_off(tmp_path: Path, venue: Venue) -> None:
    world = await open_world(tmp_path)
    try:
        async with open_shelf(tmp_path) as shelf:
            await shelf.begin("first")
            await shelf.add_chunk(0, [venue.ticket(1).entry])
        async with open_shelf(tmp_path) as shelf:
            assert await shelf.begin("first") == 1
            await shelf.add_chunk(1, [venue.ticket(2).entry])
            await shelf.finish(9)
        assert await world.count_tickets() == 2
        async with open_shelf(tmp_path) as shelf:
            assert await shelf.begin("second") == 0
    finally:
        await world.close()


@pytest.mark.parametrize("file_name", ["log.sql", "world.sql"])
def test_every_statement_compiles_against_the_schema(file_name: str) -> None:
    statements = dict(load_statements(file_name))
    raw = sqlite3.connect(":memory:", isolation_level=None)
    for script in ("create_schema", "begin_loading"):
        raw.executescript(statements.pop(script, ""))
    for name, text in statements.items():
        if name.startswith("upgrade_"):
            continue  # whole scripts for the schemas before: their own tests run them
        if name.startswith(("drop_", "swap_")):
            raw.execute(text)  # the second half of a swap compiles only after the first
        else:
            assert compile_statement(raw, text) > 0, name
    raw.close()


def compile_statement(raw: sqlite3.Connection, text: str) -> int:
    """Let SQLite compile a statement without running it; return the length of its program."""
    marks = text.count("?")
    values = (None,) * marks if marks else Anything()
    return len(raw.execute("EXPLAIN " + text, values).fetchall())


class Anything(dict[str, None]):
    """Values of any name."""

    def __missing__(self, key: str) -> None:
        """Give nothing for every name."""


def dump(directory: Path) -> list[str]:
    """Return the copy's whole content as SQL."""
    raw = sqlite3.connect(directory / WORLD_NAME)
    lines = list(raw.iterdump())
    raw.close()
    return lines
