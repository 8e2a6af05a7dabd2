"""The walk: attendee, organiser, service, scanner and stranger call everything there is, and each gets what the table says."""

from __future__ import annotations

import asyncio

from tests.conftest import Databases
from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.ledger import until_settled
from tests.integration.server.contract.operations import Operation, encode, read_operations
from tests.integration.server.contract.stocking import offer
from tests.integration.server.contract.walk_table import CALLERS, INSTEAD, RECIPIENTS, REMEMBERED, WALK, bodies
from tests.integration.server.schema.connections import connected, in_database

KINDS = {"attendee": "attendee", "organiser": "admin", "service": "service", "scanner": "key", "stranger": "stranger"}
PATIENCE_S = 60


async def test_the_walk_leaves_nothing_out(hall: Hall) -> None:
    assert set(WALK) == {one.name for one in await read_operations(hall)}
    assert {len(row.split()) for row in WALK.values()} == {len(CALLERS)}


async def test_everybody_walks_through_everything(hall: Hall, database: Databases, postgres: str) -> None:
    operations = {one.name: one for one in await read_operations(hall)}
    places = hall.home.places | {"offer": await offer(hall.served, hall.home.owner, hall.home.places["spare"])}
    faults = []
    for name, row in WALK.items():
        if name.endswith("/close"):
            async with connected(in_database(postgres, database.owner_dsn)) as superuser:
                await until_settled(superuser)  # an event does not end under an import
        for caller, expected in zip(CALLERS, row.split(), strict=True):
            status, body = await call(hall, operations[name], caller, places)
            if str(status) != expected:
                faults.append(f"{name} as {caller}: {status}, not {expected}: {body[:160]!r}")
    assert not faults, "\n".join(faults)


async def call(hall: Hall, one: Operation, caller: str, places: dict[str, str]) -> tuple[int, bytes]:
    """Make a row's call and remember what its success is called by; of what goes on without end only the beginning is read."""
    own = places | {name: places.get(other, "") for name, other in INSTEAD.get(one.name, {}).items()}
    kind = "friend" if caller == "attendee" and one.name in RECIPIENTS else KINDS[caller]
    sample = one.sample(own)
    address, body = one.address(own, sample.query), encode(bodies(places, caller).get(one.name, sample.body))
    if one.path.endswith("/live"):
        return await begin(hall, one, kind, address), b""
    async with asyncio.timeout(PATIENCE_S):
        reply = await one.ask(hall, kind, address, body)
    if reply.status < 300 and one.name not in places:
        places[one.name] = "done"
        places |= {name: str(reply.json[field]) for name, field in REMEMBERED.get(one.name, {}).items()}
    return reply.status, reply.body


async def begin(hall: Hall, one: Operation, kind: str, address: str) -> int:
    """Return the status with which a call is answered, without its body."""
    url, proof = hall.served.running.base_url + address, hall.prove(kind, one.method, address)
    async with asyncio.timeout(PATIENCE_S), hall.served.session.get(url, headers=proof) as response:
        return response.status
