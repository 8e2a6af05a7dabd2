"""The route table: every path with who may call it, from which the router is filled; what is not listed does not exist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

import structlog
from aiohttp import web
from msgspec import Struct

from server.domain.access import GateCaller, Scope, User, check_scope
from shared.problems import Internal, TicketTokenError, Unavailable

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

REQUEST_TIMEOUT_S = 30.0

USER: web.RequestKey[User] = web.RequestKey("user", User)
GATE: web.RequestKey[GateCaller] = web.RequestKey("gate", GateCaller)


class Auth(StrEnum):
    """What a caller must bring."""

    PUBLIC = "public"
    USER = "user"
    GATE = "gate"


class Route(Struct, frozen=True, kw_only=True):
    """One row of the table.

    A route for users names the scope it needs. ``body`` is the struct of its request, ``query`` one whose fields are the
    parameters it reads from the address, ``answer`` that of its success, ``status`` the HTTP status of it, and ``media`` the
    forms it comes in. ``keyed`` says that it needs an Idempotency-Key, ``raises`` which problems of its own it may answer
    with. ``timeout_s`` is None for connections that are meant to stay.
    """

    method: str
    path: str
    handler: Handler
    auth: Auth | None = None
    scope: Scope | None = None
    summary: str = ""
    body: type | None = None
    query: type | None = None
    answer: object = None
    status: int = 200
    media: tuple[str, ...] = ("application/json",)
    keyed: bool = False
    raises: tuple[type[TicketTokenError], ...] = ()
    timeout_s: float | None = REQUEST_TIMEOUT_S


class Authenticators(Struct, frozen=True, kw_only=True):
    """How each kind of caller is told; each raises a Denied problem for a caller who proves nothing."""

    user: Callable[[web.Request], Awaitable[User]]
    gate: Callable[[web.Request], Awaitable[GateCaller]]


class RequestTimeout(Unavailable):
    """The request took longer than the server gives it."""

    code = "request_timeout"


def mount(app: web.Application, routes: Sequence[Route], authenticators: Authenticators) -> None:
    """Fill the router.

    Raises:
        Internal: a route says nothing of who may call it, or a user's route names no scope.
    """
    for route in routes:
        if route.auth is None or (route.auth is Auth.USER) != (route.scope is not None):
            raise Internal(f"The route {route.method} {route.path} does not say who may call it.")
        app.router.add_route(route.method, route.path, _guard(route, authenticators))


def _guard(route: Route, authenticators: Authenticators) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(route.timeout_s):
                await _admit(route, authenticators, request)
                return await route.handler(request)
        except TimeoutError as exc:
            raise RequestTimeout("This took too long and was given up: try again.") from exc

    return guarded


async def _admit(route: Route, authenticators: Authenticators, request: web.Request) -> None:
    if route.auth is Auth.USER and route.scope is not None:
        user = await authenticators.user(request)
        structlog.contextvars.bind_contextvars(tenant=str(user.tenant), user=str(user.user))
        check_scope(user, route.scope)
        request[USER] = user
    elif route.auth is Auth.GATE:
        gate = await authenticators.gate(request)
        structlog.contextvars.bind_contextvars(tenant=str(gate.tenant), gate=str(gate.gate))
        request[GATE] = gate
