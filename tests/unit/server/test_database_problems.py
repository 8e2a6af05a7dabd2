"""What the driver raises while the database is lost is a problem that says so."""

from __future__ import annotations

import asyncpg
import pytest

from server.db.problems import DRIVER_PROBLEMS, DatabaseAway, translate


@pytest.mark.parametrize(
    "problem",
    [
        ConnectionResetError(),
        asyncpg.ConnectionDoesNotExistError("the connection was closed"),
        asyncpg.InterfaceError("the connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_lost_connection_is_the_database_being_away(problem: Exception) -> None:
    assert isinstance(problem, DRIVER_PROBLEMS)
    assert isinstance(translate(problem), DatabaseAway)
