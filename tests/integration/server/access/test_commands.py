"""`tickettoken api-keys`, `service-callers` and `supervisors` as an operator types them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from server.services.api_keys import tell_key
from shared.clock import ManualClock
from shared.codes.keys import KeyRing
from shared.ids import SupervisorId
from tests.conftest import Databases
from tests.integration.keys.commands import OLD, Ended, run
from tests.integration.keys.stage import OLD_KEK
from tests.integration.server.access.stage import Door, open_door
from tests.integration.server.selling.stage import fresh_key


@pytest.fixture
async def door(database: Databases, clock: ManualClock) -> AsyncIterator[Door]:
    """Give the server with a key-encryption key that the command line takes."""
    async with open_door(database, clock, ring=KeyRing({"k1": OLD_KEK})) as opened:
        yield opened


async def told(database: Databases, *arguments: str) -> object:
    """Run a command that must succeed and return its JSON answer."""
    ended = await run(database, OLD, *arguments, "--json")
    assert (ended.status, ended.err) == (0, ""), ended
    return json.loads(ended.out)


async def test_api_keys_are_made_listed_and_revoked(door: Door, database: Databases) -> None:
    made = await run(
        database, OLD, "api-keys", "make", "--name", "turnstiles", "--scope", "tickets:validate", "--days", "3"
    )
    assert made.status == 0, made.err
    text, explained = made.out.splitlines()
    assert "shown this once" in explained
    caller = await tell_key(door.served.shop.context, text)
    assert (caller.tenant, [str(one) for one in caller.granted or ()]) == (door.tenant, ["tickets:validate"])
    listed = await run(database, OLD, "api-keys", "list")
    assert str(caller.key) in listed.out
    assert text not in listed.out
    gone = await told(database, "api-keys", "revoke", str(caller.key))
    assert isinstance(gone, dict)
    assert gone["revokedAt"]
    assert "REVOKED" in (await run(database, OLD, "api-keys", "list")).out


async def test_services_are_let_in_changed_over_and_shut_out(door: Door, database: Databases) -> None:
    made = await told(database, "service-callers", "add", "orders", "--allow", "reserve-ticket")
    assert isinstance(made, dict)
    target = f"/internal/tickets/{door.served.shop.standing}/reserve"

    async def status(secret: str) -> int:
        body = {"userId": str(uuid4())}
        reply = await door.signed("POST", target, body, caller="orders", secret=secret, Idempotency_Key=fresh_key())
        return reply.status

    assert await status(made["secret"]) == 201
    turned = await run(database, OLD, "service-callers", "rotate", "orders", "--overlap", "60")
    assert await status(turned.out.splitlines()[0]) == 201
    assert "2 secrets" in (await run(database, OLD, "service-callers", "list")).out
    assert await told(database, "service-callers", "remove", "orders") == {"name": "orders", "removed": True}
    assert await status(made["secret"]) == 401
    assert (await run(database, OLD, "service-callers", "list")).out == "no services besides the built-in caller\n"


async def test_supervisors_are_named_and_dismissed(door: Door, database: Databases) -> None:
    made = await told(database, "supervisors", "add", "--name", "Sam", "--event", str(door.event))
    assert isinstance(made, dict)
    assert len(made["pin"]) == 6
    reset = await told(database, "supervisors", "pin", made["id"])
    assert isinstance(reset, dict)
    assert reset["pin"] != made["pin"]
    assert await told(database, "supervisors", "list") == [
        {"id": made["id"], "name": "Sam", "eventId": str(door.event), "gateIds": []}
    ]
    async with door.served.shop.context.db.tenant(door.tenant) as tx:
        row = await tx.supervisors.get(SupervisorId(made["id"]))
    assert row is not None
    await told(database, "supervisors", "remove", made["id"])
    assert (await run(database, OLD, "supervisors", "list")).out == "no supervisors\n"


async def test_what_cannot_be_done_is_told_in_one_line(door: Door, database: Databases) -> None:
    def check_refused(ended: Ended, status: int, words: str) -> None:
        assert ended.status == status, ended
        assert (ended.out, ended.err.count("\n")) == ("", 1), ended
        assert ended.err.startswith("error: ")
        assert words in ended.err

    missing = str(uuid4())
    check_refused(await run(database, OLD, "api-keys", "revoke", missing), 1, "no such API key")
    check_refused(await run(database, OLD, "service-callers", "remove", "nobody"), 1, "no service of this name")
    check_refused(await run(database, OLD, "supervisors", "list", "--tenant", missing), 1, "no tenant of this id")
    refused = await run(database, OLD, "service-callers", "add", "Orders", "--allow", "read-ticket")
    check_refused(refused, 2, "lower-case letters")
