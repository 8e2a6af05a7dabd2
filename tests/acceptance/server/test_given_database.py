"""The server on a database it was given, and the commands that go with it."""

from __future__ import annotations

import base64
import json
import os
import signal

from tests.acceptance.server.program import ready, run, served
from tests.conftest import Databases


def environ_of(database: Databases) -> dict[str, str]:
    """Return a complete environment for a database."""
    return {
        "DATABASE_URL": database.app_dsn,
        "WORKER_DATABASE_URL": database.worker_dsn,
        "OWNER_DATABASE_URL": database.owner_dsn,
        "JWT_SECRET": os.urandom(40).hex(),
        "QR_ENCRYPTION_KEY": base64.b64encode(os.urandom(32)).decode(),
    }


async def test_a_server_on_a_given_database_is_ready_and_stops_in_order(database: Databases) -> None:
    async with served(**environ_of(database)) as program:
        assert (await ready(program.base_url))["status"] == "ok"
        status, errors = await program.stop(signal.SIGTERM)
    assert status == 0, errors
    assert errors.endswith("stopped\n")


async def test_a_server_does_not_start_as_the_owner(database: Databases) -> None:
    environ = environ_of(database) | {"DATABASE_URL": database.owner_dsn}
    status, output, errors = await run("serve", "--port", "0", **environ)
    assert (status, output) == (1, "")
    *warnings, last = errors.splitlines()
    assert last.startswith("error: the role tt_owner may act as an owner")
    assert {json.loads(line)["level"] for line in warnings} <= {"info", "warning"}


async def test_migrating_an_up_to_date_database_says_so(database: Databases) -> None:
    environ = environ_of(database)
    status, output, errors = await run("migrate", "--json", **environ)
    assert (status, errors) == (0, "")
    assert json.loads(output)["applied"] == []
    version = json.loads(output)["version"]
    assert await run("migrate", **environ) == (0, f"the schema has version {version}, nothing was pending\n", "")


async def test_seeds_and_tokens_work_on_a_given_database(database: Databases) -> None:
    environ = environ_of(database)
    status, output, errors = await run("seed", "--tokens", "--json", **environ)
    assert status == 0, errors
    assert set(json.loads(output)["tokens"]) == {"organiser", "attendee", "friend"}
    status, output, _ = await run("doctor", **environ)
    assert status == 0, output
    findings = {line.split()[1]: line.split()[0] for line in output.splitlines()}
    assert set(findings.values()) == {"ok"}
    assert {"settings", "database", "roles", "schema", "keys", "redis"} <= set(findings)


async def test_ids_that_are_none_are_named(database: Databases) -> None:
    status, output, errors = await run("token", "--tenant", "nobody", **environ_of(database))
    assert (status, output) == (2, "")
    assert errors.startswith("error: --tenant is not an id")
