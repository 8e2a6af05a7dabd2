"""A node over real HTTP that answers what a test tells it to, good or bad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.chain.node import Node
from shared.settings import Secret

Reply = Callable[[int], web.Response]
"""Makes the answer to the request of this id."""


def result(value: Any) -> Reply:
    """Answer with a result."""
    return lambda number: _json({"jsonrpc": "2.0", "id": number, "result": value})


def error(code: int, message: str, **more: Any) -> Reply:
    """Answer with an error object, with or without data."""
    return lambda number: _json({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message, **more}})


def raw(body: bytes, status: int = 200, **headers: str) -> Reply:
    """Answer with these bytes."""
    return lambda _: web.Response(body=body, status=status, headers=headers)


class OddNode:
    """Answers each request with the next reply, and goes on with the last one."""

    def __init__(self, replies: list[Reply]) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.arrived = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self._replies = replies

    def answer_with(self, reply: Reply) -> None:
        """Answer with this from now on."""
        self._replies = [reply]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        call = msgspec.json.decode(await request.read())
        self.asked.append((call["method"], call["params"]))
        self.arrived.set()
        await self.release.wait()
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply(call["id"])


class Ticks:
    """A clock in seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@asynccontextmanager
async def odd_node(
    *replies: Reply, ticks: Ticks | None = None, name: str = "one"
) -> AsyncIterator[tuple[OddNode, Node]]:
    """Run a node and give the client that asks it."""
    odd = OddNode(list(replies))
    app = web.Application()
    app.router.add_post("/", odd.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        yield odd, Node(name, Secret(str(server.make_url("/"))), session, ticks or Ticks())
        odd.release.set()


def _json(body: Any) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
