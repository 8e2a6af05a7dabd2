"""The REST side of the tour, played by a small HTTP server that answers what a test wants it to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import aiohttp
import msgspec
from aiohttp import web

from server.demo.box_office import BoxOffice
from server.demo.venue import Show, Venue

HERE, THERE = UUID(int=1), UUID(int=2)
EVENT, OTHER_EVENT = UUID(int=11), UUID(int=12)
STANDING = UUID(int=21)

Json = dict[str, object]


class Answers:
    """What the server says; ``leaks`` are paths that the other organiser can reach."""

    def __init__(self) -> None:
        self.figures: Json = {}
        self.conflicts: list[Json] = []
        self.leaks: set[str] = set()
        self.sold = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one call."""
        token = request.headers["Authorization"].removeprefix("Bearer ")
        if token.startswith(str(THERE)):
            return self._answer_stranger(request.path)
        if request.path.endswith("/reserve"):
            return _reply({"reservationId": "r", "totalCents": 4500, "currency": "EUR"}, 201)
        if request.path.endswith("/purchase"):
            self.sold += 1
            return _reply({"tickets": [{"ticketId": f"ticket-{self.sold}"}]})
        if request.path.endswith("/wallet"):
            return _reply({"ticketId": request.path.split("/")[4], "seed": "", "slotSeconds": 15, "capsules": []})
        found = {"stats": self.figures, "conflicts": {"items": self.conflicts}}
        return _reply(found[request.path.rpartition("/")[2]])

    def _answer_stranger(self, path: str) -> web.Response:
        if path == "/api/v1/events":
            return _reply({"items": [{"id": str(OTHER_EVENT)}]})
        return _reply({}) if path in self.leaks else _reply({"code": "not_found"}, 404)


@asynccontextmanager
async def open_venue(answers: Answers, places: int) -> AsyncIterator[Venue]:
    """Give a venue that talks to these answers."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answers.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Venue(
                BoxOffice(f"http://127.0.0.1:{runner.addresses[0][1]}", session),
                lambda tenant, user, role, email: f"{tenant}/{user}/{role}/{email}",
                Show(tenant=HERE, event=EVENT, stock={STANDING: places}),
                Show(tenant=THERE, event=OTHER_EVENT, stock={}),
            )
    finally:
        await runner.cleanup()


def _reply(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")
