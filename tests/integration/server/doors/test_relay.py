"""The relay numbers every committed entry once, without gap, whoever writes, dies or competes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from server.db.pool import PgDatabase
from server.db.relay_session import PgRelaySession, open_relay_session
from server.services.relay import RelayState, run_relay
from shared.clock import ManualClock
from shared.ids import GateId, uuid7
from shared.problems import Unavailable
from shared.sync.feed import FeedEntry, GateEntry, TicketEntry
from tests.beats import Beats
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage, open_policy, open_stage, set_up
from tests.integration.server.doors.watch import watching


def opener(db: PgDatabase) -> AbstractAsyncContextManager[PgRelaySession]:
    return open_relay_session(db)


def mark(stage: Stage, number: int) -> GateEntry:
    return GateEntry(seq=0, gate=GateId(uuid7(stage.clock.now(), number.to_bytes)), name=str(number))


async def write(stage: Stage, numbers: range) -> None:
    for number in numbers:
        async with stage.db.tenant(stage.tenant) as tx:
            await tx.outbox.append(stage.event, [mark(stage, number)])


def check_gap_free(entries: list[FeedEntry]) -> None:
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


async def test_feed_has_no_gap_under_four_writers_at_once(stage: Stage) -> None:
    state, beats = RelayState(), Beats()
    async with watching(stage) as (watch, tasks):
        relay = tasks.create_task(run_relay(lambda: opener(stage.db), state, beats))
        async with asyncio.TaskGroup() as writers:
            for start in range(0, 200, 50):
                writers.create_task(write(stage, range(start, start + 50)))
        entries = await watch.until_count(stage, 201)
        await beats.until(lambda: state.moved >= 201)
        relay.cancel()
    check_gap_free(entries)
    assert len(entries) == 201
    names = [int(entry.name) for entry in entries if isinstance(entry, GateEntry)]
    assert sorted(names) == list(range(200))
    for start in range(0, 200, 50):
        mine = [name for name in names if start <= name < start + 50]
        assert mine == sorted(mine)
    assert state.moved == 201


async def test_each_event_has_numbers_of_its_own(stage: Stage) -> None:
    other = await set_up(stage.db, stage.clock, open_policy())
    await write(stage, range(10))
    await write(other, range(20))
    await stage.relay_all()
    check_gap_free(await stage.feed())
    check_gap_free(await other.feed())
    assert (len(await stage.feed()), len(await other.feed())) == (11, 21)


async def test_second_relay_stands_by_while_the_first_leads(stage: Stage) -> None:
    async with opener(stage.db) as first, opener(stage.db) as second:
        assert await first.lead()
        assert not await second.lead()
        assert await first.lead()


async def test_two_relays_at_once_number_everything_once_and_one_of_them_works(stage: Stage) -> None:
    states, beats = [RelayState(), RelayState()], Beats()
    async with watching(stage) as (watch, tasks):
        relays = [tasks.create_task(run_relay(lambda: opener(stage.db), state, beats, poll_s=0.05)) for state in states]
        await write(stage, range(50))
        entries = await watch.until_count(stage, 51)
        await beats.until(lambda: sum(state.moved for state in states) >= 51)
        for relay in relays:
            relay.cancel()
    check_gap_free(entries)
    assert sorted(state.moved for state in states) == [0, 51]


async def test_standby_takes_over_when_the_leader_is_gone(stage: Stage) -> None:
    first, second, beats = RelayState(), RelayState(), Beats()
    async with watching(stage) as (watch, tasks):
        leader = tasks.create_task(run_relay(lambda: opener(stage.db), first, poll_s=0.05))
        await watch.until_count(stage, 1)
        standby = tasks.create_task(run_relay(lambda: opener(stage.db), second, beats, poll_s=0.05))
        await write(stage, range(5))
        await watch.until_count(stage, 6)
        leader.cancel()
        await asyncio.wait([leader])
        await write(stage, range(5, 10))
        entries = await watch.until_count(stage, 11)
        await beats.until(lambda: second.moved >= 5)
        standby.cancel()
    check_gap_free(entries)
    assert (first.leading, second.moved) == (False, 5)


class _RolledBack(Exception):
    """Ends a transaction without a commit."""


async def test_relay_killed_in_the_middle_of_a_turn_loses_and_repeats_nothing(stage: Stage) -> None:
    await write(stage, range(20))
    async with opener(stage.db) as dying:
        assert await dying.lead()
        moved_in_vain = await turn_and_die(dying)
    assert moved_in_vain == 21
    assert await stage.feed() == []
    assert await stage.relay_all() == 21
    check_gap_free(await stage.feed())
    names = [entry.name for entry in await stage.feed() if isinstance(entry, GateEntry)]
    assert names == [str(number) for number in range(20)]


async def turn_and_die(session: PgRelaySession) -> int:
    """Let a turn do all its work and lose the connection before it is committed."""
    connection = session._connection
    await connection.transaction().start()
    moved = await session.turn(500)
    connection.terminate()
    return moved


async def test_relay_goes_on_after_its_session_was_cut(stage: Stage) -> None:
    state = RelayState()
    sessions: list[PgRelaySession] = []

    @asynccontextmanager
    async def remembered() -> AsyncIterator[PgRelaySession]:
        async with open_relay_session(stage.db) as session:
            sessions.append(session)
            yield session

    async with watching(stage) as (watch, tasks):
        relay = tasks.create_task(run_relay(remembered, state))
        await watch.until_count(stage, 1)
        sessions[0]._connection.terminate()
        await write(stage, range(5))
        entries = await watch.until_count(stage, 6)
        relay.cancel()
    check_gap_free(entries)
    assert len(sessions) == 2


async def test_lost_session_is_a_problem_of_our_own(stage: Stage) -> None:
    async with opener(stage.db) as session:
        session._connection.terminate()
        with pytest.raises(Unavailable):
            await session.lead()
        with pytest.raises(Unavailable):
            await session.turn(500)
        with pytest.raises(Unavailable):
            await session.wait(0)


async def test_steps_of_one_ticket_keep_their_order(stage: Stage) -> None:
    tickets = await stage.issue(5)
    gate = await stage.enrol()
    for ticket in tickets:
        await gate.scan(ticket)
    await gate.hand_over()
    await stage.relay_all()
    versions: dict[bytes, list[int]] = {}
    for entry in await stage.feed():
        if isinstance(entry, TicketEntry):
            versions.setdefault(entry.handle_hash, []).append(entry.version)
    assert list(versions.values()) == [[2, 3]] * 5


async def test_what_was_rolled_back_is_never_numbered(database: Databases, clock: ManualClock) -> None:
    async with open_stage(database, clock) as stage:
        with pytest.raises(_RolledBack):
            await write_in_vain(stage)
        await write(stage, range(2, 3))
        await stage.relay_all()
        names = [entry.name for entry in await stage.feed() if isinstance(entry, GateEntry)]
        assert names == ["2"]


async def write_in_vain(stage: Stage) -> None:
    async with stage.db.tenant(stage.tenant) as tx:
        await tx.outbox.append(stage.event, [mark(stage, 1)])
        raise _RolledBack
