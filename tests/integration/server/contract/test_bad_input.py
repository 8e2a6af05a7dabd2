"""What is unsound is refused with a documented problem, says nothing of our insides, and changes nothing."""

from __future__ import annotations

from io import BytesIO

from tests.conftest import Databases
from tests.integration.server.contract.access_table import ACCESS, CALLERS
from tests.integration.server.contract.hall import Hall
from tests.integration.server.contract.ledger import take_stock, until_settled
from tests.integration.server.contract.operations import Operation, encode, read_operations
from tests.integration.server.contract.spoiling import Spoiled, spoil
from tests.integration.server.schema.connections import connected, in_database

BAD_QUERIES = {
    "limit": ("0", "101", "-1", "many", "1e3", "%00", "99999999999999999999"),
    "cursor": ("x", "%00", "AAAA", "A" * 22 + "==", "A" * 5000, "%F0%9F%8E%AB", "%ED%A0%80", "..%2F..%2Fetc"),
    "eventId": ("x", "%00", "00000000-0000-0000-0000-00000000000", "' OR 1=1 --"),
}
BAD_IDS = ("x", "%00", "%2e%2e%2f", "0", "'%20OR%201=1%20--", "a" * 2000, "%ED%A0%80", "%F0%9F%8E%AB")
ANY_TEXT = {"build", "name", "n"}
INSIDES = (b"Traceback", b'File "', b"asyncpg", b"msgspec", b"SELECT ", b"server/")


def caller_of(name: str) -> str:
    """Return somebody who may call this."""
    row = ACCESS[name]
    return "stranger" if row == "." else next(caller for caller, letter in CALLERS.items() if letter in row)


def judge(one: Operation, what: str, status: int, body: bytes) -> str:
    """Return what is wrong with a refusal, nothing if it is as documented."""
    code = body.partition(b'"code":"')[2].partition(b'"')[0].decode(errors="replace")
    told = [inside.decode() for inside in INSIDES if inside in body]
    if status >= 500 or status < 400 or told or code not in one.codes(status):
        return f"{one.name} with {what}: {status} {code} {told} {body[:160]!r}"
    return ""


async def test_unsound_bodies_are_refused_and_change_nothing(hall: Hall, database: Databases, postgres: str) -> None:
    faults: list[str] = []
    tried = 0
    async with connected(in_database(postgres, database.owner_dsn)) as superuser:
        await until_settled(superuser)
        before = await take_stock(superuser)
        for one in await read_operations(hall):
            if not one.takes_json:
                continue
            sample = one.sample(hall.home.places).body
            assert isinstance(sample, dict), f"{one.name} has no sound request in samples.py"
            for spoiled in spoil(sample):
                faults.append(await refuse(hall, one, spoiled))
                tried += 1
        after = await take_stock(superuser)
    assert not any(faults), "\n".join(fault for fault in faults if fault)
    assert tried > 80
    assert {table for table, digest in after.items() if digest != before[table]} == set()


async def refuse(hall: Hall, one: Operation, spoiled: Spoiled) -> str:
    """Send one unsound body and return what is wrong with the answer."""
    address = one.address(hall.home.places)
    proof = hall.prove(caller_of(one.name), one.method, address, spoiled.body)
    headers = proof | one.headers() | {"Content-Type": spoiled.media}
    reply = await hall.send(one.method, address, headers, BytesIO(spoiled.body))
    if reply.status not in spoiled.statuses:
        return f"{one.name} with {spoiled.what}: {reply.status} {reply.body[:160]!r}"
    return judge(one, spoiled.what, reply.status, reply.body)


async def test_unsound_parameters_are_refused(hall: Hall) -> None:
    faults: list[str] = []
    for one in await read_operations(hall):
        sound = one.sample(hall.home.places).query
        names = [given["name"] for given in one.told.get("parameters", ()) if given.get("in") == "query"]
        for name in names:
            for value in BAD_QUERIES.get(name, ()):
                address = one.address(hall.home.places, sound | {name: value})
                reply = await one.ask(hall, caller_of(one.name), address)
                faults.append(judge(one, f"{name}={value}", reply.status, reply.body))
    assert len(faults) > 40
    assert not any(faults), "\n".join(fault for fault in faults if fault)


async def test_ids_that_are_none_are_not_found(hall: Hall) -> None:
    faults: list[str] = []
    for one in await read_operations(hall):
        # The ticket page is the same for every link: it is the page that asks what stands behind it.
        if one.name != "GET /t/{link}":
            faults += [await ask_for(hall, one, place, bad) for place in set(one.places) - ANY_TEXT for bad in BAD_IDS]
    assert len(faults) > 60
    assert not any(faults), "\n".join(fault for fault in faults if fault)


async def ask_for(hall: Hall, one: Operation, place: str, bad: str) -> str:
    """Ask for what nothing can be called and return what is wrong with the answer."""
    sample = one.sample(hall.home.places)
    address = one.address(hall.home.places | {place: bad})
    reply = await one.ask(hall, caller_of(one.name), address, encode(sample.body))
    if b'"route_not_found"' in reply.body:
        return ""
    return judge(one, f"{place}={bad[:30]}", reply.status, reply.body)
