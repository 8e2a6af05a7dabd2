"""What stands before every handler: the caller is told, may do this, is counted, and gets an answer in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from math import ceil
from typing import TypeVar

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct
from msgspec.structs import fields

from server.api.bearer import TokenMissing
from server.api.exchange import parse_id
from server.api.middleware import TALLY, Tally
from server.api.routes import GATE, SERVICE, USER, Auth, Authenticators, Handler, Route
from server.domain.access import ServiceCall, User, check_call, check_scope
from server.domain.deeds import DEEDS, describe, is_deed
from server.domain.limits import BY_ADDRESS, LimitClass
from server.services.audit import Deed, audited, caller_of_api
from server.services.context import Context
from server.services.limits import Caller, Counted, Limits
from server.services.problems import EventUnknown
from server.services.problems_gates import TooManyTries
from shared.ids import EventId
from shared.problems import Denied, Internal, Unavailable

CallerT = TypeVar("CallerT")


class Counting(Struct, frozen=True, kw_only=True):
    """How calls are counted, how a request's address is told behind proxies, and with what organisers' calls are noted."""

    limits: Limits
    address_of: Callable[[web.Request], str]
    context: Context


class RequestTimeout(Unavailable):
    """The request took longer than the server gives it."""

    code = "request_timeout"


class KeyBound(Denied):
    """The API key belongs to one event, and this call is not about that event alone."""

    code = "key_bound"


def mount(
    app: web.Application, routes: Sequence[Route], authenticators: Authenticators, counting: Counting | None = None
) -> None:
    """Fill the router; without ``counting`` nothing is limited or noted.

    Raises:
        Internal: a route says nothing of who may call it, a user's names no scope, a service's is on no list, or an
            organiser's changes something and has no name in the audit log.
    """
    for route in routes:
        _check_described(route)
        guarded = _guard(route, authenticators, counting)
        app.router.add_route(route.method, route.path, guarded)
        if route.method == "GET" and route.auth is not Auth.GATE:  # gates stream and open links, which have no heads
            app.router.add_route("HEAD", route.path, guarded)


def _check_described(route: Route) -> None:
    scoped = route.auth in {Auth.USER, Auth.SCANNER}
    listed = route.auth is not Auth.SERVICE or _name(route) in set(ServiceCall)
    if route.auth is None or scoped != (route.scope is not None) or not listed:
        raise Internal(f"The route {_name(route)} does not say who may call it.")
    if is_deed(route.method, route.scope) and _name(route) not in DEEDS:
        raise Internal(f"The route {_name(route)} changes something and has no name in the audit log.")


def _guard(route: Route, authenticators: Authenticators, counting: Counting | None) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(route.timeout_s):
                await _admit(route, authenticators, counting, request)
                async with _noting(route, counting, request):
                    return await route.handler(request)
        except TimeoutError as exc:
            raise RequestTimeout("This took too long and was given up: try again.") from exc

    return guarded


async def _admit(route: Route, authenticators: Authenticators, counting: Counting | None, request: web.Request) -> None:
    if route.auth in {Auth.USER, Auth.SCANNER} and route.scope is not None:
        tell = authenticators.user if route.auth is Auth.USER else authenticators.scanner
        user = await _tell(tell, counting, request)
        structlog.contextvars.bind_contextvars(tenant=str(user.tenant), user=str(user.user))
        await _count(counting, request, user, route.counted_as)
        check_scope(user, route.scope)
        _check_binding(route, request, user)
        request[USER] = user
    elif route.auth is Auth.GATE:
        tell_gate = authenticators.retired if route.even_revoked else authenticators.gate
        gate = await _tell(tell_gate, counting, request)
        structlog.contextvars.bind_contextvars(tenant=str(gate.tenant), gate=str(gate.gate))
        await _count(counting, request, gate, route.counted_as)
        request[GATE] = gate
    elif route.auth is Auth.SERVICE:
        service = await _tell(authenticators.service, counting, request)
        structlog.contextvars.bind_contextvars(tenant=str(service.tenant), service=service.name)
        await _count(counting, request, service, route.counted_as)
        check_call(service, _name(route))
        request[SERVICE] = service
    elif route.counted_as in BY_ADDRESS and counting is not None:
        _heed(request, await _take_address(counting, request, route.counted_as))


@asynccontextmanager
async def _noting(route: Route, counting: Counting | None, request: web.Request) -> AsyncIterator[None]:
    """Have an organiser's change noted in the audit log, before it is done and after."""
    if counting is None or not is_deed(route.method, route.scope):
        yield
        return
    named = dict(request.match_info)
    event = parse_id(named.pop("event", ""))
    deed = Deed(
        action=DEEDS[_name(route)],
        subject=" ".join(named.values()),
        event=None if event is None else EventId(event),
        detail=describe(await _peek(route, request)),
    )
    async with audited(counting.context, caller_of_api(request[USER]), deed):
        yield


async def _peek(route: Route, request: web.Request) -> object:
    """Return a JSON body as it came, whatever it holds; the handler reads the same bytes once more. None for any other body."""
    if route.body is None or request.content_type != "application/json":
        return None
    try:
        return msgspec.json.decode(await request.read())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


async def _tell(
    tell: Callable[[web.Request], Awaitable[CallerT]], counting: Counting | None, request: web.Request
) -> CallerT:
    try:
        return await tell(request)
    except Denied as problem:
        # Good proofs from the same address go on: a venue's devices share one, and one broken gate must not shut out the rest.
        if counting is not None and not isinstance(problem, TokenMissing):
            _heed(request, await _take_address(counting, request, LimitClass.BAD_PROOF))
        raise


async def _count(counting: Counting | None, request: web.Request, caller: Caller, kind: LimitClass) -> None:
    if counting is not None:
        _heed(request, await counting.limits.take(caller, kind))


async def _take_address(counting: Counting, request: web.Request, kind: LimitClass) -> Counted | None:
    return await counting.limits.take_address(counting.address_of(request), kind)


def _heed(request: web.Request, counted: Counted | None) -> None:
    """Remember what the answer is to say of the limit, and refuse if it is reached."""
    if counted is None:
        return
    allowance = counted.allowance
    request[TALLY] = Tally(calls=counted.calls, remaining=allowance.remaining, reset_s=ceil(allowance.reset_s))
    if not allowance.allowed:
        wait_s = max(1, ceil(allowance.retry_s))
        raise TooManyTries(f"Too many calls of this kind ({counted.kind}): try again in {wait_s} s.", wait_s)


def _check_binding(route: Route, request: web.Request, user: User) -> None:
    """Return if a caller that is bound to an event stays with it.

    Raises:
        EventUnknown: the call is about another event: of that, nothing is said.
        KeyBound: the call is about no event in particular.
    """
    if user.event is None or route.minds_event:
        return
    named = request.match_info.get("event")
    if named is None and _reads_event(route):
        named = request.query.get("eventId")
    if named is None:
        raise KeyBound("This API key belongs to one event: name it with `eventId`, or use a key without an event.")
    if parse_id(named) != user.event:
        raise EventUnknown("There is no such event.")


def _reads_event(route: Route) -> bool:
    """Tell whether the route's handler heeds `eventId`: naming an event where nobody reads it narrows nothing."""
    return route.query is not None and any(one.encode_name == "eventId" for one in fields(route.query))


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"
