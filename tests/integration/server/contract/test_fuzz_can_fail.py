"""The instrument is tried on small servers that break their promise in one way each: it notices every one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from aiohttp import web
from msgspec import Meta, Struct

from server.api.exchange import read_body, reply
from server.api.middleware import trace_requests
from server.api.openapi import describe_server
from server.api.routes import Auth, Route
from tests.integration.server.contract.fuzzing import Attack, attack

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Wish(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many of something."""

    number: Annotated[int, Meta(ge=1, le=10)]


class Granted(Struct, frozen=True, kw_only=True):
    """What was granted."""

    number: int


class Lie(Struct, frozen=True, kw_only=True):
    """Something else than was promised."""

    number: str


async def keep(request: web.Request) -> web.Response:
    """Do as promised."""
    wish = await read_body(request, Wish)
    return reply(Granted(number=wish.number))


async def crash(request: web.Request) -> web.Response:
    """Fail over one of the sound numbers."""
    wish = await read_body(request, Wish)
    return reply(Granted(number=10 // (wish.number - 10) if wish.number > 9 else 1))


async def surprise(request: web.Request) -> web.Response:
    """Answer with a status nobody was told of."""
    wish = await read_body(request, Wish)
    return reply(Granted(number=wish.number), status=202)


async def lie(request: web.Request) -> web.Response:
    """Answer in another form."""
    wish = await read_body(request, Wish)
    return reply(Lie(number=str(wish.number)))


async def take_anything(request: web.Request) -> web.Response:
    """Accept what is unsound."""
    return reply(Granted(number=len(await request.read())))


async def mumble(request: web.Request) -> web.Response:
    """Answer in a media type nobody was told of."""
    await read_body(request, Wish)
    return web.Response(text="42")


@asynccontextmanager
async def serve(handler: Handler) -> AsyncIterator[str]:
    """Serve one operation that promises what ``keep`` does."""
    route = Route(
        method="POST", path="/wish", handler=handler, auth=Auth.PUBLIC, summary="Wish", body=Wish, answer=Granted
    )
    document = describe_server([route])

    async def describe(_: web.Request) -> web.Response:
        return web.json_response(document)

    app = web.Application(middlewares=[trace_requests(lambda size: b"\x01" * size)])
    app.router.add_route(route.method, route.path, route.handler)
    app.router.add_get("/openapi.json", describe)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (keep, ""),
        (crash, "Server error"),
        (surprise, "Undocumented status code"),
        (lie, "Response violates schema"),
        (take_anything, "Schema-violating request accepted"),
        (mumble, "Undocumented Content-Type"),
    ],
)
async def test_a_broken_promise_is_noticed(handler: Handler, says: str) -> None:
    async with serve(handler) as url:
        outcome = await attack(Attack(url=url, phases="coverage,fuzzing", examples=20))
    assert says in outcome.output, outcome.output
    assert (outcome.status == 0) == (handler is keep), outcome.output
