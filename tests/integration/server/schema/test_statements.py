"""Every stored statement is understood by the migrated schema and allowed to the role that sends it."""

from __future__ import annotations

from pathlib import Path

import pytest

import server.db
from server.db.statements import load_statements
from tests.conftest import Databases
from tests.integration.server.schema.connections import connected, in_database

FILES = sorted(path.name for path in (Path(next(iter(server.db.__path__))) / "sql").glob("*.sql"))
WORKER_FILES = {
    "broker_worker.sql",
    "maintenance.sql",
    "relay.sql",
    "publisher.sql",
    "refusals.sql",
    "trimming.sql",
    "figures.sql",
    "staff_worker.sql",
    "mint.sql",
    "mint_session.sql",
}
OTHER_FILES = {"backup.sql", "bootstrap.sql", "migrate.sql"}
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


def test_statement_files_are_where_this_test_looks() -> None:
    assert {"tickets.sql", "orders.sql"} | WORKER_FILES | OTHER_FILES <= set(FILES)


@pytest.mark.parametrize("file", FILES)
async def test_every_statement_is_understood(file: str, postgres: str, database: Databases) -> None:
    dsn = {
        **dict.fromkeys(("backup.sql", "bootstrap.sql"), in_database(postgres, database.app_dsn)),
        "migrate.sql": database.owner_dsn,
        **dict.fromkeys(WORKER_FILES, database.worker_dsn),
    }.get(file, database.app_dsn)
    async with connected(dsn) as connection:
        for name, statement in load_statements(file).items():
            prepared = await connection.prepare(statement)
            assert prepared.get_query() == statement, name


@pytest.mark.parametrize("file", [file for file in FILES if file not in OTHER_FILES])
async def test_every_statement_is_allowed_to_its_role(file: str, database: Databases) -> None:
    dsn = database.worker_dsn if file in WORKER_FILES else database.app_dsn
    async with connected(dsn) as connection:
        for name, statement in load_statements(file).items():
            body = "\n".join(line for line in statement.splitlines() if not line.startswith("--"))
            if body.startswith(PLANNED):
                # planning a statement checks the grants without running it
                assert await connection.execute(f"EXPLAIN (GENERIC_PLAN) {body}") == "EXPLAIN", name
