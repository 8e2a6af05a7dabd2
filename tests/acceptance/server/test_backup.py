"""A cluster is lost in the middle of an evening: a backup fills an empty one, and the gate goes on with all it ever scanned."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from server.demo.box_office import Buyer
from server.demo.phones import Phone
from server.embedded.postgres import PrivatePostgres
from tests.acceptance.house import fresh_place
from tests.acceptance.server.balancer import balancing
from tests.acceptance.server.evening_load import EVENT, PATIENCE_S, Crowd, Gate, open_gate
from tests.acceptance.server.program import ROOT, ready, run, served
from tests.acceptance.server.test_given_database import environ_of
from tests.conftest import ROLE_PASSWORDS, Databases


def admin_dsn(postgres: str, database: str) -> str:
    """Return the superuser's address of a database, named itself or by the address of one of its roles."""
    name = urlsplit(database).path or f"/{database}"
    return urlunsplit(urlsplit(postgres)._replace(path=name))


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a directory that the database's account may enter."""
    with fresh_place() as made:
        yield made


@asynccontextmanager
async def empty_cluster(place: Path) -> AsyncIterator[dict[str, str]]:
    """Give the settings for a new cluster as an operator prepares it: three roles and an empty database."""
    words = {role.removeprefix("tt_"): word for role, word in ROLE_PASSWORDS.items()}
    script = Template((ROOT / "server" / "postgres_init.sql").read_text()).substitute(words)
    async with PrivatePostgres(place / "cluster", unsafe_fast=True) as running:
        admin = await asyncpg.connect(running.dsn())
        for statement in script.partition("\n")[2].split(";")[:-1]:
            await admin.execute(statement)
        await admin.close()
        yield {
            "ADMIN_DATABASE_URL": admin_dsn(running.dsn(), "tickettoken"),
            "OWNER_DATABASE_URL": running.dsn_for("tt_owner", words["owner"], "tickettoken"),
            "DATABASE_URL": running.dsn_for("tt_app", words["app"], "tickettoken"),
            "WORKER_DATABASE_URL": running.dsn_for("tt_worker", words["worker"], "tickettoken"),
        }


async def sell(crowd: Crowd, count: int) -> list[Phone]:
    """Sell tickets and return their phones."""
    user = uuid4()
    buyer = Buyer(user=user, email="", token=crowd.token(user))
    tickets = await crowd.office.buy(buyer, EVENT.event, EVENT.types[0].id, count)
    return [await crowd.office.fetch_wallet(buyer, ticket) for ticket in tickets]


async def walk_in(gate: Gate, phones: list[Phone]) -> None:
    """Have people walk in; each must be let in."""
    for phone in phones:
        line = await gate.show(phone.show(datetime.now(UTC)))
        assert (line.admitted, line.reason) == (True, "ok")


async def until_stored(crowd: Crowd, count: int) -> list[dict[str, object]]:
    """Return the server's scans once there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while len(scans := await crowd.read_scans()) < count:
            pass
    return scans


async def test_gates_go_on_with_a_restored_server_and_nothing_they_scanned_is_lost(
    database: Databases, postgres: str, tmp_path: Path, place: Path
) -> None:
    environ = environ_of(database) | {"PAYMENTS": "demo", "RATE_LIMITS": "off"}
    file = tmp_path / "evening.dump"
    async with aiohttp.ClientSession() as session, balancing(session) as balancer, empty_cluster(place) as fresh:
        crowd = Crowd(balancer.url, environ["JWT_SECRET"], session)
        async with served("--seed", **environ) as first:
            await ready(first.base_url)
            balancer.add(first.base_url)
            gate = await open_gate(crowd, balancer.url, tmp_path / "gate")
            await walk_in(gate, await sell(crowd, 3))
            await until_stored(crowd, 3)
            whole = {"ADMIN_DATABASE_URL": admin_dsn(postgres, database.owner_dsn)}
            status, output, errors = await run("backup", str(file), "--json", **whole)
            assert (status, errors) == (0, "")
            assert (file.stat().st_mode & 0o777, json.loads(output)["tenants"]) == (0o600, 2)
            later = await sell(crowd, 2)
            await walk_in(gate, later[:1])
            await until_stored(crowd, 4)
            await first.stop(signal.SIGKILL)
            balancer.forget(first.base_url)
        await walk_in(gate, later[1:])
        status, output, errors = await run("restore", str(file), **fresh)
        assert (status, errors) == (0, "")
        assert "2 tenants" in output
        assert (await run("migrate", **fresh))[1].endswith("nothing was pending\n")
        async with served(**environ | fresh) as second, aiohttp.ClientSession() as anew:
            await ready(second.base_url)
            balancer.add(second.base_url)
            crowd = Crowd(balancer.url, environ["JWT_SECRET"], anew)
            await until_stored(crowd, 5)
            await walk_in(gate, await sell(crowd, 1))
            assert (await gate.stop())[0] == 0
            stored = await until_stored(crowd, 6)
    assert sorted(str(scan["scanId"]) for scan in stored) == sorted(str(line.scan) for line in gate.scans)
    # What was sold after the backup is gone from the books, and its scans are there all the same.
    assert sum(scan["ticketId"] is None for scan in stored) == 2


async def test_what_cannot_be_backed_up_or_restored_is_told(database: Databases, postgres: str, tmp_path: Path) -> None:
    whole = {"ADMIN_DATABASE_URL": admin_dsn(postgres, database.owner_dsn)}
    file, garbage = tmp_path / "a.dump", tmp_path / "garbage"
    garbage.write_bytes(b"PGDMP but not really")
    cases = {
        ("backup", str(garbage)): (1, "is never written over another"),
        ("backup", str(tmp_path / "no" / "a.dump")): (3, "cannot be written"),
        ("backup", str(file), "--pg-bin", str(tmp_path)): (3, "here is none: install PostgreSQL's client programs"),
        ("restore", str(garbage)): (1, "has tables: a backup is only put into an empty one"),
        ("restore", str(file)): (2, "is no file"),
    }
    for command, (status, words) in cases.items():
        said = await run(*command, **whole)
        assert (said[0], said[1], words in said[2]) == (status, "", True), said
    said = await run("backup", str(file), ADMIN_DATABASE_URL=database.owner_dsn)
    assert (said[0], "only a superuser sees every tenant's rows" in said[2]) == (1, True)
    empty = {"ADMIN_DATABASE_URL": admin_dsn(postgres, f"{urlsplit(database.owner_dsn).path[1:]}_copy")}
    said = await run("restore", str(garbage), **empty)
    assert (said[0], "pg_restore says" in said[2]) == (3, True)
    assert [path.name for path in tmp_path.iterdir()] == ["garbage"]
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"DROP DATABASE {urlsplit(empty['ADMIN_DATABASE_URL']).path[1:]}")
    await admin.close()
