"""`tickettoken keys` as an operator types it, and a server that notices what it did."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from server.services.key_status import read_status
from shared.admission.verdict import Reason
from tests.conftest import Databases
from tests.integration.gate.harness import Running
from tests.integration.keys.commands import OLD, Ended, run
from tests.integration.keys.grounds import Grounds
from tests.integration.keys.stage import Festival
from tests.integration.server.selling.test_codes import rotate as show


async def keys(database: Databases, *arguments: str) -> Ended:
    """Run a `keys` command with the right key-encryption key."""
    return await run(database, OLD, "keys", *arguments)


def versions(gate: Running) -> int:
    """Return the version of the bundle a gate works with."""
    return gate.agent.knowledge.bundle_version


async def test_status_names_what_there_is(festival: Festival, database: Databases) -> None:
    # commands go by the machine's clock: for them the event may be long over, so it is named
    await festival.stage.enrol()
    await festival.ticket()
    await festival.wallet(await festival.ticket())
    told = await keys(database, "status", "--event", str(festival.stage.event))
    assert (told.status, told.err) == (0, "")
    for words in ("master 1:", "config key 1:", "wrapped with k1", f"event {festival.stage.event}", "1 NOT UP TO DATE"):
        assert words in told.out
    answer = json.loads((await keys(database, "status", "--json", "--event", str(festival.stage.event))).out)
    (tenant,) = answer["tenants"]
    assert (answer["current"], tenant["tenantId"]) == ("k1", str(festival.stage.tenant))
    assert [(event["storedEpochs"], event["series"], event["gatesBehind"]) for event in tenant["events"]] == [(4, 0, 1)]


async def test_no_key_and_no_secret_is_ever_printed(festival: Festival, database: Databases) -> None:
    await festival.wallet(await festival.ticket())
    async with festival.stage.db.tenant(festival.stage.tenant) as tx:
        secrets = (await festival.stage.vault.masters(tx)).secrets
    tenant = str(festival.stage.tenant)
    for arguments in (("status",), ("rotate", "--master", "--tenant", tenant), ("rewrap",)):
        for form in ((), ("--json",)):
            told = await keys(database, *arguments, *form)
            assert told.status == 0, told.err
            for secret in secrets.values():
                assert secret.hex() not in told.out + told.err


async def test_a_rotation_by_command_reaches_running_server_gates_and_phones(
    grounds: Grounds, database: Databases
) -> None:
    festival = grounds.festival
    ticket = await festival.ticket()
    async with grounds.gate(await grounds.enrol("north")) as gate:
        early, version = await festival.wallet(ticket), versions(gate)
        event = str(festival.stage.event)
        # the command goes by the machine's clock, the event by its own: an overlap of days lets the two meet
        told = await keys(database, "rotate", "--event", event, "--now", "--overlap", "10000", "--json")
        assert told.status == 0, told.err
        answer = json.loads(told.out)
        assert answer["rotated"]["eventId"] == event
        await grounds.beat_until(gate, lambda: versions(gate) > version)
        late = await festival.wallet(ticket)
        assert (late.seed, await series(festival)) == (early.seed, 1)
        (outcome,) = await gate.show(show(late, festival.clock))
        assert outcome.verdict.reason is Reason.OK


async def series(festival: Festival) -> int:
    """Return how often the event's keys were replaced."""
    status = await read_status(festival.context, festival.stage.tenant)
    return status.events[0].series


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("rotate",), 2, "one of the arguments --event --master --config is required"),
        (("rotate", "--event", "nonsense"), 2, "an id has the form"),
        (("rotate", "--event", str(uuid4())), 1, "no event of this id"),
        (("rotate", "--master", "--tenant", str(uuid4())), 1, "no tenant of this id"),
        (("rotate", "--master", "--now"), 2, "go with --event"),
        (("retire", "--kek", "k1"), 1, "in front of it"),
        (("retire", "--master", "1", "--kek", "k1"), 2, "not allowed with"),
        (("rewrap", "--batch", "0"), 2, "from 1 to 10000"),
    ],
)
async def test_faults_are_one_line_that_says_what_to_do(
    festival: Festival, database: Databases, arguments: tuple[str, ...], status: int, words: str
) -> None:
    await festival.ticket()
    told = await keys(database, *arguments)
    assert (told.status, told.out) == (status, "")
    assert words in told.err
    assert told.err.startswith("error: ")
    assert told.err.count("\n") == 1
