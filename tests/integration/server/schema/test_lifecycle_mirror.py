"""The state table in PostgreSQL is the one in shared.tickets, and its trigger holds whoever writes."""

from __future__ import annotations

import asyncpg
import pytest

from shared.tickets.lifecycle import TRANSITIONS, State
from tests.conftest import Databases
from tests.integration.server.schema.connections import Connection, connected


async def test_both_tables_are_equal(database: Databases) -> None:
    async with connected(database.app_dsn) as app:
        rows = await app.fetch("SELECT from_state, to_state FROM ticket_transitions")
    stored = {(State(row["from_state"]), State(row["to_state"])) for row in rows}
    assert stored == {(source, target) for source, steps in TRANSITIONS.items() for target in steps}


async def test_every_state_may_be_stored_and_no_other(database: Databases) -> None:
    async with connected(database.owner_dsn) as owner:
        text = await owner.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'tickets'::regclass "
            "AND contype = 'c' AND pg_get_constraintdef(oid) LIKE '%available%'"
        )
    assert {part for part in text.split("'")[1::2] if not part.startswith("::")} == {str(state) for state in State}


@pytest.mark.parametrize("source", list(State))
async def test_trigger_lets_through_what_the_table_has(source: State, stored_ticket: Connection) -> None:
    await stored_ticket.execute("ALTER TABLE tickets DISABLE TRIGGER tickets_step")
    await stored_ticket.execute("UPDATE tickets SET state = $1", source)
    await stored_ticket.execute("ALTER TABLE tickets ENABLE TRIGGER tickets_step")
    outcomes = {target: await try_step(stored_ticket, target) for target in State}
    expected = {target: None if target in {source, *TRANSITIONS[source]} else "TT002" for target in State}
    assert outcomes == expected


@pytest.mark.parametrize(
    "change",
    [
        "state = 'used'",
        "version = version + 2, state = 'used'",
        "version = version + 1, generation = generation - 1",
        "version = version + 1, event_id = gen_random_uuid()",
    ],
)
async def test_trigger_refuses_changes_that_break_a_promise(change: str, stored_ticket: Connection) -> None:
    await stored_ticket.execute("UPDATE tickets SET generation = 1, version = version + 1")
    with pytest.raises(asyncpg.PostgresError) as caught:
        await stored_ticket.execute(f"UPDATE tickets SET {change}")  # noqa: S608
    assert caught.value.sqlstate == "TT001"


async def try_step(connection: Connection, target: State) -> str | None:
    """Try a step and take it back; return the code of the refusal, None if there was none."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        await connection.execute("UPDATE tickets SET state = $1, version = version + 1", target)
    except asyncpg.PostgresError as problem:
        return problem.sqlstate
    finally:
        await attempt.rollback()
    return None
