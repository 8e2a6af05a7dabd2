"""Watching an event: the figures are right, come as they change, are read once for many, and nothing is missed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec import Struct
from msgspec.structs import replace

from server.api.event_stream import Pace, stream_figures
from server.ephemeral.opening import open_ephemeral
from server.services.context import Context
from server.services.live import LiveDesk, TooManyViewers
from server.services.live_figures import read_live
from server.services.live_state import changed_parts, make_state, pack_state, read_figures_of, unpack_state
from server.services.live_views import Figures
from server.services.live_views import House as HouseFigures
from server.services.problems import EventUnknown
from shared.admission.verdict import Reason
from shared.clock import SystemClock
from shared.ids import EventId, TenantId
from shared.settings import Secret
from tests.integration.server.doors.house import House
from tests.integration.server.doors.stage import Stage

PATIENCE_S = 60

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Told(Struct, frozen=True):
    """One server-sent event."""

    id: str
    kind: str
    data: dict[str, msgspec.Raw]


class Viewer:
    """Somebody who watches over HTTP."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def hear(self) -> Told:
        """Return the next event."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.response.content.readline()).decode().rstrip("\n") or not fields.get("data"):
                name, _, value = str(line).partition(": ")
                fields[name] = value
        data = msgspec.json.decode(fields["data"], type=dict[str, msgspec.Raw])
        return Told(fields.get("id", ""), fields["event"], data)

    async def until(self, part: str) -> Told:
        """Return the next event that has this part."""
        while True:
            told = await self.hear()
            if part in told.data:
                return told


@asynccontextmanager
async def watching(house: House, known: str | None = None) -> AsyncIterator[Viewer]:
    """Watch the house's event."""
    headers = house.organiser() | ({} if known is None else {"Last-Event-ID": known})
    url = f"{house.base_url}/api/v1/events/{house.stage.event}/live"
    async with house.client.get(url, headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield Viewer(response)


def inside(told: Told) -> int:
    """Return how many are inside by an event's word."""
    return msgspec.json.decode(told.data["house"], type=HouseFigures).inside


async def test_figures_are_those_of_the_scans(stage: Stage) -> None:
    north, south = await stage.enrol("North"), await stage.enrol("<b>South</b>")
    tickets = await stage.issue(6)
    for ticket in tickets[:3]:
        await north.scan(ticket)
    await north.scan(tickets[0], admitted=False, reason=Reason.ALREADY_USED)
    await north.hand_over()
    await south.scan(tickets[3])
    await south.scan(tickets[0])  # whom North let in already: a conflict
    await south.hand_over()
    figures = await read_live(stage.context, stage.tenant, stage.event)
    house = figures.house
    assert (house.expected, house.arrived, house.remaining, house.inside, house.refused) == (6, 4, 2, 5, 1)
    assert figures.arrivals.per_minute == [5]
    assert [(one.name, one.arrived, one.inside) for one in figures.crowds.types] == [("Floor", 4, 5)]
    assert [(one.reason, one.count) for one in figures.refusals] == [("already_used", 1)]
    assert {gate.name: (gate.entries, gate.refused) for gate in figures.gates.shown} == {
        "North": (3, 1),
        "<b>South</b>": (2, 0),
    }
    assert figures.gates.by_condition == {"never": 2}
    assert figures.conflicts.open == 1
    assert figures.conflicts.newest[0].ticket_id == tickets[0].id


async def test_an_event_without_anything_has_figures_too(stage: Stage) -> None:
    figures = await read_live(stage.context, stage.tenant, stage.event)
    assert (figures.house.expected, figures.house.inside, figures.arrivals.per_minute) == (0, 0, [])
    assert figures.arrivals.forecast is None
    with pytest.raises(EventUnknown):
        await read_live(stage.context, TenantId(uuid4()), stage.event)


async def test_a_state_survives_the_way_and_tells_only_what_differs(stage: Stage) -> None:
    figures = await read_live(stage.context, stage.tenant, stage.event)
    before = make_state(figures)
    after = make_state(replace(figures, house=replace(figures.house, inside=7)))
    assert unpack_state(pack_state(after)) == after
    assert read_figures_of(after).house.inside == 7
    assert list(changed_parts(after, before.id)) == ["house"]
    assert changed_parts(after, after.id) == {}
    for unknown in ("", "x", after.id[:-1]):
        assert changed_parts(after, unknown) == after.parts
    assert unpack_state(b"of another release") is None


async def test_changes_are_told_and_whoever_comes_back_is_told_the_rest(house: House) -> None:
    gate = await house.stage.enrol("North")
    tickets = await house.stage.issue(2)
    async with watching(house) as viewer:
        first = await viewer.until("house")
        assert (inside(first), set(first.data)) == (0, set(Figures.__struct_fields__))
        await gate.scan(tickets[0])
        await gate.hand_over()
        house.stage.clock.advance(timedelta(seconds=2))
        second = await viewer.until("house")
        assert inside(second) == 1
        assert "conflicts" not in second.data
    await gate.scan(tickets[1])
    await gate.hand_over(2)
    house.stage.clock.advance(timedelta(seconds=5))
    async with watching(house, second.id) as viewer:
        back = await viewer.until("house")
        assert inside(back) == 2
        assert "refusals" not in back.data
    async with watching(house, "of another time") as viewer:
        assert set((await viewer.hear()).data) == set(Figures.__struct_fields__)


async def test_who_may_not_watch_is_told_so(house: House) -> None:
    address = f"{house.base_url}/api/v1/events/{house.stage.event}/live"
    async with house.client.get(address) as response:
        assert response.status == 401
    async with house.client.get(
        address.replace(str(house.stage.event), str(uuid4())), headers=house.organiser()
    ) as one:
        assert (one.status, (await one.json())["code"]) == (404, "event_not_found")
    async with house.client.head(address, headers=house.organiser()) as response:
        assert response.status == 200
    async with house.client.get(address + "?seconds=0", headers=house.organiser()) as response:
        assert response.status == 400
    async with house.client.get(address + "?seconds=1", headers=house.organiser()) as response:
        async with asyncio.timeout(PATIENCE_S):
            assert b"event: figures" in await response.read()


class Counted:
    """Reads figures, and counts how often; a second implementation of reading."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.times = 0

    async def read(self, _: Context, __: TenantId, ___: EventId) -> Figures:
        """Return figures that differ each time."""
        self.times += 1
        return replace(self.figures, house=replace(self.figures.house, inside=self.times))


@asynccontextmanager
async def desks(
    stage: Stage, redis_url: str | None, counted: Counted, most: int = 100
) -> AsyncIterator[list[LiveDesk]]:
    """Run two processes' desks, which share a Redis or (in one process) its memory."""
    async with AsyncExitStack() as stack:
        clock = SystemClock()
        url = None if redis_url is None else Secret(redis_url)
        shared = await stack.enter_async_context(open_ephemeral(url, clock, set[str]().add))
        group = await stack.enter_async_context(asyncio.TaskGroup())
        made, tasks = [], []
        for _ in range(2):
            store = (
                shared if url is None else await stack.enter_async_context(open_ephemeral(url, clock, set[str]().add))
            )
            context = replace(stage.context, ephemeral=store, clock=clock)
            desk = LiveDesk(context, counted.read, timedelta(milliseconds=200), most)
            tasks.append(group.create_task(desk.run()))
            made.append(desk)
        yield made
        for task in tasks:
            task.cancel()


@pytest.mark.parametrize("backend", ["memory", "redis"])
async def test_many_viewers_of_many_processes_cost_one_reading(
    backend: str, stage: Stage, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_url") if backend == "redis" else None
    counted = Counted(await read_live(stage.context, stage.tenant, stage.event))
    async with desks(stage, url, counted) as (here, there), AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
        watches = [
            await stack.enter_async_context(desk.watch(stage.tenant, stage.event))
            for desk in (here, there)
            for _ in range(20)
        ]
        known = [""] * len(watches)
        begun = counted.times
        for _ in range(5):
            told = await asyncio.gather(*(watch.next(one) for watch, one in zip(watches, known, strict=True)))
            known = [one[0] for one in told if one is not None]
            assert len(known) == len(watches)
        # each viewer was told five different states, and between the first and the last nobody's process read on its own
        assert counted.times - begun <= 12
        assert here.viewers + there.viewers == len(watches)
        here.close()
        assert await watches[0].next(known[0]) is None
    assert here.viewers == there.viewers == 0


async def test_a_crowd_that_comes_at_once_waits_for_one_reading(stage: Stage) -> None:
    counted = Counted(await read_live(stage.context, stage.tenant, stage.event))
    async with desks(stage, None, counted) as (desk, _):

        async def look() -> str:
            async with desk.watch(stage.tenant, stage.event) as watch:
                told = await watch.next("")
            assert told is not None
            return told[0]

        seen = await asyncio.gather(*(look() for _ in range(50)))
    assert len(set(seen)) <= 2
    assert counted.times <= 2


async def test_a_full_server_says_so(stage: Stage) -> None:
    counted = Counted(await read_live(stage.context, stage.tenant, stage.event))
    async with desks(stage, None, counted, most=1) as (here, there), here.watch(stage.tenant, stage.event):
        with pytest.raises(TooManyViewers):
            async with here.watch(stage.tenant, stage.event):
                pass
        async with there.watch(stage.tenant, stage.event):
            assert there.viewers == 1


async def test_a_viewer_that_takes_nothing_is_dropped(stage: Stage) -> None:
    figures = await read_live(stage.context, stage.tenant, stage.event)
    # more than every buffer on the way holds
    heavy = Counted(replace(figures, house=replace(figures.house, name="x" * 20_000_000)))
    dropped = asyncio.Event()
    async with desks(stage, None, heavy) as (desk, _), AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):

        async def handle(request: web.Request) -> web.StreamResponse:
            async with desk.watch(stage.tenant, stage.event) as watch:
                response = await stream_figures(request, watch, pace=Pace(patience_s=0.3))
            dropped.set()
            return response

        runner = web.AppRunner(_app(handle), access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        reader, writer = await asyncio.open_connection(host, port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        await dropped.wait()
        assert desk.viewers == 0
        writer.close()


def _app(handle: Handler) -> web.Application:
    app = web.Application()
    app.router.add_get("/", handle)
    return app
