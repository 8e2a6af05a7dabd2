"""What organisers take along: everything, once, in two forms, and nothing that calculates."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from io import StringIO
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.api.exports import stream
from server.services.exports import AT_ONCE, Subject
from server.services.problems import TicketChanged
from tests.integration.server.doors.test_operations import perform
from tests.integration.server.organiser.office import Json, Office


async def fetch(office: Office, path: str) -> tuple[str, bytes]:
    """Return the media type and the whole of a file."""
    async with office.house.client.get(f"{office.house.base_url}/api/v1{path}", headers=office.headers()) as response:
        assert response.status == 200
        assert response.headers["Cache-Control"] == "private, no-store"
        assert len(response.headers["X-Trace-Id"]) == 32
        assert int(response.headers["RateLimit-Remaining"]) > 0
        return response.content_type, await response.read()


async def table(office: Office, subject: Subject, event: object = None) -> list[dict[str, str]]:
    """Return the rows of a CSV file by their heads."""
    media, data = await fetch(office, f"/events/{event or office.event}/{subject}/export")
    assert media == "text/csv"
    return list(csv.DictReader(StringIO(data.decode(), newline="")))


async def array(office: Office, subject: Subject, event: object = None) -> list[Json]:
    """Return the items of a JSON file."""
    media, data = await fetch(office, f"/events/{event or office.event}/{subject}/export?format=json")
    assert media == "application/json"
    return msgspec.json.decode(data, type=list[Json])


async def listed(office: Office, path: str) -> list[Json]:
    """Return all items of a list, page by page."""
    items, cursor = [], ""
    while True:
        page = await office.page(f"{path}?limit=100{cursor}")
        items += page.items
        if page.cursor is None:
            return items
        cursor = f"&cursor={page.cursor}"


async def test_more_tickets_than_one_portion_come_each_once(office: Office) -> None:
    event, kind = await office.draft_with_type(total=AT_ONCE + 100)
    await office.issue(event, kind["id"], 1, holderName='=HYPERLINK("http://evil")')
    await office.issue(event, kind["id"], 1, holderName='Zoë, "the" O\u2019Neil')
    for count in [100] * (AT_ONCE // 100):
        await office.issue(event, kind["id"], count)
    items, rows = await array(office, Subject.TICKETS, event), await table(office, Subject.TICKETS, event)
    assert items == await listed(office, f"/events/{event}/tickets")
    assert [row["id"] for row in rows] == [one["id"] for one in items]
    names = {row["holderName"] for row in rows}
    assert names == {"", 'Zoë, "the" O\u2019Neil', '\'=HYPERLINK("http://evil")'}
    assert {row["ticketTypeName"] for row in rows} == {"Standing"}


async def test_an_evening_is_taken_along_as_it_is_shown(office: Office) -> None:
    await perform(office.house.stage)
    path = f"/events/{office.event}"
    for subject in (Subject.SCANS, Subject.CONFLICTS):
        items, rows = await array(office, subject), await table(office, subject)
        assert items == await listed(office, f"{path}/{subject}")
        assert len(rows) == len(items) > 0
    (conflict,) = await table(office, Subject.CONFLICTS)
    assert (conflict["kind"], conflict["laterGateName"], conflict["earlierGateName"]) == ("clone", "South", "North")
    assert {row["reason"] for row in await table(office, Subject.SCANS)} >= {"ok", "code_unreadable"}
    figures = await office.made("GET", path + "/stats")
    assert await array(office, Subject.STATS) == [figures]
    told = {(row["figure"], row["of"]): row["value"] for row in await table(office, Subject.STATS)}
    assert told["inside", ""] == str(figures["inside"])
    assert (told["gateEntries", "North"], told["refusedByReason", "code_unreadable"]) == ("3", "1")


async def test_of_nothing_there_is_a_head_and_an_empty_list(office: Office) -> None:
    event = (await office.draft())["id"]
    for subject in (Subject.SCANS, Subject.CONFLICTS, Subject.TICKETS):
        assert await array(office, subject, event) == []
        _, data = await fetch(office, f"/events/{event}/{subject}/export?format=csv")
        assert data.count(b"\r\n") == 1
        assert await office.refused("GET", f"/events/{uuid4()}/{subject}/export") == (404, "event_not_found")
        assert await office.refused("GET", f"/events/{event}/{subject}/export?format=xls") == (400, "request_invalid")


async def cut_short() -> AsyncIterator[bytes]:
    """Yield a part and then fail as a database does that goes away."""
    yield b"[1"
    raise TicketChanged("gone")


async def test_a_file_that_is_cut_short_cannot_be_taken_for_whole() -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        return await stream(request, {}, cut_short())

    app = web.Application()
    app.router.add_get("/", send)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with session.get(server.make_url("/")) as response:
                await response.read()
