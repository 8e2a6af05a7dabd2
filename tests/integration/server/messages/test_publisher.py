"""Committed facts reach the bus at least once, in order for each subject, and nothing stands in the way of the others."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest

from server.bus.problems import BusAway, BusFull
from server.db.pool import PgDatabase
from server.db.publisher_session import PgPublisherSession, open_publisher_session
from server.services.dead_letters import list_stranded, replay_stranded
from server.services.ports_bus import Envelope
from server.services.publisher import AT_ONCE, BATCH, Publisher, PublisherState, run_publisher
from shared.ids import TicketId
from shared.problems import TicketTokenError, Unavailable
from shared.tickets.lifecycle import State
from tests.beats import Beats
from tests.conftest import Databases
from tests.integration.server.doors.stage import Stage
from tests.integration.server.messages.post import Gazette, publish_all, waiting
from tests.integration.server.schema.connections import connected


def opener(db: PgDatabase) -> AbstractAsyncContextManager[PgPublisherSession]:
    return open_publisher_session(db)


def about(ticket: TicketId, problem: TicketTokenError) -> object:
    """Return a refusal of whatever is about one ticket."""

    def refuse(envelope: Envelope) -> TicketTokenError | None:
        return problem if str(ticket).encode() in bytes(envelope.payload) else None

    return refuse


async def until_empty(stage: Stage) -> None:
    """Return once nothing waits any more, within twenty seconds."""
    async with asyncio.timeout(20):
        while await waiting(stage.db):
            pass


async def test_facts_are_published_in_order_and_then_forgotten(stage: Stage) -> None:
    tickets = await stage.issue(30)
    for ticket in tickets:
        await stage.move(ticket.id, State.CHECKED_IN)
        await stage.move(ticket.id, State.REVOKED)
    gazette = Gazette()
    state = await publish_all(stage.db, gazette, stage.clock)
    for ticket in tickets:
        assert gazette.keys(ticket.id) == ["ticket.created", "ticket.checked_in", "ticket.revoked"]
    assert (state.published, state.parked, await waiting(stage.db)) == (90, 0, [])
    assert len({one.id for one in gazette.printed}) == 90
    assert {one.tenant_id for one in gazette.printed} == {stage.tenant}


async def test_a_publisher_that_dies_before_it_forgets_sends_the_same_message_again(stage: Stage) -> None:
    await stage.issue(3)
    gazette = Gazette()
    async with opener(stage.db) as dying:
        assert await dying.lead()
        await dying._connection.execute("SET default_transaction_read_only = on")
        with pytest.raises(Exception, match="read-only"):
            await Publisher(gazette, stage.clock, PublisherState()).turn(dying)
    first = [one.id for one in gazette.printed]
    await publish_all(stage.db, gazette, stage.clock)
    assert [one.id for one in gazette.printed[3:]] == first
    assert await waiting(stage.db) == []


async def test_while_the_broker_is_away_facts_wait_and_none_is_blamed(stage: Stage) -> None:
    await stage.issue(5)
    gazette = Gazette()
    gazette.away = BusAway("away")
    state = await publish_all(stage.db, gazette, stage.clock)
    told = await waiting(stage.db)
    assert (len(told), {one.attempts for one in told}, state.problem) == (5, {0}, "bus_unavailable")
    gazette.away = None
    await publish_all(stage.db, gazette, stage.clock)
    assert (len(gazette.printed), await waiting(stage.db)) == (5, [])


async def test_one_that_is_refused_keeps_back_only_its_own_subject(stage: Stage) -> None:
    stuck, free = await stage.issue(2)
    await stage.move(stuck.id, State.CHECKED_IN)
    await stage.move(free.id, State.CHECKED_IN)
    gazette = Gazette()
    gazette.refuse = about(stuck.id, BusFull("full"))  # type: ignore[assignment]
    await publish_all(stage.db, gazette, stage.clock)
    assert gazette.keys(free.id) == ["ticket.created", "ticket.checked_in"]
    assert [(one.key, one.attempts) for one in await waiting(stage.db)] == [
        ("ticket.created", 1),
        ("ticket.checked_in", 0),
    ]
    gazette.refuse = lambda _: None
    await publish_all(stage.db, gazette, stage.clock)
    assert gazette.keys(stuck.id) == []
    stage.clock.advance(timedelta(seconds=2))
    await publish_all(stage.db, gazette, stage.clock)
    assert gazette.keys(stuck.id) == ["ticket.created", "ticket.checked_in"]


async def test_pauses_after_refusals_grow_to_a_minute_and_end_never(stage: Stage) -> None:
    stuck, _ = await stage.issue(2)
    gazette = Gazette()
    gazette.refuse = about(stuck.id, BusFull("full"))  # type: ignore[assignment]
    for _ in range(12):
        # Something else has to get through, or nothing would be held against this one.
        await stage.issue(1)
        await publish_all(stage.db, gazette, stage.clock)
        stage.clock.advance(timedelta(seconds=61))
    (left,) = await waiting(stage.db)
    assert (left.subject, left.attempts, left.parked) == (stuck.id, 12, False)


async def test_more_refused_ones_than_a_batch_holds_keep_back_nothing_else(stage: Stage) -> None:
    tickets = await stage.issue(BATCH + 1)
    await stage.move(tickets[0].id, State.REVOKED)
    gazette = Gazette()
    gazette.refuse = lambda one: BusFull("full") if one.event == "ticket.created" else None
    async with stage.db.worker() as unit:
        await unit._connection.execute("DELETE FROM facts WHERE subject = $1 AND key = 'ticket.created'", tickets[0].id)
    await publish_all(stage.db, gazette, stage.clock)
    assert [one.event for one in gazette.printed] == ["ticket.revoked"]
    assert {one.attempts for one in await waiting(stage.db)} == {1}


async def test_a_broker_that_goes_away_is_asked_once_for_each_place_in_a_turn(stage: Stage) -> None:
    await stage.issue(AT_ONCE + 50)
    gazette, asked = Gazette(), []

    def away(envelope: Envelope) -> BusAway:
        asked.append(envelope.id)
        return BusAway("away")

    gazette.refuse = away
    state = await publish_all(stage.db, gazette, stage.clock)
    # Each try may last twenty seconds; round after round of them would look like a publisher that hangs.
    assert 1 <= len(asked) <= AT_ONCE
    assert (state.problem, {one.attempts for one in await waiting(stage.db)}) == ("bus_unavailable", {0})


async def test_a_fact_that_never_can_be_published_is_parked_in_the_open(stage: Stage, database: Databases) -> None:
    broken, _ = await stage.issue(2)
    await stage.move(broken.id, State.CHECKED_IN)
    async with connected(database.owner_dsn) as owner:
        await owner.execute("ALTER TABLE facts NO FORCE ROW LEVEL SECURITY")
        await owner.execute("UPDATE facts SET payload = 'x' WHERE subject = $1 AND key = 'ticket.created'", broken.id)
    gazette = Gazette()
    state = await publish_all(stage.db, gazette, stage.clock)
    assert state.parked == 1
    assert gazette.keys(broken.id) == ["ticket.checked_in"]
    (stranded,) = await list_stranded(None, stage.db, 10)
    assert (stranded.queue, stranded.key, stranded.code) == ("facts", "ticket.created", "data_damaged")
    async with connected(database.owner_dsn) as owner:
        await owner.execute("UPDATE facts SET payload = '{}' WHERE subject = $1", broken.id)
    assert (await replay_stranded(None, stage.db, ["not an id"])).facts == 0
    assert (await replay_stranded(None, stage.db, [stranded.message_id])).facts == 1
    await publish_all(stage.db, gazette, stage.clock)
    assert (str(gazette.printed[-1].id), await waiting(stage.db)) == (stranded.message_id, [])


async def test_standby_takes_over_when_the_leader_is_gone(stage: Stage) -> None:
    gazette, states, beats = Gazette(), (PublisherState(), PublisherState()), Beats()
    leader, standby = (Publisher(gazette, stage.clock, state) for state in states)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(run_publisher(lambda: opener(stage.db), leader, states[0], beats, poll_s=0.05))
        await stage.issue(2)
        await gazette.have(2)
        second = tasks.create_task(run_publisher(lambda: opener(stage.db), standby, states[1], beats, poll_s=0.05))
        await stage.issue(2)
        await until_empty(stage)
        await beats.until(lambda: states[0].published >= 4)
        first.cancel()
        await asyncio.wait([first])
        await stage.issue(2)
        await until_empty(stage)
        await beats.until(lambda: states[1].published >= 2)
        second.cancel()
    assert len(gazette.printed) == 6
    assert [state.published for state in states] == [4, 2]
    assert states[0].leading is False


async def test_a_cut_session_is_opened_anew_and_nothing_is_lost(stage: Stage) -> None:
    gazette, state, sessions = Gazette(), PublisherState(), []

    def remember() -> AbstractAsyncContextManager[PgPublisherSession]:
        sessions.append(opener(stage.db))
        return sessions[-1]

    async with asyncio.TaskGroup() as tasks:
        publisher = Publisher(gazette, stage.clock, state)
        task = tasks.create_task(run_publisher(remember, publisher, state, poll_s=0.05))
        await stage.issue(1)
        await gazette.have(1)
        async with stage.db.worker() as unit:
            await unit._connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        await stage.issue(1)
        await gazette.have(2)
        task.cancel()
    assert len(sessions) >= 2


async def test_a_lost_session_is_a_problem_of_our_own(stage: Stage) -> None:
    async with opener(stage.db) as session:
        session._connection.terminate()
        with pytest.raises(Unavailable):
            await session.wait(0)
