"""Everything of one organiser in files: all of theirs, nothing of anybody else's, and nothing that opens anything."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from server.db.pool import open_database
from server.db.statements import load_statements
from server.seed import name_seeds
from shared.ids import TenantId
from tests.acceptance.server.program import run
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import Databases
from tests.integration.server.schema.connections import connected
from tests.integration.server.schema.test_walls import SAMPLES, enter

SECRET = ("wrapped", "secret_hash", "verifier", "code_hash", "response", "seed")


def read(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """Return every table of an export, after comparing its files with the manifest."""
    manifest = json.loads((directory / "manifest.json").read_text())
    assert {path.name for path in directory.iterdir()} == {*manifest["files"], "manifest.json"}
    tables = {}
    for name, told in manifest["files"].items():
        content = (directory / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == told["sha256"]
        tables[name.removesuffix(".jsonl")] = [json.loads(line) for line in content.splitlines()]
        assert len(tables[name.removesuffix(".jsonl")]) == told["rows"]
    return tables


async def tables_of_tenants(database: Databases) -> set[str]:
    """Return what the owner of the schema knows to have rows of tenants."""
    async with connected(database.owner_dsn) as owner:
        return {row["name"] for row in await owner.fetch(load_statements("selfcheck.sql")["tenant_tables"])} | {
            "tenants"
        }


async def test_a_row_in_every_table_is_taken_along(database: Databases) -> None:
    tenant = TenantId(uuid4())
    async with connected(database.owner_dsn) as owner, owner.transaction():
        await enter(owner, tenant)
        await owner.execute(SAMPLES)
    async with open_database(database.app_dsn, database.worker_dsn) as db, db.still(tenant) as tx:
        rows = {table: [row async for row in tx.takeout.rows(table)] for table in await tx.takeout.tables()}
    assert set(rows) == await tables_of_tenants(database)
    assert [table for table, found in rows.items() if not found] == []


async def test_an_organiser_takes_everything_along_and_nobody_elses(database: Databases, tmp_path: Path) -> None:
    environ, seeds = environ_of(database), name_seeds()
    status, _, errors = await run("seed", "--json", **environ)
    assert status == 0, errors
    directory = tmp_path / "export"
    command = ("tenants", "export", "--tenant", str(seeds.main.tenant), str(directory))
    status, output, errors = await run(*command, "--json", **environ)
    assert (status, errors) == (0, "")
    tables = await asyncio.to_thread(read, directory)
    assert {one["file"] for one in json.loads(output)} == {f"{table}.jsonl" for table in tables}
    assert [row["id"] for row in tables["tenants"]] == [str(seeds.main.tenant)]
    assert [row["id"] for row in tables["events"]] == [str(seeds.main.event)]
    assert set(tables) == await tables_of_tenants(database)
    rows = [row for table, found in tables.items() if table != "tenants" for row in found]
    assert {row["tenant_id"] for row in rows} == {str(seeds.main.tenant)}
    assert not [name for row in rows for name in row if any(word in name for word in SECRET)]
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    status, _, errors = await run(*command, **environ)
    assert (status, errors) == (1, f"error: {directory} is not empty: name a new directory\n")


@pytest.mark.parametrize(
    ("command", "status", "words"),
    [
        (("tenants", "export", "--tenant", str(uuid4()), "DIR"), 1, "There is no tenant of this id"),
        (("people", "forget", "--tenant", str(uuid4())), 2, "name --user or --email"),
        (("people", "forget", "--tenant", str(uuid4()), "--email", "a@b.example"), 1, "There is no tenant of this id"),
    ],
)
async def test_what_cannot_be_done_is_told(
    database: Databases, tmp_path: Path, command: tuple[str, ...], status: int, words: str
) -> None:
    placed = [str(tmp_path / "x") if word == "DIR" else word for word in command]
    said = await run(*placed, **environ_of(database))
    assert (said[0], said[1], words in said[2]) == (status, "", True), said
    assert list(tmp_path.iterdir()) == []
